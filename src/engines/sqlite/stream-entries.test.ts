import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Documents } from "./documents.ts";
import { EventPages } from "./event-pages.ts";
import { openSqlite } from "./index.ts";
import { Ledger } from "./ledger.ts";
import { Statements } from "./statements.ts";
import { prepareTables } from "./tables.ts";

let folder: string;
let db: DatabaseSync;
const open = (readOnly = false): DatabaseSync => new DatabaseSync(join(folder, "entries.db"), { readOnly });
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trilith-entries-"));
  db = open();
  db.exec("pragma journal_mode = wal; pragma synchronous = off");
  prepareTables(db, 0);
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A writer with what it has written, stream by stream: the data of each event says which it is. */
class Writing {
  #ledger = Writing.#open();
  readonly written = new Map<string, { readonly data: string; readonly revision: number }[]>();
  #appends = 0;

  static #open(): Ledger {
    const statements = new Statements(db);
    return new Ledger(db, statements, new Documents(db, statements));
  }

  restart(): void {
    this.#ledger = Writing.#open();
  }

  /** One event in each of these streams, all in one transaction. */
  say(streams: readonly string[], { spans = 1, undone = false } = {}): void {
    db.exec("begin");
    for (const stream of streams) {
      const events = this.written.get(stream) ?? [];
      const data = `"${stream} ${events.length}"`;
      const event = { stream, type: "t.Said", version: 1, data, meta: null, spans };
      const expect = [{ stream, revision: events.at(-1)?.revision ?? ("none" as const) }];
      const id = `a${this.#appends++}`;
      const reply = this.#ledger.append(
        "main",
        { id, expect, events: [event], documents: [], receipt: undefined, readers: [] },
        0,
      );
      expectWritten(reply);
      if (undone) continue;
      events.push({ data, revision: (events.at(-1)?.revision ?? -1) + spans });
      this.written.set(stream, events);
    }
    this.#ledger.flush();
    db.exec(undone ? "rollback" : "commit");
    if (undone) this.#ledger.reset();
  }
}
/** An append that is refused says so in the place of its positions. */
function expectWritten(reply: ReturnType<Ledger["append"]>): void {
  expect(JSON.stringify(reply)).not.toContain("conflict");
}

const names = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, index) => `s/${from + index}`);
/** Old streams in no order, as commands on things that live long come. */
const scattered = (count: number, of: number, seed = 0): readonly string[] =>
  Array.from({ length: count }, (_, index) => `s/${((seed + index) * 7_919) % of}`);
const inTable = (table: string): number => Number(db.prepare(`select count(*) n from event_1_${table}`).get()?.n);
const inIndex = (): number => Number(db.prepare("select count(*) n from event_1 where gathered is null").get()?.n);

function expectAll(pages: EventPages, { written }: Writing, streams: readonly string[]): void {
  for (const stream of streams) {
    const events = written.get(stream) ?? [];
    expect(pages.revision("main", stream)).toBe(events.at(-1)?.revision ?? -1);
    const read = pages.read("main", { stream, from: 0, limit: 1_000 });
    expect(read.map(({ data, revision }) => ({ data, revision }))).toEqual(events);
  }
}

test("events of old streams are found wherever their entries are, by a reader and by a new writer", () => {
  const [writing, reading] = [new Writing(), open(true)];
  const pages = new EventPages(reading);
  writing.say(names(0, 3_000));
  expect([inIndex(), inTable("recent"), inTable("entry")]).toEqual([3_000, 0, 0]);
  writing.say(scattered(1_000, 1_900));
  expect([inIndex(), inTable("recent"), inTable("entry")]).toEqual([3_000, 1, 0]);
  expectAll(pages, writing, scattered(50, 3_000));
  for (let round = 0; round < 20; round++) writing.say(scattered(500, 1_900, round * 500));
  expect(inIndex()).toBe(3_000);
  expect(inTable("entry")).toBeGreaterThan(1_000); // on their way
  expect(inTable("recent")).toBe(21);
  expectAll(pages, writing, names(0, 1_900));
  for (let round = 20; round < 40; round++) writing.say(scattered(500, 1_900, round * 500));
  expect(inTable("recent")).toBeLessThan(30); // the first generation is there
  writing.restart();
  writing.say(scattered(1_900, 1_900)); // whose revisions it looks up
  expectAll(pages, writing, names(0, 3_000));
  expectAll(new EventPages(reading), writing, names(0, 3_000));
  reading.close();
});

test("a stream is read from any revision, both ways, in pages, and as of a position", () => {
  const [writing, reading] = [new Writing(), open(true)];
  writing.say(["s/long"]);
  writing.say(names(0, 1_100));
  // Some in the index, some beside it, some on their way: their entries are cut at no event that would be special.
  for (let round = 0; round < 45; round++)
    writing.say([...scattered(300, 60, round), "s/long"], { spans: 1 + (round % 3) });
  expect(inTable("entry")).toBeGreaterThan(0);
  expect(inTable("recent")).toBeGreaterThan(0);
  const pages = new EventPages(reading);
  const all = writing.written.get("s/long") ?? [];
  const last = all.at(-1)?.revision ?? 0;
  const revisions = (query: object): readonly number[] =>
    pages.read("main", { stream: "s/long", from: 0, limit: 1_000, ...query }).map(({ revision }) => revision);
  for (let from = 0; from <= last + 1; from++) {
    const after = all.filter(({ revision }) => revision >= from);
    const before = all.filter(({ revision }) => revision <= from).reverse();
    expect(revisions({ from })).toEqual(after.map(({ revision }) => revision));
    expect(revisions({ from, limit: 3 })).toEqual(after.slice(0, 3).map(({ revision }) => revision));
    expect(revisions({ from, backwards: true })).toEqual(before.map(({ revision }) => revision));
    expect(revisions({ from, backwards: true, limit: 3 })).toEqual(before.slice(0, 3).map(({ revision }) => revision));
    expect(pages.texts("main", { stream: "s/long", from, limit: 1_000 })).toEqual(after.map(({ data }) => data));
    expect(pages.texts("main", { stream: "s/long", from, limit: 2 })).toEqual(
      after.slice(0, 2).map(({ data }) => data),
    );
  }
  for (const { position, revision } of pages.read("main", { stream: "s/long", from: 0, limit: 1_000 })) {
    const until = all.filter((event) => event.revision <= revision).map((event) => event.revision);
    expect(revisions({ untilPosition: position })).toEqual(until);
    expect(revisions({ untilPosition: position - 1 })).toEqual(until.slice(0, -1));
  }
  reading.close();
});

test("a reader misses no event whose entry moves between its looks", () => {
  const [writing, reading] = [new Writing(), open(true)];
  writing.say(names(0, 1_500));
  writing.say(scattered(400, 400));
  writing.say(scattered(400, 400));
  const prepare = reading.prepare.bind(reading);
  let left = 3;
  reading.prepare = (sql: string) => {
    const statement = prepare(sql);
    const iterate = statement.iterate.bind(statement);
    // After each look at a part of the stream, all that is recent moves.
    statement.iterate = ((...values: SQLInputValue[]) => {
      const rows = [...iterate(...values)];
      if (sql.includes("e.data") && left-- > 0)
        for (let round = 0; round < 20; round++) writing.say(scattered(450, 400, round * 450));
      return rows[Symbol.iterator]();
    }) as typeof iterate; // asked with a list of values only
    return statement;
  };
  const read = new EventPages(reading).read("main", { stream: "s/7", from: 0, limit: 1_000 });
  expect(inTable("entry")).toBeGreaterThan(8_192);
  const events = writing.written.get("s/7") ?? [];
  expect(read.length).toBeGreaterThanOrEqual(3);
  expect(read.map(({ data }) => data)).toEqual(events.slice(0, read.length).map(({ data }) => data));
  reading.close();
});

test("a reader that looks rarely misses nothing that came and moved on between two of its looks", () => {
  const [writing, reading] = [new Writing(), open(true)];
  const pages = new EventPages(reading);
  writing.say(names(0, 3_000));
  writing.say(["s/7", "s/8"]);
  expectAll(pages, writing, ["s/7", "s/8"]);
  writing.say(["s/7"]);
  for (let round = 0; round < 20; round++)
    writing.say(scattered(1_000, 2_000, 100 + round).filter((name) => name !== "s/8"));
  expect(Number(db.prepare("select min(position) first from event_1_recent").get()?.first)).toBeGreaterThan(10_000);
  expectAll(pages, writing, ["s/7", "s/8"]);
  writing.say(["s/7", "s/8"]);
  expectAll(pages, writing, ["s/7", "s/8"]);
  reading.close();
});

test("what a large transaction leaves is read once, and not at every look", () => {
  const [writing, reading] = [new Writing(), open(true)];
  const prepare = reading.prepare.bind(reading);
  let read = 0;
  reading.prepare = (sql: string) => {
    const statement = prepare(sql);
    const iterate = statement.iterate.bind(statement);
    if (sql.includes("entries from"))
      statement.iterate = ((...values: SQLInputValue[]) => {
        const rows = [...iterate(...values)];
        read += rows.length;
        return rows[Symbol.iterator]();
      }) as typeof iterate; // asked with a list of values only
    return statement;
  };
  const pages = new EventPages(reading);
  writing.say(names(0, 1_500));
  writing.say(Array.from({ length: 45_000 }, (_, n) => `s/${n % 1_000}`));
  const sizes = db.prepare("select json_array_length(entries) size from event_1_recent").all();
  expect(Math.max(...sizes.map(({ size }) => Number(size)))).toBe(1_024);
  for (let looks = 0; looks < 5; looks++) expectAll(pages, writing, [`s/${looks}`]);
  expect(read).toBeLessThan(sizes.length + 20); // all once, and the last one at each of ten looks
  reading.close();
});

test("an undone transaction leaves no entry behind", () => {
  const [writing, reading] = [new Writing(), open(true)];
  writing.say(names(0, 1_500));
  writing.say(scattered(100, 400));
  writing.say(scattered(9_000, 400), { undone: true });
  expect([inTable("recent"), inTable("entry")]).toEqual([1, 0]);
  writing.say(scattered(100, 400));
  expectAll(new EventPages(reading), writing, names(0, 1_500));
  reading.close();
});

test("however often it begins anew, what is recent does not grow, and a reader keeps no more than so much", () => {
  const [writing, reading] = [new Writing(), open(true)];
  const pages = new EventPages(reading);
  writing.say(names(0, 5_000));
  let most = 0;
  for (let round = 0; round < 100; round++) {
    writing.say(scattered(1_000, 3_900, round * 1_000));
    if (round % 5 === 4) writing.restart();
    pages.read("main", { stream: "s/1", from: 0, limit: 1 });
    most = Math.max(most, Number(pages.log("main")?.entries.count));
    expect(inTable("recent")).toBeLessThan(4 * 9); // 8,192 entries are about nine of these transactions
  }
  expect(most).toBeLessThan(8 * 8_192); // half of it was there when it began
  expectAll(pages, writing, scattered(200, 5_000));
  reading.close();
}, 60_000);

test("readers see what the writer has committed, in any order of looks, writes, undone writes and new starts", () => {
  const [writing, reading] = [new Writing(), open(true)];
  const pages = new EventPages(reading);
  writing.say(names(0, 2_000));
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        say: fc.tuple(fc.nat({ max: 2_000 }), fc.nat({ max: 2_500 })),
        spans: fc.integer({ min: 1, max: 3 }),
        undone: fc.boolean(),
      }),
    },
    { weight: 4, arbitrary: fc.record({ look: fc.nat({ max: 2_300 }) }) },
    { weight: 1, arbitrary: fc.constant("restart" as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      for (const one of steps) {
        if (one === "restart") writing.restart();
        else if ("look" in one) expectAll(pages, writing, [`s/${one.look}`]);
        else writing.say(scattered(one.say[1], 2_200, one.say[0]), one);
      }
    }),
    { numRuns: 30 },
  );
  expectAll(pages, writing, scattered(100, 2_200));
  reading.close();
}, 60_000);

test("old streams are found through a restart of the engine, conflicts included, and the check has nothing to say", async () => {
  const own = join(folder, "own");
  let engine = await openSqlite({ folder: own });
  let ids = 0;
  const say = async (stream: string, revision: number) =>
    (
      await engine.append("main", [
        {
          id: `${ids++}`,
          expect: [{ stream, revision: revision < 0 ? "none" : revision }],
          events: [{ stream, type: "t.Said", version: 1, data: "1" }],
        },
      ])
    )[0];
  const streams = names(0, 3_000);
  for (let round = -1; round < 6; round++) await Promise.all(streams.map((stream) => say(stream, round)));
  await engine.close();
  engine = await openSqlite({ folder: own });
  try {
    for (const stream of scattered(300, 3_000)) expect(await engine.revision("main", stream)).toBe(6);
    expect(await say("s/5", 5)).toMatchObject({ ok: false, why: "conflict", actual: 6 });
    expect(await say("s/5", 6)).toMatchObject({ ok: true });
    expect((await engine.read("main", { stream: "s/5", from: 0, limit: 10 })).map(({ revision }) => revision)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7,
    ]);
    expect(await engine.check()).toEqual([]);
  } finally {
    await engine.close();
  }
  const file = new DatabaseSync(join(own, "trilith.db"));
  const count = (table: string): number => Number(file.prepare(`select count(*) n from event_1_${table}`).get()?.n);
  expect(count("recent")).toBeGreaterThan(0);
  expect(count("entry")).toBeGreaterThan(1_000);
  file.close();
}, 60_000);

test.each([
  ["delete from event_1_entry where stream = 7", "is not among the entries of its stream"],
  ["delete from event_1_recent", "is not among the entries of its stream"],
  ["update event_1_entry set position = 2 where stream = 7", "leads to position 2, where its event is not"],
  ["insert into event_1_recent values (99999, '[[7,77,99999]]')", "leads to position 99999, where its event is not"],
  [
    "update event_1 set gathered = null where stream = 7 and revision = 3; delete from event_1_entry where stream = 7 and revision = 3",
    "is in the index, and one before it in its stream is not",
  ],
  [
    "delete from event_1_entry where stream = 7 and revision = 3; insert into event_1_recent values (3, '[[7,3,3]]')",
    "has not moved, and one after it in its stream has",
  ],
  [
    "update event_1_recent set position = 2 where position = (select max(position) from event_1_recent)",
    "are not in their order",
  ],
])("a check finds what is wrong: %s", async (statement, sentence) => {
  const own = join(folder, "own");
  const engine = await openSqlite({ folder: own });
  const append = (stream: string, id: string) =>
    engine.append("main", [{ id, expect: [], events: [{ stream, type: "t.Said", version: 1, data: "1" }] }]);
  await Promise.all(names(0, 2_500).map((stream) => append(stream, `new ${stream}`)));
  for (let round = 0; round < 15; round++)
    await Promise.all(names(0, 1_200).map((stream) => append(stream, `${round} ${stream}`)));
  await engine.close();
  const file = new DatabaseSync(join(own, "trilith.db"));
  file.exec(statement);
  file.close();
  const again = await openSqlite({ folder: own });
  try {
    expect((await again.check()).join("\n")).toContain(sentence);
  } finally {
    await again.close();
  }
});
