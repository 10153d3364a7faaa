import { inTransaction, openBareSqlite, sqliteVersion } from "../frame/bare-sqlite.ts";
import { timed } from "../frame/closed-loop.ts";
import { gather } from "../frame/gathered.ts";
import type { Open, Place, Subject } from "../frame/subject.ts";
import { add, steps } from "./five-steps.ts";
import { runs } from "./runs.ts";

/**
 * A bare journal: one insert an entry, at the end of a table without an index, and one transaction and one flush for
 * whatever came in meanwhile. No replay (that would need an index), no retries, no owner.
 */
export const version = sqliteVersion;
export const works: { readonly [work: string]: Open } = { "five-steps": fiveSteps, replay };

export interface Line {
  readonly run: number;
  readonly entry: number;
  readonly data: string;
}

/** Acts a run out: each result is on disk before the next step begins; the last one is the run's own. */
export async function act(n: number, write: (line: Line) => Promise<void>): Promise<number> {
  await write({ run: n, entry: 0, data: JSON.stringify({ type: "Started", input: n }) });
  let sum = n;
  for (const step of steps) {
    sum = add(sum, step);
    await write({ run: n, entry: step, data: JSON.stringify({ type: "StepDone", name: `step-${step}`, value: sum }) });
  }
  return sum;
}

/** The last value of each run, from the lines of its last entry. */
export function lastValues(lines: Iterable<{ readonly run: number; readonly data: string }>): Map<number, unknown> {
  return new Map(Array.from(lines, ({ run, data }) => [run, JSON.parse(data).value]));
}

async function fiveSteps({ folder }: Place): Promise<Subject> {
  const database = openBareSqlite(folder);
  database.exec("create table entry (run integer not null, entry integer not null, data text not null) strict");
  const insert = database.prepare("insert into entry (run, entry, data) values (?, ?, ?)");
  const write = gather<Line>((lines) =>
    inTransaction(database, () => {
      for (const { run, entry, data } of lines) insert.run(run, entry, data);
    }),
  );
  return runs({
    run: (n) => act(n, write),
    async done() {
      const last = database.prepare("select run, data from entry where entry = ?").all(steps.length);
      return lastValues(last as unknown as { readonly run: number; readonly data: string }[]); // as the table has them
    },
    close: async () => database.close(),
  });
}

const entriesARun = 1_000;

/** Reads journals, run by run, and parses every entry. */
async function replay({ folder, size }: Place): Promise<Subject> {
  const database = openBareSqlite(folder);
  database.exec(
    "create table entry (run integer not null, entry integer not null, data text not null, primary key (run, entry)) strict, without rowid",
  );
  const insert = database.prepare("insert into entry (run, entry, data) values (?, ?, ?)");
  inTransaction(database, () => {
    for (let index = 0; index < size; index++) {
      const data = JSON.stringify({
        type: "StepDone",
        path: `one#${index % entriesARun}`,
        wire: 1,
        at: 1_795_000_000_000,
      });
      insert.run(Math.floor(index / entriesARun), index % entriesARun, data);
    }
  });
  const read = database.prepare("select data from entry where run = ? order by entry");
  return {
    round: () =>
      timed(size, async () => {
        let sum = 0;
        for (let run = 0; run * entriesARun < size; run++)
          for (const { data } of read.all(run)) sum += JSON.parse(String(data)).wire;
        if (sum !== size) throw new Error(`${sum} entries were read, of ${size}.`);
      }),
    verify: async () => {}, // each round counts what it reads
    close: async () => database.close(),
  };
}
