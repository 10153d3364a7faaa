import { openSqlite } from "trilith/sqlite";
import { toWorks } from "./trilith.ts";

export { version } from "../storage/trilith-sqlite.ts";
export const works = toWorks(({ folder }) => openSqlite({ folder }));
