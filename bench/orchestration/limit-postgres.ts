import pg from "pg";
import { countStatements, serverVersion } from "../frame/bare-postgres.ts";
import { gather } from "../frame/gathered.ts";
import type { Open, Place, Subject } from "../frame/subject.ts";
import { steps } from "./five-steps.ts";
import { act, type Line, lastValues } from "./limit-sqlite.ts";
import { runs } from "./runs.ts";

/** The same bare journal: two connections, and one `unnest` for whatever came in meanwhile. */
export const version = serverVersion;
export const works: { readonly [work: string]: Open } = { "five-steps": fiveSteps };

const connections = 2;
const text = "insert into entry select * from unnest($1::bigint[], $2::int[], $3::text[])";

async function fiveSteps({ postgres }: Place): Promise<Subject> {
  const pool = new pg.Pool({ connectionString: postgres, max: connections });
  await pool.query("create table entry (run bigint not null, entry int not null, data text not null)");
  const write = gather<Line>(async (lines) => {
    const values = [lines.map(({ run }) => run), lines.map(({ entry }) => entry), lines.map(({ data }) => data)];
    await pool.query({ name: "write", text, values });
  }, connections);
  return runs({
    run: (n) => act(n, write),
    async done() {
      const { rows } = await pool.query("select run::float8, data from entry where entry = $1", [steps.length]);
      return lastValues(rows);
    },
    close: () => pool.end(),
    count: () => countStatements(postgres),
  });
}
