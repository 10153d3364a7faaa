import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Append, Engine, NewReceipt, StoredEvent } from "../../storage/host.ts";
import { openSqlite, type SqliteOptions } from "./index.ts";

let folder: string;
const engines: Engine[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trilith-sqlite-"));
});
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
  rmSync(folder, { recursive: true, force: true });
});
async function open(options: Partial<SqliteOptions> = {}): Promise<Engine> {
  const engine = await openSqlite({ folder, ...options });
  engines.push(engine);
  return engine;
}

let drawn = 0;
const toId = (): string => `0190c0de-0000-7000-8000-${(drawn++).toString(16).padStart(12, "0")}`;
function toAppend(stream: string, more: Partial<Append> = {}): Append {
  return { id: toId(), expect: [], events: [{ stream, type: "t.Said", version: 1, data: '"x"' }], ...more };
}
const toReceipt = (key: string, more: Partial<NewReceipt> = {}): NewReceipt => ({ key, digest: "d", ...more });
const only = async (engine: Engine, append: Append) => (await engine.append("main", [append]))[0];

async function readAll(engine: Engine, log = "main"): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (;;) {
    const page = await engine.read(log, { after: all.at(-1)?.position ?? 0, limit: 100 });
    if (page.length === 0) return all;
    all.push(...page);
  }
}

test("concurrent groups with conflicts leave positions and revisions without gaps, and each outcome is true", async () => {
  const engine = await open();
  const step = fc.record({
    stream: fc.constantFrom("s/a", "s/b", "s/c"),
    revision: fc.integer({ min: -1, max: 6 }),
    events: fc.nat(3),
  });
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 }),
      async (groups) => {
        const log = `log-${round++}`;
        const appends = groups.map((group) =>
          group.map(({ stream, revision, events }) => {
            const event = { stream, type: "t.Said", version: 1, data: "1" };
            const expected = revision < 0 ? ("none" as const) : revision > 4 ? ("any" as const) : revision;
            return { id: toId(), expect: [{ stream, revision: expected }], events: Array(events).fill(event) };
          }),
        );
        const outcomes = (await Promise.all(appends.map((group) => engine.append(log, group)))).flat();
        const events = await readAll(engine, log);
        expect(events.map(({ position }) => position)).toEqual(events.map((_, index) => index + 1));
        const revisions = new Map<string, number>();
        for (const { stream, revision } of events) {
          expect(revision).toBe((revisions.get(stream) ?? -1) + 1);
          revisions.set(stream, revision);
        }
        const ids = events.map(({ id }) => id);
        for (const [index, append] of appends.flat().entries()) {
          const expected = append.events.map((_, at) => `${append.id}/${at}`);
          const outcome = outcomes[index];
          if (outcome?.ok && "first" in outcome && append.events.length > 0)
            expect(ids.slice(outcome.first - 1, outcome.last)).toEqual(expected);
          else expect(ids.some((id) => expected.includes(id))).toBe(false);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test("an event has the id of its append, where appends to several logs, with and without events, share a transaction", async () => {
  const engine = await open();
  const wanted = new Map<string, string[]>([
    ["main", []],
    ["other", []],
  ]);
  const written = Array.from({ length: 400 }, (_, n) => {
    const log = n % 3 === 0 ? "other" : "main";
    const none = { events: [], receipt: toReceipt(`key ${n}`) };
    const append = toAppend(`s/${n}`, n % 5 < 3 ? none : { events: Array(n % 5).fill(toAppend(`s/${n}`).events[0]) });
    append.events.forEach((_event, index) => void wanted.get(log)?.push(`${append.id}/${index}`));
    return engine.append(log, [append]);
  });
  for (const [outcome] of await Promise.all(written)) expect(outcome).toMatchObject({ ok: true });
  for (const [log, ids] of wanted) expect((await readAll(engine, log)).map(({ id }) => id)).toEqual(ids);
});

test("time never goes back along a log, whatever the clock does", async () => {
  const times = [1_000, 500, 2_000, 0];
  const engine = await open({
    clock: { now: () => times.shift() ?? 0, monotonic: () => 0, after: () => () => {} },
  });
  for (let count = 0; count < 4; count++) await only(engine, toAppend("s/a"));
  const at = (await readAll(engine)).map((event) => event.at);
  expect(at).toEqual([...at].sort((a, b) => a - b));
  expect(at.at(-1)).toBe(2_000);
});

test("a receipt answers for its key, across a restart", async () => {
  let engine = await open();
  expect(await only(engine, toAppend("s/a", { receipt: toReceipt("k", { result: '{"n":1}' }) }))).toMatchObject({
    ok: true,
    first: 1,
  });
  await engine.close();
  engine = await open();
  const again = { ok: true, again: { key: "k", digest: "d", result: '{"n":1}', voided: false } };
  expect(await only(engine, toAppend("s/a", { receipt: toReceipt("k") }))).toEqual(again);
  expect(await only(engine, toAppend("s/a", { receipt: toReceipt("k", { digest: "other" }) }))).toEqual({
    ok: false,
    why: "key reused",
    key: "k",
  });
  expect(
    await only(engine, toAppend("s/a", { events: [], receipt: toReceipt("k", { digest: "", voided: true }) })),
  ).toEqual(again);
  await only(engine, toAppend("s/a", { events: [], receipt: toReceipt("v", { voided: true }) }));
  expect(await only(engine, toAppend("s/a", { receipt: toReceipt("v") }))).toEqual({
    ok: false,
    why: "voided",
    key: "v",
  });
  expect(await only(engine, toAppend("s/a", { receipt: toReceipt("v", { voided: true }) }))).toMatchObject({
    ok: true,
    again: { voided: true },
  });
  expect(await engine.receipt("main", "v")).toEqual({ key: "v", digest: "d", voided: true });
  expect(await engine.receipt("main", "never")).toBeUndefined();
  expect(await engine.revision("main", "s/a")).toBe(0);
});

test("a receipt is looked at before the revisions, so that a repetition is not a conflict", async () => {
  const engine = await open();
  const append = toAppend("s/a", { expect: [{ stream: "s/a", revision: "none" }], receipt: toReceipt("k") });
  const [first, second] = await Promise.all([only(engine, append), only(engine, { ...append, id: toId() })]);
  expect(first).toMatchObject({ ok: true, first: 1 });
  expect(second).toMatchObject({ ok: true, again: { key: "k" } });
});

test("a stream that is expected and not written guards the append all the same", async () => {
  const engine = await open();
  await only(engine, toAppend("s/seen"));
  const outcome = await only(engine, toAppend("s/written", { expect: [{ stream: "s/seen", revision: "none" }] }));
  expect(outcome).toEqual({ ok: false, why: "conflict", stream: "s/seen", expected: "none", actual: 0 });
  expect(await engine.revision("main", "s/written")).toBe(-1);
});

const people = {
  name: "people",
  columns: [
    { name: "city", type: "text" },
    { name: "age", type: "number" },
  ],
  indexes: [["city", "age"], ["age"]],
} as const;

test("documents are written with their append, or not at all", async () => {
  const engine = await open();
  await engine.define(people);
  const put = (key: string, data: object) => ({ collection: "people", put: key, data: { ...data } });
  const outcomes = await engine.append("main", [
    toAppend("s/a", { documents: [put("ada", { city: "London", age: 36 })] }),
    toAppend("s/a", { documents: [put("bob", { city: "Paris" }), put("eve", { city: 7 })] }),
    toAppend("s/a", { expect: [{ stream: "s/a", revision: "none" }], documents: [put("joe", {})] }),
    toAppend("s/a", { documents: [{ collection: "nowhere", remove: "x" }] }),
    toAppend("s/a", { documents: [{ collection: "people", increment: "ada", by: { city: 1 }, initial: {} }] }),
    toAppend("s/a", { documents: [put("zoe", { city: "Zürich", age: null })] }),
  ]);
  expect(outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.why))).toEqual([
    "ok",
    "refused",
    "conflict",
    "refused",
    "refused",
    "ok",
  ]);
  expect(outcomes[1]).toMatchObject({
    message: 'The field "city" of the document "eve" in "people" is an index column of type text, and cannot hold 7.',
  });
  const found = await engine.find("people", { limit: 10 });
  expect(found.map(({ key }) => key)).toEqual(["ada", "zoe"]);
  expect((await readAll(engine)).length).toBe(2);
});

test("patch, increment and remove change one document and count its revisions", async () => {
  const engine = await open();
  await engine.define(people);
  const write = (...documents: NonNullable<Append["documents"]>) => only(engine, toAppend("s/a", { documents }));
  const increment = (by: object) =>
    ({ collection: "people", increment: "ada", by: { ...by }, initial: { city: "London", age: 1 } }) as const;
  await write({ collection: "people", patch: "ada", data: { age: 1 } });
  expect(await engine.find("people", { key: "ada", limit: 1 })).toEqual([]);
  await write(increment({ age: 35 }), increment({ visits: 2 }));
  await write({ collection: "people", patch: "ada", data: { city: "Paris", note: { deep: [1] } } });
  expect(await engine.find("people", { key: "ada", limit: 1 })).toEqual([
    { key: "ada", revision: 3, data: { city: "Paris", age: 36, visits: 2, note: { deep: [1] } } },
  ]);
  expect(await engine.find("people", { where: { city: { equals: "London" } }, limit: 10 })).toEqual([]);
  await write({ collection: "people", remove: "ada" });
  expect(await engine.find("people", { limit: 10 })).toEqual([]);
});

test("a claim hands each document to one claimant only", async () => {
  const engine = await open();
  await engine.define(people);
  const documents = Array.from({ length: 50 }, (_, age) => ({
    collection: "people",
    put: `p${age}`,
    data: { age, more: true },
  }));
  await only(engine, toAppend("s/a", { documents }));
  const free = {
    where: { city: { equals: null }, age: { from: 10 } },
    orderBy: { column: "age", descending: false },
    limit: 7,
  } as const;
  const claims = await Promise.all(
    Array.from({ length: 8 }, (_, node) => engine.claim("people", free, { city: `node ${node}` })),
  );
  const keys = claims.flat().map(({ key }) => key);
  expect(new Set(keys).size).toBe(40);
  expect(keys.length).toBe(40);
  expect(claims[0]?.[0]).toEqual({ key: "p10", revision: 2, data: { age: 10, more: true, city: "node 0" } });
  await expect(engine.claim("people", { where: { size: { equals: 1 } }, limit: 1 }, {})).rejects.toThrow(
    'no column "size"',
  );
  await expect(engine.claim("people", free, { size: 1 })).rejects.toThrow('no column "size"');
});

test("a reader's checkpoint and documents move together, and only from where the reader stood", async () => {
  const engine = await open();
  await engine.define(people);
  const put = (age: number) => [{ collection: "people", put: "ada", data: { age } }];
  const at = (position: number, from: number) => ({ log: "main", reader: "r", epoch: 1, position, from });
  expect(await engine.commit(at(5, 0), put(1))).toBe(true);
  expect(await engine.commit(at(7, 0), put(2))).toBe(false);
  expect(await engine.find("people", { key: "ada", limit: 1 })).toMatchObject([{ data: { age: 1 } }]);
  expect(await engine.checkpoint("main", "r")).toEqual({ epoch: 1, position: 5 });
  await expect(engine.commit(at(9, 5), [{ collection: "nowhere", remove: "x" }])).rejects.toThrow("no collection");
  expect(await engine.checkpoint("main", "r")).toEqual({ epoch: 1, position: 5 });
  for (let count = 0; count < 6; count++) await only(engine, toAppend("s/a", { readers: ["r", "new"] }));
  expect(await engine.checkpoint("main", "r")).toEqual({ epoch: 1, position: 6 });
  expect(await engine.checkpoint("main", "new")).toEqual({ epoch: 1, position: 6 });
});

test("text is kept to the character, also in names and keys", async () => {
  const engine = await open();
  await engine.define(people);
  const odd = "a/'\"%_𝒳 \u00e9 e\u0301 \u2028";
  await only(
    engine,
    toAppend(odd, {
      documents: [{ collection: "people", put: odd, data: { city: odd } }],
      receipt: toReceipt(odd, { result: JSON.stringify(odd) }),
    }),
  );
  expect((await engine.read("main", { stream: odd, from: 0, limit: 10 })).map(({ stream }) => stream)).toEqual([odd]);
  expect((await engine.find("people", { where: { city: { in: [odd] } }, limit: 1 }))[0]).toMatchObject({
    key: odd,
    data: { city: odd },
  });
  expect(await engine.receipt("main", odd)).toMatchObject({ key: odd, result: JSON.stringify(odd) });
});

test("a second opener is refused with the pid of the first, and may open once it has closed", async () => {
  const engine = await open();
  await expect(openSqlite({ folder })).rejects.toThrow(
    `The data folder ${folder} is in use by process ${process.pid}.`,
  );
  expect(await only(engine, toAppend("s/a"))).toMatchObject({ ok: true });
  await engine.close();
  expect(await readAll(await open())).toHaveLength(1);
});

test("a full disk fails what does not fit, and nothing else", async () => {
  const engine = await open({ maxBytes: 300_000 });
  await only(engine, toAppend("s/a"));
  const large = { stream: "s/large", type: "t.Said", version: 1, data: JSON.stringify("x".repeat(400_000)) };
  const [small, failed] = await Promise.allSettled([
    only(engine, toAppend("s/a")),
    only(engine, toAppend("s/large", { events: [large] })),
  ]);
  expect(small).toMatchObject({ status: "fulfilled", value: { ok: true, first: 2 } });
  expect(failed).toMatchObject({ status: "rejected", reason: { code: "Unavailable", outcome: "not done" } });
  expect(String((failed as PromiseRejectedResult).reason)).toContain("The disk is full");
  expect(await only(engine, toAppend("s/a"))).toMatchObject({ ok: true, first: 3 });
  expect((await readAll(engine)).map(({ position }) => position)).toEqual([1, 2, 3]);
});

test("documents count on from what is on disk after a step that could not be written, and after rows were numbered anew", async () => {
  const engine = await open({ maxBytes: 400_000 });
  const [collection, reader] = ["counts", "r"];
  await engine.define({ name: collection, columns: [], indexes: [] });
  const add = (key: string) => ({ collection, increment: key, by: { n: 1 }, initial: { n: 0 } });
  const step = { log: "main", reader, epoch: 1 };
  await engine.commit({ ...step, from: 0, position: 1 }, [add("gone"), add("a"), add("b")]);
  const large = { collection, put: "large", data: { text: "x".repeat(500_000) } };
  await expect(engine.commit({ ...step, from: 1, position: 2 }, [add("a"), large])).rejects.toThrow("The disk is full");
  await engine.commit({ ...step, from: 1, position: 2 }, [add("a"), { collection, remove: "gone" }]);
  const other = new DatabaseSync(join(folder, "trilith.db"));
  other.exec(`update "document counts" set rowid = 100 - rowid`); // as a "vacuum" may
  other.close();
  await engine.commit({ ...step, from: 2, position: 3 }, [add("a"), add("b")]);
  expect(await engine.find(collection, { limit: 5 })).toEqual([
    { key: "a", data: { n: 3 }, revision: 3 },
    { key: "b", data: { n: 2 }, revision: 2 },
  ]);
});

test("a full queue refuses the next write, which was not done", async () => {
  const engine = await open({ queue: 10 });
  const results = await Promise.allSettled(Array.from({ length: 12 }, () => only(engine, toAppend("s/a"))));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
  expect(results.at(-1)).toMatchObject({ reason: { code: "Unavailable", outcome: "not done" } });
  expect(String((results.at(-1) as PromiseRejectedResult).reason)).toContain("10 writes are waiting");
  expect(await only(engine, toAppend("s/a"))).toMatchObject({ ok: true, first: 11 });
});

test("a walk that finds little lets others have their turn, for it is many short statements", async () => {
  const engine = await open();
  const events = Array.from({ length: 10_000 }, () => ({ stream: "s/a", type: "t.Said", version: 1, data: "1" }));
  for (let n = 0; n < 7; n++) await only(engine, toAppend("s/a", { events }));
  const done: string[] = [];
  const walk = engine.read("main", { after: 0, limit: 10, types: ["t.Said"], streams: ["s/none"] });
  const short = engine.read("main", { after: 69_990, limit: 10, types: ["t.Said"] });
  await Promise.all([
    walk.then((found) => done.push(`walk ${found.length}`)),
    short.then((found) => done.push(`short ${found.length}`)),
  ]);
  expect(done).toEqual(["short 10", "walk 0"]);
});

test("a queue is full by what waits in it as well, and lets one in that is larger than all of it", async () => {
  const engine = await open({ queueSize: 1_000_000 });
  const data = JSON.stringify("x".repeat(400_000));
  const events = [{ stream: "s/a", type: "t.Said", version: 1, data }];
  const results = await Promise.allSettled(Array.from({ length: 4 }, () => only(engine, toAppend("s/a", { events }))));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
  expect(results.at(-1)).toMatchObject({ reason: { code: "Unavailable", outcome: "not done" } });
  expect(String((results.at(-1) as PromiseRejectedResult).reason)).toMatch(
    /2 writes are waiting .+ with 80\d{4} characters/,
  );
  expect(await only(engine, toAppend("s/a", { events: [...events, ...events, ...events] }))).toMatchObject({
    ok: true,
    first: 3,
  });
  expect((await engine.status()).queued).toBe(0);
});

test("closing writes what was asked for, and refuses what comes after", async () => {
  const engine = await open();
  const asked = Promise.all(Array.from({ length: 500 }, () => only(engine, toAppend("s/a"))));
  await engine.close();
  await asked;
  await expect(only(engine, toAppend("s/a"))).rejects.toMatchObject({ code: "Unavailable", outcome: "not done" });
  await expect(engine.find("people", { limit: 1 })).rejects.toMatchObject({ code: "Unavailable" });
  expect(await readAll(await open())).toHaveLength(500);
});

test("a value that is no JSON text fails its own append only", async () => {
  const engine = await open();
  const wrong = { stream: "s/a", type: "t.Said", version: 1, data: (() => 1) as unknown as string }; // what a caller without types could pass
  const results = await Promise.allSettled([
    only(engine, toAppend("s/a", { events: [wrong] })),
    only(engine, toAppend("s/b")),
  ]);
  expect(results[0]?.status).toBe("rejected");
  expect(await only(engine, toAppend("s/c"))).toMatchObject({ ok: true });
  expect(results[1]?.status).toBe("fulfilled");
});

test("a file that is no database, or somebody else's, or damaged, or newer, is refused with a sentence", async () => {
  const file = join(folder, "trilith.db");
  writeFileSync(file, "this is not a database, and long enough to look like the header of one".repeat(40));
  await expect(openSqlite({ folder })).rejects.toThrow("is damaged, or is not a database");
  rmSync(file);
  const other = new DatabaseSync(file);
  other.exec("create table things (a)");
  other.close();
  await expect(openSqlite({ folder })).rejects.toThrow("It is a database of another program.");
  rmSync(file);
  await (await openSqlite({ folder })).close();
  const newer = new DatabaseSync(file);
  newer.exec("insert into trilith values (99, 0)");
  newer.close();
  await expect(openSqlite({ folder })).rejects.toThrow("a newer Trilith has written here");
});

test("damage that is met while running is said in a sentence", async () => {
  let engine = await open();
  const data = JSON.stringify("x".repeat(3_000));
  const event = { stream: "s/a", type: "t.Said", version: 1, data };
  for (let count = 0; count < 50; count++) await only(engine, toAppend("s/a", { events: [event] }));
  await engine.close();
  truncateSync(join(folder, "trilith.db"), 60_000);
  const error = await open()
    .then(async (opened) => {
      engine = opened;
      return engine.read("main", { stream: "s/a", from: 0, limit: 100 });
    })
    .catch((thrown: unknown) => thrown);
  expect(String(error)).toContain("damaged");
});

test("a folder that cannot be made is refused with a sentence", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  await expect(openSqlite({ folder: join(file, "data") })).rejects.toThrow(/The data folder .* cannot be made/);
  mkdirSync(join(folder, "taken", "lock.db"), { recursive: true });
  await expect(openSqlite({ folder: join(folder, "taken") })).rejects.toThrow(/The data folder .*taken cannot be used/);
});

test("a page is bounded by its bytes too, and the next goes on where it ended", async () => {
  const engine = await open();
  const event = { stream: "s/a", type: "t.Said", version: 1, data: JSON.stringify("x".repeat(400_000)) };
  for (let count = 0; count < 7; count++) await only(engine, toAppend("s/a", { events: [event] }));
  const page = await engine.read("main", { after: 0, limit: 100 });
  expect(page.length).toBeLessThan(7);
  expect((await readAll(engine)).map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});
