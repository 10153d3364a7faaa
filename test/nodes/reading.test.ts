import { afterAll, beforeAll, expect, it } from "vitest";
import type { Entry, RunRow } from "../../src/orchestration/host.ts";
import { Callers } from "../../src/orchestration/node/callers.ts";
import { openRunJournal } from "../../src/runtime/run-journal.ts";
import type { Engine } from "../../src/storage/host.ts";
import { inMemory, onPostgres, onSqlite, openDatabase, type TestDatabase } from "./world.ts";

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
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

it.each([
  { place: "on SQLite", open: onSqlite },
  { place: "on PostgreSQL", open: () => onPostgres(postgres) },
])("entries that were committed together $place are read from any of them on, and are one event", async ({ open }) => {
  await using world = await open();
  const { clock } = world;
  const engine = await world.engine();
  const journal = await openRunJournal(engine, clock);
  const at = clock.now();
  const said = (value: unknown): Entry => ({ type: "Progress", value, at });
  const all = Array.from({ length: 10 }, (_, n) => said(n));
  const commits = [all.slice(0, 1), all.slice(1, 4), all.slice(4, 6), all.slice(6)];
  let last = -1;
  for (const entries of commits) {
    expect(await journal.append("packed", last, entries, {})).toMatchObject({ position: expect.any(Number) });
    last += entries.length;
  }
  expect(await engine.read("runs", { stream: "run/packed", from: 0, limit: 10 })).toMatchObject(
    [0, 3, 5, 9].map((revision) => ({ revision, type: "Progress" })),
  );
  for (let from = 0; from <= 10; from++) {
    expect(await journal.read("packed", from)).toEqual(all.slice(from));
    expect(await journal.read("packed", from, 2)).toEqual(all.slice(from, from + 2));
    expect(await journal.last("packed", "Progress", from)).toEqual(from < 10 ? all[9] : undefined);
  }
  expect(await journal.append("packed", 8, [said("late")], {})).toBe("fenced");
  const ends: readonly Entry[] = [said("last"), { type: "Ended", state: "done", at }];
  await journal.append("packed", 9, ends, {});
  expect(await journal.last("packed", "Progress")).toEqual(said("last"));
  expect(await journal.last("packed", "Progress", 10)).toEqual(said("last"));
  expect(await journal.last("packed", "Progress", 11)).toBeUndefined();
  const long = said("x".repeat(50_000));
  await journal.append("packed", 11, [long, long, long], {});
  expect(await journal.read("packed", 13)).toEqual([long, long]);
  expect(await engine.read("runs", { stream: "run/packed", from: 12, limit: 10 })).toHaveLength(3);
});

it("a journal whose entries are an event each, as before, is read and goes on", async () => {
  await using world = await onSqlite();
  const engine = await world.engine();
  const journal = await openRunJournal(engine, world.clock);
  const said = (value: unknown): Entry => ({ type: "Progress", value, at: 1 });
  const events = [0, 1, 2].map((n) => ({
    ...{ stream: "run/old", type: "Progress", version: 1 },
    data: JSON.stringify(said(n)),
  }));
  await engine.append("runs", [{ id: crypto.randomUUID(), expect: [], events }]);
  await journal.append("old", 2, [said(3), said(4)], {});
  expect(await journal.read("old")).toEqual([0, 1, 2, 3, 4].map(said));
  expect(await journal.read("old", 1, 3)).toEqual([1, 2, 3].map(said));
});
