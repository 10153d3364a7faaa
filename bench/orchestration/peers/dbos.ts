import { DBOS } from "@dbos-inc/dbos-sdk";
import pg from "pg";
import { countStatements } from "../../frame/bare-postgres.ts";
import type { Open, Place, Subject } from "../../frame/subject.ts";
import { Wrong } from "../../frame/subject.ts";
import { versionOf } from "../../frame/version.ts";
import { add, steps } from "../five-steps.ts";
import { runs } from "../runs.ts";

/** DBOS Transact as its documentation sets it up: workflows called directly, steps by `DBOS.runStep`. */
export const version = (): Promise<string> => versionOf("@dbos-inc/dbos-sdk");
export const works: { readonly [work: string]: Open } = { "five-steps": fiveSteps };

const fiveStepsOf = DBOS.registerWorkflow(
  async (n: number) => {
    let sum = n;
    for (const step of steps) sum = await DBOS.runStep(async () => add(sum, step), { name: `step-${step}` });
    return sum;
  },
  { name: "five-steps" },
);

async function fiveSteps({ postgres }: Place): Promise<Subject> {
  DBOS.setConfig({ name: "bench", systemDatabaseUrl: postgres, logLevel: "error" });
  await DBOS.launch();
  const pool = new pg.Pool({ connectionString: postgres, max: 1 });
  return runs({
    run: (n) => fiveStepsOf(n),
    async done() {
      const { rows } = await pool.query(
        `select i.inputs, r.output,
           (select count(*)::int from dbos.operation_outputs o where o.workflow_uuid = s.workflow_uuid) as steps
         from dbos.workflow_status s
         join dbos.workflow_input i using (workflow_uuid) join dbos.workflow_output r using (workflow_uuid)
         where s.status = 'SUCCESS'`,
      );
      return new Map(
        rows.map((row) => {
          if (row.steps !== steps.length) throw new Wrong(`A run of DBOS has ${row.steps} steps on disk.`);
          return [numberOf(row.inputs), numberOf(row.output)];
        }),
      );
    },
    async close() {
      await pool.end();
      await DBOS.shutdown();
    },
    count: () => countStatements(postgres),
  });
}

/** The one number that it has written as JSON, however it wraps it. */
function numberOf(text: string): number {
  const value: unknown = JSON.parse(text);
  const json = value !== null && typeof value === "object" && "json" in value ? value.json : value;
  return Number(Array.isArray(json) ? json[0] : json);
}
