import { openPostgres } from "trilith/postgres";
import { countStatements } from "../frame/bare-postgres.ts";
import { toWorks } from "./trilith.ts";

export { version } from "../storage/trilith-sqlite.ts";
export const works = toWorks(
  ({ postgres }) => openPostgres({ url: postgres }),
  ({ postgres }) => countStatements(postgres),
);
