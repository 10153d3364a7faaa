import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqlite } from "./index.ts";
import { Statements } from "./statements.ts";
import { SeenNames, StreamNames } from "./stream-names.ts";
import { prepareTables } from "./tables.ts";

let folder: string;
let db: DatabaseSync;
const open = (readOnly = false): DatabaseSync => new DatabaseSync(join(folder, "names.db"), { readOnly });
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trilith-names-"));
  db = open();
  db.exec("pragma journal_mode = wal; pragma synchronous = off");
  prepareTables(db, 0);
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Adds streams in one transaction, as the ledger does: those that are not there yet. */
function add(names: StreamNames, log: number, added: readonly string[]): void {
  db.exec("begin");
  for (const name of added) if (names.find(log, name) === undefined) names.add(log, name);
  names.settle();
  db.exec("commit");
}
const range = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, index) => `s/${((from + index) * 7_919) % 1_000_003}`);
const indexed = (): number => Number(db.prepare("select count(*) n from stream_name").get()?.n);
const settled = (): number => Number(db.prepare("select stream from named").get()?.stream);
const table = (): readonly unknown[] => db.prepare("select log, name from stream order by log, name").all();

test("a name is found whether it is in the index yet or not, by the writer, by a reader and after a new start", () => {
  const [names, reading] = [new StreamNames(db, new Statements(db)), open(true)];
  const seen = new SeenNames(reading);
  for (const [from, to, settledThen] of [
    [0, 6_000, 0],
    [6_000, 8_180, 0],
    [8_180, 8_300, 0], // here they begin to move
    [8_300, 12_000, 0],
    [12_000, 18_000, 8_192], // here the next ones do
  ] as const) {
    add(names, 1, range(from, to));
    for (const name of range(0, to)) expect(names.find(1, name)).toBe(seen.find(1, name));
    expect(seen.find(1, "s/none")).toBeUndefined();
    expect(seen.find(2, range(0, 1)[0] as string)).toBeUndefined();
    expect(settled()).toBe(settledThen);
    // Some of those that are on their way are there, and never all.
    expect(indexed() > settledThen).toBe(from >= 8_180);
    expect(indexed()).toBeLessThan(to);
  }
  const again = new StreamNames(db, new Statements(db));
  const ids = range(0, 18_000).map((name) => again.find(1, name));
  expect(new Set(ids).size).toBe(18_000);
  expect(ids).not.toContain(undefined);
  add(again, 2, range(0, 12_000)); // what it found on its start moves with what came later
  for (const name of range(0, 18_000)) expect(again.find(1, name)).toBe(seen.find(1, name));
  expect(seen.find(2, range(0, 1)[0] as string)).toBe(18_001);
  reading.close();
});

test("a reader misses no name that goes into the index between its first look there and its second", () => {
  const [names, reading] = [new StreamNames(db, new Statements(db)), open(true)];
  add(names, 1, range(0, 8_000));
  const prepare = reading.prepare.bind(reading);
  let isFirst = true;
  reading.prepare = (sql: string) => {
    const statement = prepare(sql);
    const get = statement.get.bind(statement);
    if (sql.includes("from stream_name"))
      statement.get = ((...values: SQLInputValue[]) => {
        const found = get(...values);
        if (isFirst) for (const from of [8_000, 18_000]) add(names, 1, range(from, from + 10_000));
        isFirst = false;
        return found;
      }) as typeof get; // asked with a list of values only
    return statement;
  };
  expect(new SeenNames(reading).find(1, range(5, 6)[0] as string)).toBe(6);
  expect(settled()).toBe(3 * 8_192);
  reading.close();
});

test("a reader that looks in rarely does not read all that came meanwhile, and misses none of it", () => {
  const [names, reading] = [new StreamNames(db, new Statements(db)), open(true)];
  const seen = new SeenNames(reading);
  add(names, 1, ["s/first"]);
  expect(seen.find(1, "s/first")).toBe(1);
  add(names, 1, range(0, 40_000));
  add(names, 1, ["s/last"]);
  expect(seen.find(1, "s/last")).toBe(40_002);
  expect(seen.find(1, "s/none")).toBeUndefined();
  for (const name of range(0, 40_000)) expect(seen.find(1, name)).toBe(names.find(1, name));
  reading.close();
});

test("a reader that looks in all the time keeps no more names than one that does not", () => {
  const [names, reading] = [new StreamNames(db, new Statements(db)), open(true)];
  const seen = new SeenNames(reading);
  let most = 0;
  for (let from = 0; from < 120_000; from += 1_000) {
    const added = range(from, from + 1_000);
    add(names, 1, added);
    expect(seen.find(1, added[0] as string)).toBe(from + 1);
    most = Math.max(most, seen.count);
  }
  expect(most).toBeLessThan(40_000);
  reading.close();
});

test("however often it begins anew, what is not in the index yet does not grow", () => {
  let names = new StreamNames(db, new Statements(db));
  const outside: number[] = [];
  for (let from = 0; from < 192_000; from += 12_000) {
    for (let at = from; at < from + 12_000; at += 100) add(names, 1, range(at, at + 100));
    outside.push(from + 12_000 - settled());
    if (from % 24_000 === 0) names = new StreamNames(db, new Statements(db));
    else names.reset();
  }
  expect(Math.max(...outside)).toBeLessThan(4 * 8_192);
  for (const name of range(0, 192_000)) expect(names.find(1, name)).toBeDefined();
});

test("an undone transaction leaves no name behind", () => {
  const names = new StreamNames(db, new Statements(db));
  add(names, 1, range(0, 10));
  db.exec("begin");
  for (const name of range(10, 6_000)) names.add(1, name);
  names.settle();
  db.exec("rollback");
  names.reset();
  expect(names.find(1, range(10, 11)[0] as string)).toBeUndefined();
  expect(names.find(1, range(9, 10)[0] as string)).toBe(10);
  expect(indexed()).toBe(0);
  add(names, 1, range(10, 12));
  expect(names.find(1, range(11, 12)[0] as string)).toBe(12);
});

test("readers see what the writer has committed, in any order of looks and writes", () => {
  const [names, reading] = [new StreamNames(db, new Statements(db)), open(true)];
  const seen = new SeenNames(reading);
  const some = fc.nat({ max: 9_000 });
  const step = fc.oneof(
    fc.record({ add: fc.tuple(some, fc.nat({ max: 1_500 })), log: fc.integer({ min: 1, max: 2 }) }),
    fc.record({ find: some, log: fc.integer({ min: 1, max: 2 }) }),
  );
  const there = new Set<string>();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      for (const one of steps) {
        if ("add" in one) {
          const added = range(one.add[0], one.add[0] + one.add[1]);
          add(names, one.log, added);
          for (const name of added) there.add(`${one.log} ${name}`);
        } else {
          const [name] = range(one.find, one.find + 1) as [string];
          expect(seen.find(one.log, name) !== undefined).toBe(there.has(`${one.log} ${name}`));
        }
      }
      expect(table().length).toBe(there.size);
    }),
    { numRuns: 30 },
  );
  reading.close();
});

test("streams are found through a restart, and the check has nothing to say", async () => {
  const say = (engine: Awaited<ReturnType<typeof openSqlite>>, stream: string) =>
    engine.append("main", [
      {
        id: stream,
        expect: [{ stream, revision: "none" }],
        events: [{ stream, type: "t.Said", version: 1, data: "1" }],
      },
    ]);
  const streams = range(0, 4_500); // more than are kept out of the index
  const own = join(folder, "own");
  let engine = await openSqlite({ folder: own });
  await Promise.all(streams.map((stream) => say(engine, stream)));
  await engine.close();
  engine = await openSqlite({ folder: own });
  try {
    for (const stream of streams) expect(await engine.revision("main", stream)).toBe(0);
    expect(await engine.revision("main", "s/none")).toBe(-1);
    expect((await say(engine, streams[0] as string))[0]).toMatchObject({ ok: false, why: "conflict", actual: 0 });
    expect((await say(engine, streams[4_499] as string))[0]).toMatchObject({ ok: false, why: "conflict", actual: 0 });
    expect(await engine.check()).toEqual([]);
  } finally {
    await engine.close();
  }
});
