import { afterAll, beforeAll, expect, it } from "vitest";
import type { Entry, RunRow } from "../../src/orchestration/host.ts";
import { Callers } from "../../src/orchestration/node/callers.ts";
import { openRunJournal } from "../../src/runtime/run-journal.ts";
import type { Engine } from "../../src/storage/host.ts";
import { inMemory, onPostgres, onSqlite, startPostgres, type TestPostgres } from "./world.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres.remove());

it.each([
  { place: "in memory", open: inMemory },
  { place: "on SQLite", open: onSqlite },
  { place: "on PostgreSQL", open: () => onPostgres(postgres) },
])("who asks for a run $place has its first and last entries read, however long it is", async ({ open }) => {
  await using world = await open();
  const { clock } = world;
  const engine = await world.engine();
  let read = 0;
  const counting = new Proxy(engine, {
    get: (target, name: keyof Engine) => {
      const method = target[name].bind(target) as (...given: unknown[]) => Promise<unknown>;
      return async (...given: unknown[]) => {
        const answer = await method(...given);
        if (name === "read") read += (answer as readonly unknown[]).length;
        return answer;
      };
    },
  });
  const journal = await openRunJournal(counting, clock);
  const at = clock.now();
  const principal = { id: "ann", kind: "key", scopes: [] } as const;
  const about = { operation: "jobs.do", version: 1, input: 1, digest: "d", principal, traceparent: "" };
  const started: Entry = { type: "Started", ...about, at };
  const said = (value: number): Entry => ({ type: "Progress", value, at });
  const many = Array.from({ length: 1_500 }, (_, n) => said(n));
  const begin: RunRow = {
    ...({
      run: "long",
      operation: "jobs.do",
      workflow: "jobs.do@1",
      state: "running",
      owner: null,
      wakeAt: null,
    } as const),
    ...{ startedAt: at, endedAt: null, startedBy: "ann", traceparent: "", reason: null },
  };
  await journal.append("long", -1, [started, ...many], { begin });
  const callers = new Callers({
    ...{ journal, clock },
    workflowOf: () => ({ workflow: { operation: { progress: {} } } as never, rethrow: () => new Error() }), // it says that there is progress
  });
  read = 0;
  expect(await callers.status("long")).toMatchObject({ progress: 1_499 });
  expect(await callers.join("long", { digest: "d", reads: async () => false }, undefined)).toBe(true);
  expect(read).toBeLessThanOrEqual(65);

  expect(await journal.last("long", "Started")).toEqual(started);
  expect(await journal.last("long", "Started", 1)).toBeUndefined();
  expect(await journal.last("long", "Paused")).toBeUndefined();
  expect(await journal.last("nobody")).toBeUndefined();
  expect(await journal.read("long", 600, 700)).toEqual(many.slice(599, 1_299));

  const ended: Entry = { type: "Ended", state: "done", output: "well", at };
  await journal.append("long", 1_500, [ended], { row: { state: "done", endedAt: at } });
  read = 0;
  expect(await callers.status("long")).toMatchObject({ output: "well" });
  expect(read).toBe(1);
});
