import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Append, Engine } from "../../storage/host.ts";
import { openSqlite } from "./index.ts";

let folder: string;
let engine: Engine;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "trilith-health-"));
  engine = await openSqlite({ folder });
});
afterEach(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

let drawn = 0;
const toId = (): string => `0190c0de-0000-7000-8000-${(drawn++).toString(16).padStart(12, "0")}`;
const toAppend = (stream: string, more: Partial<Append> = {}): Append => ({
  id: toId(),
  expect: [],
  events: [{ stream, type: "t.Said", version: 1, data: '"x"' }],
  ...more,
});
const say = async (stream: string, more: Partial<Append> = {}) =>
  (await engine.append("main", [toAppend(stream, more)]))[0];
const people = { name: "people", columns: [{ name: "age", type: "number" }], indexes: [["age"]] } as const;

/** Changes the file behind the engine's back, while that is closed. */
async function tamper(...statements: readonly string[]): Promise<void> {
  await engine.close();
  const db = new DatabaseSync(join(folder, "trilith.db"), { defensive: false });
  for (const statement of statements) db.exec(statement);
  db.close();
  engine = await openSqlite({ folder });
}

test("a watcher wakes for what is there already, and for what comes, and for nothing else", async () => {
  const never = new AbortController();
  const waiting = engine.watch("main", 0, never.signal).then(() => "woken");
  const further = engine.watch("main", 1, never.signal).then(() => "woken further");
  expect(await Promise.race([waiting, new Promise((resolve) => setImmediate(resolve, "waits"))])).toBe("waits");
  await say("s/a");
  expect(await waiting).toBe("woken");
  await engine.watch("main", 0, never.signal);
  expect(await Promise.race([further, new Promise((resolve) => setImmediate(resolve, "waits"))])).toBe("waits");
  await say("s/a");
  expect(await further).toBe("woken further");
});

test("a watcher that is aborted, or whose engine closes, is told why", async () => {
  const aborted = new AbortController();
  const waiting = engine.watch("main", 0, aborted.signal);
  aborted.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await expect(engine.watch("main", 0, aborted.signal)).rejects.toThrow("enough");
  const left = engine.watch("main", 0, new AbortController().signal).catch((error: unknown) => error);
  await engine.close();
  expect(await left).toMatchObject({ code: "Unavailable" });
});

test("expired receipts go, the oldest first and a few at a time; voided ones and those without an end stay", async () => {
  const receipt = (key: string, expires?: number, voided = false) =>
    say("s/a", { events: [], receipt: { key, digest: "d", voided, ...(expires !== undefined && { expires }) } });
  await receipt("b", 20);
  await receipt("a", 10);
  await receipt("c", 30);
  await receipt("voided", 5, true);
  await receipt("for good");
  expect(await engine.sweep("main", 9, 100)).toBe(0);
  expect(await engine.sweep("main", 20, 1)).toBe(1);
  expect(await engine.receipt("main", "a")).toBeUndefined();
  expect(await engine.receipt("main", "b")).toBeDefined();
  expect(await engine.sweep("main", 20, 100)).toBe(1);
  expect(await engine.sweep("main", Number.MAX_SAFE_INTEGER, 100)).toBe(1);
  expect(await engine.receipt("main", "voided")).toMatchObject({ voided: true });
  expect(await engine.receipt("main", "for good")).toBeDefined();
  // What was forgotten may be done again.
  expect(await receipt("a", 40)).toMatchObject({ ok: true });
});

test("the log is read by category, and as of a position or an instant", async () => {
  await engine.close();
  let now = 1_000;
  engine = await openSqlite({ folder, clock: { now: () => now, monotonic: () => now, after: () => () => {} } });
  const streams = ["a/1", "b/1", "a/2", "a/1", "c/x/y", "a/1"];
  for (const stream of streams) {
    await say(stream);
    now += 10;
  }
  const positions = async (query: object) =>
    (await engine.read("main", { after: 0, limit: 100, ...query })).map(({ position }) => position);
  expect(await positions({ categories: ["a"] })).toEqual([1, 3, 4, 6]);
  expect(await positions({ categories: ["b", "c"], types: ["t.Said"] })).toEqual([2, 5]);
  expect(await positions({ categories: ["x"] })).toEqual([]);
  expect(await positions({ untilPosition: 3 })).toEqual([1, 2, 3]);
  expect(await positions({ untilPosition: 0 })).toEqual([]);
  expect(await positions({ untilAt: 999 })).toEqual([]);
  expect(await positions({ untilAt: 1_000 })).toEqual([1]);
  expect(await positions({ untilAt: 1_039, categories: ["a"] })).toEqual([1, 3, 4]);
  expect(await positions({ untilAt: 9_999, untilPosition: 2 })).toEqual([1, 2]);
  const stream = async (query: object, name = "a/1") =>
    (await engine.read("main", { stream: name, from: 0, limit: 100, ...query })).map(({ position }) => position);
  expect(await stream({ untilPosition: 5 })).toEqual([1, 4]);
  expect(await stream({ untilAt: 1_029 })).toEqual([1]);
  expect(await stream({ from: 9, backwards: true, untilPosition: 4 })).toEqual([4, 1]);
  expect(await stream({ from: 0, backwards: true, untilPosition: 4 })).toEqual([1]);
  expect(await stream({ untilPosition: 4 }, "nobody/1")).toEqual([]);
});

test("an append whose reader has not come to the head is behind, and writes nothing", async () => {
  await engine.define(people);
  const documents = [{ collection: "people", put: "ada", data: { age: 1 } }];
  await say("s/a");
  expect(await say("s/a", { documents, readers: ["r"] })).toEqual({ ok: false, why: "behind", reader: "r" });
  expect(await engine.find("people", { limit: 1 })).toEqual([]);
  expect(await engine.head("main")).toEqual({ epoch: 1, position: 1 });
  expect(await engine.commit({ log: "main", reader: "r", epoch: 1, from: 0, position: 1 }, [])).toBe(true);
  expect(await say("s/a", { documents, readers: ["r"] })).toMatchObject({ ok: true, last: 2 });
  expect(await say("s/a", { documents, readers: ["r"] })).toMatchObject({ ok: true, last: 3 });
  expect(await engine.checkpoint("main", "r")).toEqual({ epoch: 1, position: 3 });
});

test("a reader of an epoch that is over commits nothing, and stands where it stood", async () => {
  await say("s/a", { readers: ["r"] });
  await tamper("update log set epoch = 2 where name = 'main'");
  expect(await engine.head("main")).toEqual({ epoch: 2, position: 1 });
  expect(await engine.checkpoint("main", "r")).toEqual({ epoch: 1, position: 1 });
  expect(await engine.checkpoint("main", "new")).toEqual({ epoch: 2, position: 0 });
  const at = { log: "main", reader: "r", from: 1, position: 1 };
  expect(await engine.commit({ ...at, epoch: 1 }, [])).toBe(false);
  expect(await engine.commit({ ...at, epoch: 2 }, [])).toBe(false);
  expect(await say("s/a", { readers: ["r"] })).toEqual({ ok: false, why: "behind", reader: "r" });
  await engine.drop({ reader: { log: "main", name: "r" } });
  expect(await engine.checkpoint("main", "r")).toEqual({ epoch: 2, position: 0 });
});

test("what is dropped is gone, and may be made anew with other columns", async () => {
  await engine.define(people);
  await say("s/a", { documents: [{ collection: "people", put: "ada", data: { age: 1 } }], readers: ["r"] });
  expect(await engine.collections()).toEqual(["people"]);
  await engine.drop({ collection: "people", reader: { log: "main", name: "r" } });
  await engine.drop({ collection: "people" });
  expect(await engine.collections()).toEqual([]);
  expect(await engine.checkpoint("main", "r")).toEqual({ epoch: 1, position: 0 });
  await expect(engine.find("people", { limit: 1 })).rejects.toThrow('no collection "people"');
  await engine.define({ name: "people", columns: [{ name: "city", type: "text" }], indexes: [["city"]] });
  expect(await engine.find("people", { where: { city: { equals: "x" } }, limit: 1 })).toEqual([]);
});

test("the status says what an operator asks", async () => {
  await Promise.all(Array.from({ length: 50 }, () => say("s/a")));
  const queued = Promise.all([say("s/a"), say("s/b")]);
  const status = await engine.status();
  await queued;
  expect(status).toMatchObject({
    exclusive: true,
    logs: { main: { epoch: 1, position: 50 } },
    queued: 2,
    replicas: [],
  });
  expect(status.engine).toMatch(/^sqlite 3\.\d+\.\d+$/);
  expect(status.bytes).toBeGreaterThan(10_000);
  expect(status.appendMs.p50).toBeGreaterThan(0);
  expect(status.appendMs.p99).toBeGreaterThanOrEqual(status.appendMs.p50);
});

test("a check of what is sound says nothing, while others write", async () => {
  await engine.define(people);
  const writing = Promise.all(
    Array.from({ length: 300 }, (_, age) =>
      say(`s/${age % 7}`, { documents: [{ collection: "people", put: `p${age % 50}`, data: { age } }] }),
    ),
  );
  expect(await engine.check()).toEqual([]);
  await writing;
  expect(await engine.check()).toEqual([]);
});

test.each([
  ["delete from event_1 where position = 3", "goes from position 2 to 4"],
  [
    "delete from event_1 where position = 3",
    'The stream "s/a" of the log "main" has events for 4 revisions, and the last is 4',
  ],
  ["update event_1 set at = 5 where position = 4", 'The event at position 4 of the log "main" is older than'],
  ["update event_1 set stream = 99 where position = 5", 'position 5 of the log "main" belongs to no stream'],
  ["update event_1 set type = 99 where position = 5", 'position 5 of the log "main" has no type'],
  ["update event_1 set data = '{' where position = 2", 'position 2 of the log "main" is not JSON'],
  ["insert into stream (log, name) values (1, 's/empty')", 'The stream "s/empty" of the log "main" has no events.'],
  ["insert into stream (log, name) values (1, 's/a')", 'The stream "s/a" of the log "main" is there twice.'],
  ["update named set stream = 1", 'The stream "s/a" of the log "main" is not found by its name.'],
  ["insert into stream_name values (1, 's/a', 77)", 'The stream "s/a" of the log "main" is not found by its name.'],
  ["insert into stream_name values (1, 's/b', 77)", 'The name "s/b" of the log "main" leads to no stream.'],
  ["insert into reader values (1, 'r', 77, 1)", 'The reader "r" is at position 77'],
  ["insert into stream (log, name) values (9, 's/lost')", '1 rows of the table "stream" belong to no log.'],
  ['update "document people" set "field age" = 7', 'The document "ada" in "people" is found under another "age"'],
  [`update "document people" set data = '{"age":"x"}'`, 'The document "ada" in "people" cannot be read'],
])("a check finds what is wrong: %s", async (statement, sentence) => {
  await engine.define(people);
  for (let count = 0; count < 5; count++) await say("s/a");
  await say("s/a", { events: [], documents: [{ collection: "people", put: "ada", data: { age: 1 } }] });
  await tamper(statement);
  expect((await engine.check()).join("\n")).toContain(sentence);
});

test("a check finds an index that has lost an event", async () => {
  for (let count = 0; count < 5; count++) await say("s/a");
  // The index is made without the row, and then says that it has all of them: what a lost write of one page looks like.
  await tamper(
    `drop index event_1_stream;
     create unique index event_1_stream on event_1 (stream, revision) where gathered is null and position <> 3;
     pragma writable_schema = on;
     update sqlite_schema set sql = 'CREATE UNIQUE INDEX event_1_stream on event_1 (stream, revision) where gathered is null'
       where name = 'event_1_stream';
     pragma writable_schema = off;`,
  );
  expect((await engine.check()).join("\n")).toContain('The event at position 3 of the log "main" is not in the index');
});
