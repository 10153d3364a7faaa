import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqlite } from "../engines/sqlite/index.ts";
import type { RunRow } from "../orchestration/host.ts";
import { type Engine, toIds, type Write } from "../storage/host.ts";
import { runRows } from "./run-collections.ts";
import { searchRuns } from "./run-search.ts";

let folder: string;
let engine: Engine;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-search-"));
  engine = await openSqlite({ folder });
  await engine.define(runRows);
});
afterEach(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

const nextId = toIds({ now: Date.now, monotonic: () => 0, after: () => () => {} });
const write = (...documents: Write[]) => engine.append("runs", [{ id: nextId(), expect: [], events: [], documents }]);
const toRow = (run: string, place: number): RunRow => ({
  run,
  operation: "trips.book",
  workflow: "trips.book@1",
  state: "failed",
  owner: null,
  wakeAt: null,
  startedAt: place,
  endedAt: 100 + place,
  startedBy: "somebody",
  traceparent: "",
  reason: null,
});

test.each([
  ["is retried, and has not ended any more", { endedAt: null, state: "running" }],
  ["has ended anew since", { endedAt: 999 }],
])("a list of runs goes on where its page ended, also where the last of them %s", async (_, data) => {
  const runs = ["a", "b", "c", "d", "e"];
  await write(...runs.map((run, place): Write => ({ collection: "run", put: run, data: { ...toRow(run, place) } })));
  const search = (after?: string) =>
    searchRuns(engine, { states: ["failed"] }, { orderBy: "endedAt", limit: 2, ...(after !== undefined && { after }) });
  const first = await search();
  expect(first.runs.map(({ run }) => run)).toEqual(["e", "d"]);
  await write({ collection: "run", patch: "d", data });
  const second = await search(first.next);
  expect(second.runs.map(({ run }) => run)).toEqual(["c", "b"]);
  const third = await search(second.next);
  expect([third.runs.map(({ run }) => run), third.next]).toEqual([["a"], undefined]);
});

test("a list of runs goes on where its page ended, also where that run's row is gone", async () => {
  const runs = ["a", "b", "c"];
  await write(...runs.map((run, place): Write => ({ collection: "run", put: run, data: { ...toRow(run, place) } })));
  const first = await searchRuns(engine, {}, { limit: 1, ascending: true });
  await write({ collection: "run", remove: "a" });
  const second = await searchRuns(engine, {}, { limit: 5, ascending: true, after: first.next ?? "" });
  expect(second.runs.map(({ run }) => run)).toEqual(["b", "c"]);
});
