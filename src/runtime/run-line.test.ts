import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../contracts/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import { type Admission, type Line, type RunRow, type Standing, untilFreed } from "../orchestration/host.ts";
import type { Engine } from "../storage/host.ts";
import { laneRows } from "./run-collections.ts";
import { openRunJournal } from "./run-journal.ts";

const operation = "reports.make";
const ticket = { operation, turn: "", priority: 0, lane: "" };
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-line-"));
});
afterEach(() => rm(folder, { recursive: true }));

const rowOf = (run: string): RunRow => ({
  ...{ run, operation, workflow: `${operation}@1`, state: "queued", owner: null, wakeAt: null, startedAt: 1 },
  ...{ endedAt: null, startedBy: "key:a", traceparent: "", reason: null, ticket },
});
const nobody = ({ virtual }: Standing): Admission => ({ virtual, admitted: [], turns: [], meters: new Map() });

test("a place that is freed while the line is looked at is not taken for one that was seen to be free", async () => {
  const engine = await openSqlite({ folder });
  let onLanesRead = async (): Promise<void> => {};
  const find: Engine["find"] = async (collection, query) => {
    const found = await engine.find(collection, query);
    if (collection === laneRows.name && "freed" in (query.where ?? {})) await onLanesRead();
    return found;
  };
  const watched = new Proxy(engine, {
    get(target, name: keyof Engine) {
      const member = target[name];
      return name === "find" ? find : typeof member === "function" ? member.bind(target) : member;
    },
  });
  const journal = await openRunJournal(watched, systemClock);
  const line = journal.line as Line; // this journal has one
  for (const run of ["a", "b"]) {
    const principal = { id: "key:a", kind: "key", scopes: [] } as const;
    const about = { operation, version: 1, input: {}, digest: "", principal, traceparent: "" };
    const started = { type: "Started", ...about, at: 1 } as const;
    expect(await journal.append(run, -1, [started], { begin: rowOf(run) })).toHaveProperty("position");
  }

  const first = await line.look(operation, 64);
  const [head] = first.turns[0]?.heads ?? [];
  expect(first.turns[0]?.heads.map(({ run }) => run)).toEqual(["a", "b"]);
  const closed = { key: "", priority: 0, start: 1, opensAt: untilFreed, blockedBy: "" };
  const letIn: Admission = {
    ...nobody(first),
    admitted: [{ ...head, run: "a", lane: "", turn: "" }],
    turns: [closed],
  };
  expect(await line.admit(operation, first, letIn)).toBe(true);

  onLanesRead = async () => {
    onLanesRead = async () => {};
    const ended = { type: "Ended", state: "done", at: 2 } as const;
    const change = { row: { state: "done", owner: null, wakeAt: null, endedAt: 2 }, frees: ticket } as const;
    expect(await journal.append("a", 1, [ended], change)).toHaveProperty("position");
  };
  const torn = await line.look(operation, 64);
  expect(torn.turns).toEqual([]); // those who wait for the lane were not looked for
  expect(await line.admit(operation, torn, nobody(torn))).toBe(true);

  const next = await line.look(operation, 64);
  expect(next.turns.flatMap(({ heads }) => heads.map(({ run }) => run))).toEqual(["b"]);
  await engine.close();
});
