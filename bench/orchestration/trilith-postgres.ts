import { openPostgres } from "trilith/postgres";
import { countStatements, slowFlushes } from "../frame/bare-postgres.ts";
import type { Open } from "../frame/subject.ts";
import { toWorks } from "./trilith.ts";

export { version } from "../storage/trilith-sqlite.ts";

const all = toWorks(
  ({ postgres }) => openPostgres({ url: postgres }),
  ({ postgres }) => countStatements(postgres),
);
export const works: { readonly [work: string]: Open } = {
  ...all,
  "five-steps-slow-flush": async (place) => {
    await slowFlushes(place);
    return all["five-steps"](place);
  },
};
