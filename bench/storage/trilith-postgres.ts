import { openPostgres } from "trilith/postgres";
import { toWorks } from "./trilith.ts";

export { version } from "./trilith-sqlite.ts";
export const works = toWorks(({ postgres }) => openPostgres({ url: postgres }));
