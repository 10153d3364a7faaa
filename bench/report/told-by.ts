import type { Row } from "../frame/rows.ts";
import { hasOneTime } from "../frame/table.ts";

/** Works in which operations a second say nothing: somebody else sets the pace, or a time is what counts. */
const timesAlone = /^(loop-delay|reopen-|sleeping-restart|slow-upstream|all-up|dead-upstream|recovery)/;

export const saysNothingBySpeed = ({ work }: Row): boolean => timesAlone.test(work);

/** Whether a row is held against another by how long one operation takes. One client's speed is that and nothing else. */
export const toldByTimes = (row: Row): boolean => saysNothingBySpeed(row) || (row.clients === 1 && !hasOneTime(row));

export const toClients = (clients: number): string => (clients === 1 ? "1 client" : `${clients} clients`);
