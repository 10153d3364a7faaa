/** What the suites of other event stores ask of them, asked of this one. docs/behaviours-storage.md says who asks what. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command, contract, event, failure, query } from "trilith/contracts";
import { openSqlite } from "trilith/sqlite";
import { entity, readModel, store, subscription } from "trilith/storage";
import {
  type Log,
  type LogEvent,
  type Outcome,
  type Recorded,
  type StoresUnderTest,
  testStores,
} from "trilith/testing";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";

const Line = z.object({ cart: z.string(), product: z.string(), cents: z.int() });
const Cart = z.object({ products: z.array(z.string()), total: z.number() });
const TooDear = failure(409, "It costs more than anybody may spend.");
const Carts = contract("carts", "1.0.0", {
  add: command({ input: Line, output: Cart, failures: { TooDear } }),
  addTwice: command({ input: Line, output: Cart }),
  discount: command({ input: z.object({ cart: z.string(), percent: z.int() }) }),
  see: query({ input: z.object({ cart: z.string(), at: z.int().optional() }), output: Cart.optional() }),
  list: query({ input: z.object({}), output: z.array(z.object({ cart: z.string(), lines: z.int() })) }),
  Added: event(Line),
  Discounted: event(z.object({ cart: z.string(), percent: z.int() })),
});

function toCartStore(decided: (cart: string) => void = () => {}, snapshotEvery = 1_000) {
  const carts = entity("cart", {
    events: Carts,
    state: Cart,
    initial: { products: [], total: 0 },
    evolve: {
      Added: ({ products, total }, { product, cents }) => ({ products: [...products, product], total: total + cents }),
      Discounted: (cart, { percent }) => ({ ...cart, total: (cart.total * (100 - percent)) / 100 }),
    },
    snapshotEvery,
  });
  const lines = readModel("line", {
    version: 1,
    kept: "async",
    events: Carts,
    row: z.object({ cart: z.string(), lines: z.int(), order: z.string() }),
    key: "cart",
    initial: { order: "" },
    on: { Added: ({ cart }, rows) => rows.increment(cart, { lines: 1 }) },
  });
  return store(
    Carts,
    { carts, lines },
    {
      add: (line, { carts, fail }) =>
        carts(line.cart).decide(({ total }, { Added }) => {
          decided(line.cart);
          return total + line.cents > 10_000 ? fail.TooDear() : Added(line);
        }),
      addTwice: (line, { carts }) => carts(line.cart).decide((_, { Added }) => [Added(line), Added(line)]),
      discount: async ({ cart, percent }, { carts }) => {
        await carts(cart).decide(({ products }, { Discounted }) =>
          products.length > 0 ? Discounted({ cart, percent }) : [],
        );
      },
      see: async ({ cart, at }, { carts }) => (at === undefined ? carts(cart).state() : carts(cart).asOf(at)),
      list: async (_, { lines }) => (await lines.find({})).map(({ cart, lines }) => ({ cart, lines })),
    },
  );
}

let stores: StoresUnderTest;
let log: Log;
beforeAll(async () => {
  stores = await testStores([toCartStore()]);
  ({ log } = stores.storage);
});
afterAll(() => stores.close());

const told: string[] = [];
let streams = 0;
/** A behaviour, on a stream that nobody has used before. */
function behaviour(sentence: string, check: (stream: string) => Promise<void>): void {
  told.push(sentence);
  test(sentence, () => check(`thing/${streams++}`));
}

const collect = async <T>(values: AsyncIterable<T>, limit = Number.POSITIVE_INFINITY): Promise<T[]> => {
  const all: T[] = [];
  for await (const value of values) if (all.push(value) >= limit) break;
  return all;
};
const range = (length: number): number[] => Array.from({ length }, (_, n) => n);
const events = (stream: string, length: number, from = 0): LogEvent[] =>
  range(length).map((n) => ({ stream, type: "things.Said", data: from + n }));
const data = (recorded: readonly Recorded[]): unknown[] => recorded.map((one) => one.data);
const head = async (): Promise<number> => (await stores.engine.head("main")).position;
function written(outcome: Outcome): Extract<Outcome, { readonly first: number }> {
  if (outcome.ok && "first" in outcome) return outcome;
  throw new Error(`It was not written: ${JSON.stringify(outcome)}`);
}
const line = (cart: string, product = "shoes", cents = 300) => ({ cart, product, cents });

behaviour("a log that nobody has written to has no events", async () => {
  await using empty = await testStores([toCartStore()]);
  expect(await collect(empty.storage.log.after(0))).toEqual([]);
  expect((await empty.engine.head("main")).position).toBe(0);
});

behaviour(
  "the first event of a stream is read from the stream and from the log, and from no other stream",
  async (stream) => {
    const before = await head();
    written(await log.append({ expect: { [stream]: "none" }, events: events(stream, 1) }));
    expect(await collect(log.stream(stream))).toMatchObject([{ stream, revision: 0, data: 0 }]);
    expect(await collect(log.after(before))).toEqual(await collect(log.stream(stream)));
    expect(await collect(log.stream(`${stream}x`))).toEqual([]);
  },
);

behaviour("several events go onto a new stream in one append, in their order", async (stream) => {
  const { revisions } = written(await log.append({ expect: { [stream]: "none" }, events: events(stream, 100) }));
  expect(revisions[stream]).toBe(99);
  expect(data(await collect(log.stream(stream)))).toEqual(range(100));
});

behaviour("a second append may expect the revision that the first one gave", async (stream) => {
  const { revisions } = written(await log.append({ expect: { [stream]: "none" }, events: events(stream, 2) }));
  const next = revisions[stream] ?? "none";
  expect(
    written(await log.append({ expect: { [stream]: next }, events: events(stream, 2, 2) })).revisions[stream],
  ).toBe(3);
  expect(data(await collect(log.stream(stream)))).toEqual([0, 1, 2, 3]);
});

behaviour("a revision that is past is a conflict, and nothing is written", async (stream) => {
  await log.append({ events: events(stream, 2) });
  expect(await log.append({ expect: { [stream]: 0 }, events: events(stream, 2) })).toMatchObject({ why: "conflict" });
  expect(await log.revision(stream)).toBe(1);
});

behaviour("a revision that is not there yet is a conflict", async (stream) => {
  await log.append({ events: events(stream, 1) });
  const conflict = { ok: false, why: "conflict", stream, expected: 999, actual: 0 };
  expect(await log.append({ expect: { [stream]: 999 }, events: events(stream, 1) })).toEqual(conflict);
});

behaviour("a stream is new only once", async (stream) => {
  written(await log.append({ expect: { [stream]: "none" }, events: events(stream, 1) }));
  expect(await log.append({ expect: { [stream]: "none" }, events: events(stream, 1) })).toMatchObject({
    why: "conflict",
  });
  expect(await collect(log.stream(stream))).toHaveLength(1);
});

behaviour("with any revision an append goes onto a new stream and onto one that is there", async (stream) => {
  written(await log.append({ expect: { [stream]: "any" }, events: events(stream, 3) }));
  written(await log.append({ expect: { [stream]: "any" }, events: events(stream, 1) }));
  expect(await log.revision(stream)).toBe(3);
});

behaviour("a stream that has to exist takes an append when it does", async (stream) => {
  for (const _ of range(5)) await log.append({ events: events(stream, 1) });
  expect(
    written(await log.append({ expect: { [stream]: "exists" }, events: events(stream, 1) })).revisions[stream],
  ).toBe(5);
});

behaviour("a stream that has to exist is a conflict when it does not", async (stream) => {
  const conflict = { ok: false, why: "conflict", stream, expected: "exists", actual: -1 };
  expect(await log.append({ expect: { [stream]: "exists" }, events: events(stream, 1) })).toEqual(conflict);
  expect(await log.revision(stream)).toBe(-1);
});

behaviour("a conflict says which stream, what was expected and what is", async (stream) => {
  await log.append({ events: events(stream, 4) });
  const conflict = { ok: false, why: "conflict", stream, expected: "none", actual: 3 };
  expect(await log.append({ expect: { [stream]: "none" }, events: events(stream, 1) })).toEqual(conflict);
});

behaviour("an append without events leaves no stream behind, however often it is repeated", async (stream) => {
  for (const _ of range(2))
    expect(written(await log.append({ expect: { [stream]: "none" }, events: [] })).revisions).toEqual({});
  expect(await log.revision(stream)).toBe(-1);
  expect(await collect(log.stream(stream))).toEqual([]);
});

behaviour("events of an append that failed are nowhere", async (stream) => {
  await log.append({ events: events(stream, 1) });
  const before = await head();
  const id = log.nextId();
  await log.append({ id, expect: { [stream]: "none" }, events: events(stream, 3) });
  const ids = (await collect(log.after(0))).map((one) => one.id);
  expect(ids.filter((one) => one.startsWith(id))).toEqual([]);
  expect(await head()).toBe(before);
});

behaviour("of five that append ten events at once, expecting the same, one is written", async (stream) => {
  const outcomes = await Promise.all(
    range(5).map(() => log.append({ expect: { [stream]: "none" }, events: events(stream, 10) })),
  );
  expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
  expect(await log.revision(stream)).toBe(9);
});

behaviour("four writers that expect nothing all succeed, and each one's events stay in its order", async (stream) => {
  await Promise.all(
    range(4).map(async (writer) => {
      for (const n of range(100))
        written(await log.append({ events: [{ stream, type: "things.Said", data: [writer, n] }] }));
    }),
  );
  const all = data(await collect(log.stream(stream))) as [number, number][];
  expect(all).toHaveLength(400);
  for (const writer of range(4)) expect(all.filter(([by]) => by === writer).map(([, n]) => n)).toEqual(range(100));
});

behaviour("of writers that expect what they saw last some fail, and the stream stays in order", async (stream) => {
  const outcomes = await Promise.all(
    range(4).map(async (writer) => {
      const written: boolean[] = [];
      for (const n of range(25)) {
        const revision = await log.revision(stream);
        const expect = { [stream]: revision < 0 ? ("none" as const) : revision };
        written.push((await log.append({ expect, events: [{ stream, type: "things.Said", data: [writer, n] }] })).ok);
      }
      return written;
    }),
  );
  const all = data(await collect(log.stream(stream))) as [number, number][];
  expect(all.length).toBe(outcomes.flat().filter(Boolean).length);
  expect(all.length).toBeLessThan(100);
  for (const writer of range(4)) {
    const own = all.filter(([by]) => by === writer).map(([, n]) => n);
    expect(own).toEqual(own.toSorted((a, b) => a - b));
  }
});

behaviour("an append says where in the log it has come", async (stream) => {
  const before = await head();
  const { first, last } = written(await log.append({ events: events(stream, 3) }));
  expect([first, last]).toEqual([before + 1, before + 3]);
  expect((await collect(log.stream(stream))).map(({ position }) => position)).toEqual([first, first + 1, last]);
});

behaviour("a stream takes eight thousand events in one append", async (stream) => {
  written(await log.append({ expect: { [stream]: "none" }, events: events(stream, 8_001) }));
  expect(data(await collect(log.stream(stream)))).toEqual(range(8_001));
});

behaviour("two new streams are written in one append, each counting from 0", async (stream) => {
  const other = `${stream}-b`;
  const before = await head();
  written(await log.append({ events: [...events(stream, 2), ...events(other, 3)] }));
  expect((await collect(log.stream(stream))).map(({ revision }) => revision)).toEqual([0, 1]);
  expect((await collect(log.stream(other))).map(({ revision }) => revision)).toEqual([0, 1, 2]);
  expect((await collect(log.after(before))).map(({ position }) => position - before)).toEqual([1, 2, 3, 4, 5]);
});

behaviour("one stream that is not as expected keeps the other one from being written, and is named", async (stream) => {
  const other = `${stream}-b`;
  await log.append({ events: events(other, 2) });
  const append = {
    expect: { [stream]: "any", [other]: 5 },
    events: [...events(stream, 2), ...events(other, 2)],
  } as const;
  expect(await log.append(append)).toMatchObject({ why: "conflict", stream: other, actual: 1 });
  expect(await log.revision(stream)).toBe(-1);
});

behaviour("streams that are new and streams that are there go into one append", async (stream) => {
  const other = `${stream}-b`;
  await log.append({ events: events(other, 3) });
  const append = {
    expect: { [stream]: "none", [other]: 2 },
    events: [...events(other, 2), ...events(stream, 2)],
  } as const;
  expect(written(await log.append(append)).revisions).toEqual({ [stream]: 1, [other]: 4 });
});

behaviour("events for one stream may come between those for another, and count on", async (stream) => {
  const other = `${stream}-b`;
  await log.append({ events: [stream, other, stream, other, stream].flatMap((one, n) => events(one, 1, n)) });
  expect(data(await collect(log.stream(stream)))).toEqual([0, 2, 4]);
  expect(data(await collect(log.stream(other)))).toEqual([1, 3]);
});

behaviour("streams that are only looked at have to be as expected, all of them", async (stream) => {
  const [a, b, c] = ["a", "b", "c"].map((last) => `${stream}-${last}`) as [string, string, string];
  await log.append({ events: [...events(a, 3), ...events(b, 1)] });
  const check = (revision: number) =>
    log.append({ expect: { [a]: revision, [b]: "exists", [c]: "none" }, events: events(stream, 1) });
  expect(written(await check(2)).revisions).toEqual({ [stream]: 0 });
  expect(await check(1)).toEqual({ ok: false, why: "conflict", stream: a, expected: 1, actual: 2 });
  expect(await log.revision(stream)).toBe(0);
});

behaviour("the same append under the same key is done once, and says so", async (stream) => {
  const append = { events: events(stream, 4), receipt: { key: stream, digest: "d", result: '"first"' } };
  expect(written(await log.append(append)).revisions[stream]).toBe(3);
  for (const _ of range(2)) expect(await log.append(append)).toMatchObject({ ok: true, again: { result: '"first"' } });
  expect(await log.revision(stream)).toBe(3);
});

behaviour("repeating an append is no conflict, although its stream has moved on", async (stream) => {
  const append = {
    expect: { [stream]: "none" },
    events: events(stream, 1),
    receipt: { key: stream, digest: "d" },
  } as const;
  written(await log.append(append));
  await log.append({ events: events(stream, 5) });
  expect(await log.append(append)).toMatchObject({ ok: true, again: { key: stream } });
  expect(await log.revision(stream)).toBe(5);
});

behaviour("equal events are two events, unless a key says that they are one", async (stream) => {
  for (const _ of range(2)) written(await log.append({ events: [{ stream, type: "things.Said", data: "same" }] }));
  const [one, other] = await collect(log.stream(stream));
  expect(one?.id).not.toBe(other?.id);
});

behaviour("an event of the largest size is written, and one that is larger fails with its size", async (stream) => {
  const text = "x".repeat(1_048_574);
  written(await log.append({ events: [{ stream, type: "things.Said", data: text }] }));
  const larger = log.append({ events: [...events(stream, 1), { stream, type: "things.Said", data: `${text}x` }] });
  await expect(larger).rejects.toThrow("1048577 bytes");
  expect(await log.revision(stream)).toBe(0);
});

behaviour("an event that cannot be written fails its whole append before any of it is", async (stream) => {
  for (const data of [() => 1, Number.NaN, "\ud800", new Date(0), 1n]) {
    const append = log.append({ events: [...events(stream, 2), { stream, type: "things.Said", data }] });
    await expect(append).rejects.toThrow(TypeError);
  }
  expect(await log.revision(stream)).toBe(-1);
});

behaviour("a stream has a name of a category and an id", async () => {
  for (const name of ["", "all", "$all", "thing/", "/1", "Thing/1", `thing/${"x".repeat(600)}`])
    await expect(log.append({ events: events(name, 1) })).rejects.toThrow(TypeError);
});

behaviour("a command that nobody waits for any more writes nothing", async (stream) => {
  const late = stores.client(Carts, { deadline: 0 });
  await expect(late.add(line(stream))).rejects.toMatchObject({ code: "DeadlineExceeded", outcome: "not done" });
  expect(await stores.client(Carts).see({ cart: stream })).toBeUndefined();
});

behaviour("a stream that is not there reads as empty, forwards and backwards", async (stream) => {
  expect(await collect(log.stream(stream))).toEqual([]);
  expect(await collect(log.stream(stream, { backwards: true }))).toEqual([]);
});

behaviour("a stream is read from a revision on, which is included", async (stream) => {
  await log.append({ events: events(stream, 10) });
  expect(data(await collect(log.stream(stream, { from: 3 })))).toEqual([3, 4, 5, 6, 7, 8, 9]);
  expect(data(await collect(log.stream(stream, { from: 9 })))).toEqual([9]);
});

behaviour("a stream read from beyond its end is empty, and keeps its revision", async (stream) => {
  await log.append({ events: events(stream, 10) });
  expect(await collect(log.stream(stream, { from: 20 }))).toEqual([]);
  expect(await log.revision(stream)).toBe(9);
});

behaviour("a stream is read backwards from its end", async (stream) => {
  await log.append({ events: events(stream, 10) });
  expect(data(await collect(log.stream(stream, { backwards: true })))).toEqual(range(10).reverse());
});

behaviour("a stream is read backwards from a revision, which is included", async (stream) => {
  await log.append({ events: events(stream, 10) });
  expect(data(await collect(log.stream(stream, { backwards: true, from: 3 })))).toEqual([3, 2, 1, 0]);
  expect(data(await collect(log.stream(stream, { backwards: true, from: 0 })))).toEqual([0]);
});

behaviour("the last event of a stream is the first one backwards", async (stream) => {
  await log.append({ events: events(stream, 7) });
  expect(data(await collect(log.stream(stream, { backwards: true }), 1))).toEqual([6]);
});

behaviour("one event is read from the middle of a stream", async (stream) => {
  await log.append({ events: events(stream, 10) });
  expect(data(await collect(log.stream(stream, { from: 7 }), 1))).toEqual([7]);
  expect(data(await collect(log.stream(stream, { from: 7, backwards: true }), 1))).toEqual([7]);
});

behaviour("no more is read than is asked for", async (stream) => {
  await log.append({ events: events(stream, 20) });
  expect(data(await collect(log.stream(stream), 2))).toEqual([0, 1]);
  expect(data(await collect(log.stream(stream, { backwards: true }), 10))).toHaveLength(10);
});

behaviour("a stream is read as far as a position, which is included", async (stream) => {
  const { first } = written(await log.append({ events: events(stream, 10) }));
  expect(data(await collect(log.stream(stream, { until: first + 5 })))).toEqual(range(6));
  expect(data(await collect(log.stream(stream, { from: 2, until: first + 6 })))).toEqual([2, 3, 4, 5, 6]);
  expect(data(await collect(log.stream(stream, { until: first + 2, backwards: true })))).toEqual([2, 1, 0]);
  expect(await collect(log.stream(stream, { until: first - 1 }))).toEqual([]);
});

behaviour("many pages read like one", async (stream) => {
  await log.append({ events: events(stream, 1_234) });
  expect(data(await collect(log.stream(stream)))).toEqual(range(1_234));
  expect(data(await collect(log.stream(stream, { backwards: true })))).toEqual(range(1_234).reverse());
});

behaviour("a stream may be read twice, and by two at once", async (stream) => {
  await log.append({ events: events(stream, 600) });
  const reads = await Promise.all(range(3).map(async () => data(await collect(log.stream(stream)))));
  for (const read of [...reads, data(await collect(log.stream(stream)))]) expect(read).toEqual(range(600));
});

behaviour("the log is read in the order of writing, over all streams", async (stream) => {
  const other = `${stream}-b`;
  const before = await head();
  for (const [n, one] of [stream, other, stream, other].entries()) await log.append({ events: events(one, 1, n) });
  const read = await collect(log.after(before));
  expect(read.map((one) => [one.position - before, one.stream, one.revision])).toEqual([
    [1, stream, 0],
    [2, other, 0],
    [3, stream, 1],
    [4, other, 1],
  ]);
});

behaviour("the log is read after a position, and after its end it is empty", async (stream) => {
  const { first, last } = written(await log.append({ events: events(stream, 10) }));
  expect(data(await collect(log.after(first + 3)))).toEqual([4, 5, 6, 7, 8, 9]);
  expect(await collect(log.after(last))).toEqual([]);
  expect(await collect(log.after(last + 1_000))).toEqual([]);
});

behaviour("the log is read by types: one, several, or one that never was", async (stream) => {
  const before = await head();
  await log.append({ events: ["A", "B", "A", "C"].map((type) => ({ stream, type: `things.${type}`, data: type })) });
  const of = async (...types: string[]) => data(await collect(log.after(before, { types })));
  expect(await of("things.A")).toEqual(["A", "A"]);
  expect(await of("things.A", "things.C")).toEqual(["A", "A", "C"]);
  expect(await of("things.D")).toEqual([]);
});

behaviour("the log is read by what the names of streams begin with", async () => {
  const before = await head();
  for (const stream of ["apple/1", "pear/1", "apple/2", "apple-pie/1"]) await log.append({ events: events(stream, 1) });
  const of = async (...categories: string[]) =>
    (await collect(log.after(before, { categories }))).map(({ stream }) => stream);
  expect(await of("apple")).toEqual(["apple/1", "apple/2"]);
  expect(await of("apple", "pear")).toEqual(["apple/1", "pear/1", "apple/2"]);
});

behaviour("the log is read by streams, and by types and categories beside them", async () => {
  const before = await head();
  const said = (stream: string, type: string): LogEvent => ({ stream, type, data: 0 });
  await log.append({
    events: [said("fig/1", "t.A"), said("fig/2", "t.A"), said("fig/1", "t.B"), said("plum/1", "t.A")],
  });
  const of = async (options: Parameters<Log["after"]>[1]) =>
    (await collect(log.after(before, options))).map(({ stream, type }) => `${stream} ${type}`);
  expect(await of({ streams: ["fig/1", "plum/1"] })).toEqual(["fig/1 t.A", "fig/1 t.B", "plum/1 t.A"]);
  expect(await of({ streams: ["fig/1", "plum/1"], types: ["t.A"] })).toEqual(["fig/1 t.A", "plum/1 t.A"]);
  expect(await of({ streams: ["fig/1", "plum/1"], types: ["t.A"], categories: ["fig"] })).toEqual(["fig/1 t.A"]);
});

behaviour("what is not later than an instant is read, that instant included", async (stream) => {
  const at: number[] = [];
  for (const n of range(3)) {
    at.push(written(await log.append({ events: events(stream, 1, n) })).at);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  const until = async (ms: number) => data(await collect(log.stream(stream, { until: new Date(ms) })));
  expect(await until(at[1] ?? 0)).toEqual([0, 1]);
  expect(await until((at[1] ?? 0) - 1)).toEqual([0]);
  expect(await until((at[0] ?? 0) - 1)).toEqual([]);
});

behaviour("data and metadata are read as they were written, and metadata may be missing", async (stream) => {
  const [payload, meta] = [{ order: 3, lines: [{ at: null }] }, { request: 4 }];
  await log.append({ events: [{ stream, type: "things.Said", data: payload, meta }, ...events(stream, 1)] });
  const [one, other] = await collect(log.stream(stream));
  expect([one?.data, one?.meta]).toStrictEqual([payload, meta]);
  expect(other).not.toHaveProperty("meta");
});

behaviour("any Unicode comes back as it went in", async (stream) => {
  const text = "supported ✅ \u0000 é e\u0301 𝒳 \u2028 你好";
  await log.append({ events: [{ stream: `${stream} ✅`, type: "things.Said", data: text, meta: { [text]: text } }] });
  const [read] = await collect(log.stream(`${stream} ✅`));
  expect([read?.data, read?.meta]).toEqual([text, { [text]: text }]);
});

behaviour("an event says its id, its stream, its type and version, its revision and its position", async (stream) => {
  const id = log.nextId();
  const { last } = written(await log.append({ id, events: [{ stream, type: "things.Said", version: 3, data: 1 }] }));
  const [read] = await collect(log.stream(stream));
  expect(read).toMatchObject({ id: `${id}/0`, stream, type: "things.Said", version: 3, revision: 0, position: last });
});

behaviour("the time of an event is that of its append", async (stream) => {
  const before = Date.now();
  await log.append({ events: events(stream, 1) });
  const [read] = await collect(log.stream(stream));
  expect(read?.at).toBeGreaterThanOrEqual(before);
  expect(read?.at).toBeLessThanOrEqual(Date.now());
});

behaviour("whether a stream exists is told, whatever other streams do", async (stream) => {
  expect(await log.revision(stream)).toBe(-1);
  await log.append({ events: events(`${stream}-b`, 3) });
  expect([await log.revision(stream), await log.revision(`${stream}-b`)]).toEqual([-1, 2]);
  await log.append({ events: events(stream, 1) });
  expect(await log.revision(stream)).toBe(0);
});

behaviour("the id of an entity may be any text", async (cart) => {
  const carts = stores.client(Carts);
  for (const id of [`${cart} '; drop table event; --`, `${cart}/%/..`, `${cart} ✅ \u0000`]) {
    await carts.add(line(id));
    expect(await carts.see({ cart: id })).toEqual({ products: ["shoes"], total: 300 });
  }
});

behaviour("a command on a new entity decides over its initial state and gives the new one", async (cart) => {
  expect(await stores.client(Carts).add(line(cart))).toEqual({ products: ["shoes"], total: 300 });
});

behaviour("a command that decides several events gives the state after all of them", async (cart) => {
  expect(await stores.client(Carts).addTwice(line(cart))).toEqual({ products: ["shoes", "shoes"], total: 600 });
  expect(await log.revision(`cart/${cart}`)).toBe(1);
});

behaviour("a command that decides nothing writes nothing", async (cart) => {
  await stores.client(Carts).discount({ cart, percent: 10 });
  expect(await log.revision(`cart/${cart}`)).toBe(-1);
  expect(await stores.client(Carts).see({ cart })).toBeUndefined();
});

behaviour("a command that fails is not tried again, and writes nothing", async (cart) => {
  let tried = 0;
  await using own = await testStores([toCartStore(() => void tried++)]);
  await expect(own.client(Carts).add(line(cart, "gold", 20_000))).rejects.toMatchObject({ code: "TooDear" });
  expect(tried).toBe(1);
  expect(await own.client(Carts).see({ cart })).toBeUndefined();
});

behaviour("a command that loses a race decides again over what won", async (cart) => {
  let tried = 0;
  let race: Promise<unknown> | undefined;
  await using own = await testStores([
    toCartStore(() => {
      tried++;
      // Somebody else writes between the decision and its append.
      race ??= own.storage.log.append({
        events: [{ stream: `cart/${cart}`, type: "carts.Added", data: line(cart, "hat") }],
      });
    }),
  ]);
  expect(await own.client(Carts).add(line(cart))).toEqual({ products: ["hat", "shoes"], total: 600 });
  await race;
  expect(tried).toBe(2);
});

behaviour("commands at once on one entity are all decided over what came before", async (cart) => {
  await using own = await testStores([toCartStore()]);
  const results = await Promise.allSettled(range(50).map(() => own.client(Carts).add(line(cart))));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(33);
  expect((await own.client(Carts).see({ cart }))?.total).toBe(9_900);
});

behaviour("a state is folded as of any event of the past", async (cart) => {
  const carts = stores.client(Carts);
  await carts.add(line(cart));
  await carts.add(line(cart));
  await carts.discount({ cart, percent: 10 });
  const positions = (await collect(log.stream(`cart/${cart}`))).map(({ position }) => position);
  const totals = [];
  for (const at of positions) totals.push((await carts.see({ cart, at }))?.total);
  expect(totals).toEqual([300, 600, 540]);
  expect(await carts.see({ cart, at: (positions[0] ?? 0) - 1 })).toBeUndefined();
});

behaviour("a state is the same from a snapshot as from all of its events", async (cart) => {
  await inFolder(async (folder) => {
    const open = async (snapshotEvery: number) => {
      const engine = await openSqlite({ folder });
      const own = await testStores([toCartStore(undefined, snapshotEvery)], { engine });
      return { carts: own.client(Carts), close: () => own.close().then(() => engine.close()) };
    };
    const first = await open(5);
    for (const n of range(23)) await first.carts.add(line(cart, `p${n}`, 10));
    const seen = await first.carts.see({ cart });
    await first.close();
    for (const snapshotEvery of [5, 1_000]) {
      const again = await open(snapshotEvery);
      expect(await again.carts.see({ cart })).toEqual(seen);
      await again.close();
    }
  });
});

behaviour("a command repeated under its key has its first result, also after a restart", async (cart) => {
  await inFolder(async (folder) => {
    for (const round of range(2)) {
      const engine = await openSqlite({ folder });
      const own = await testStores([toCartStore()], { engine });
      expect(await own.client(Carts, { key: "once" }).add(line(cart))).toEqual({ products: ["shoes"], total: 300 });
      if (round === 0) await own.client(Carts).add(line(cart));
      expect(await own.storage.log.revision(`cart/${cart}`)).toBe(1);
      await own.close();
      await engine.close();
    }
  });
});

behaviour("what was acknowledged is there after a restart, with the positions that were told", async (stream) => {
  await inFolder(async (folder) => {
    let engine = await openSqlite({ folder });
    let own = await testStores([toCartStore()], { engine });
    const { first, last } = written(await own.storage.log.append({ events: events(stream, 5) }));
    await own.close();
    await engine.close();
    engine = await openSqlite({ folder });
    own = await testStores([toCartStore()], { engine });
    const read = await collect(own.storage.log.stream(stream));
    expect(read.map(({ position }) => position)).toEqual(range(5).map((n) => first + n));
    expect(written(await own.storage.log.append({ events: events(stream, 1) })).first).toBe(last + 1);
    await own.close();
    await engine.close();
  });
});

behaviour("a reader that is new sees what was written before it began", async (cart) => {
  await inFolder(async (folder) => {
    const engine = await openSqlite({ folder });
    const { parts, handlers } = toCartStore();
    const without = { ...toCartStore(), parts: { carts: parts.carts }, handlers } as ReturnType<typeof toCartStore>;
    const before = await testStores([without], { engine });
    for (const _ of range(3)) await before.client(Carts).add(line(cart));
    await before.close();
    const after = await testStores([toCartStore()], { engine });
    await vi.waitFor(async () => expect(await after.client(Carts).list({})).toEqual([{ cart, lines: 3 }]), 5_000);
    await after.close();
    await engine.close();
  });
});

behaviour("a reader sees what is written while it follows", async (cart) => {
  await using own = await testStores([toCartStore()]);
  for (const lines of [1, 2, 3]) {
    await own.client(Carts).add(line(cart));
    await vi.waitFor(async () => expect(await own.client(Carts).list({})).toEqual([{ cart, lines }]), 5_000);
  }
});

behaviour("a reader that starts again goes on where it was, and sees nothing twice", async (cart) => {
  await inFolder(async (folder) => {
    for (const round of range(3)) {
      const engine = await openSqlite({ folder });
      const own = await testStores([toCartStore()], { engine });
      await own.client(Carts).add(line(cart));
      const expected = [{ cart, lines: round + 1 }];
      await vi.waitFor(async () => expect(await own.client(Carts).list({})).toEqual(expected), 5_000);
      await own.close();
      await engine.close();
    }
  });
});

behaviour("a reader passes over what is not meant for it", async (cart) => {
  await using own = await testStores([toCartStore()]);
  await own.storage.log.append({ events: events("thing/noise", 700) });
  await own.client(Carts).add(line(cart));
  await own.client(Carts).discount({ cart, percent: 10 });
  await vi.waitFor(async () => {
    const { readModels } = await own.storage.status();
    expect(readModels).toMatchObject([{ name: "line", position: 702, behind: 0 }]);
  }, 60_000);
  expect(await own.client(Carts).list({})).toEqual([{ cart, lines: 1 }]);
});

behaviour("a subscription that begins at the end is handed what comes, and nothing that was there", async (cart) => {
  const handed: string[] = [];
  const late = subscription("late", {
    events: Carts,
    from: "now",
    handle: { Added: ({ product }) => void handed.push(product) },
  });
  await using own = await testStores([toCartStore(), late], { engine: stores.engine });
  await own.client(Carts).add(line(cart, "hat"));
  await own.client(Carts).add(line(cart, "scarf"));
  await vi.waitFor(() => expect(handed).toEqual(["hat", "scarf"]), 5_000);
});

behaviour("a subscription in partitions is handed each stream's events in their order", async (cart) => {
  const handed = new Map<string, string[]>();
  const shared = subscription("shared", {
    events: Carts,
    from: "now",
    partitions: 4,
    handle: {
      Added: async ({ cart, product }) => {
        await new Promise(setImmediate);
        handed.set(cart, [...(handed.get(cart) ?? []), product]);
      },
    },
  });
  await using own = await testStores([toCartStore(), shared], { engine: stores.engine });
  const carts = range(12).map((n) => `${cart}/${n}`);
  for (const product of ["hat", "scarf", "glove"])
    await Promise.all(carts.map((one) => own.client(Carts).add(line(one, product))));
  await vi.waitFor(() => {
    expect(handed.size).toBe(12);
    for (const products of handed.values()) expect(products).toEqual(["hat", "scarf", "glove"]);
  }, 60_000);
  expect((await own.storage.status()).subscriptions[0]?.partitions).toHaveLength(4);
});

behaviour(
  "an event that a subscription cannot take is parked, and is handed over again when that is asked for",
  async (cart) => {
    let broken = true;
    const handed: string[] = [];
    const picky = subscription("picky", {
      events: Carts,
      from: "now",
      attempts: 1,
      handle: {
        Added: ({ product }) => {
          if (broken && product === "hat") throw new Error("No hats.");
          handed.push(product);
        },
      },
    });
    await using own = await testStores([toCartStore(), picky], { engine: stores.engine });
    for (const product of ["scarf", "hat"]) await own.client(Carts).add(line(cart, product));
    await vi.waitFor(
      async () => expect(await own.storage.parked("picky")).toMatchObject([{ reason: "No hats." }]),
      5_000,
    );
    expect(handed).toEqual(["scarf"]);
    broken = false;
    expect(await own.storage.resume("picky")).toEqual({ done: 1, parked: 0 });
    expect(handed).toEqual(["scarf", "hat"]);
  },
);

test("docs/behaviours-storage.md lists these behaviours, and no others", () => {
  const page = readFileSync(new URL("../docs/behaviours-storage.md", import.meta.url), "utf8");
  const [, table = ""] = page.match(/<!-- behaviours -->\n([\s\S]*?)<!-- \/behaviours -->/) ?? [];
  const listed = table
    .split("\n")
    .filter((row) => row.startsWith("| ") && !/^\| (behaviour|-+) /.test(row))
    .map((row) => row.split("|")[1]?.trim());
  expect(listed).toEqual(told);
  expect(told.length).toBeGreaterThanOrEqual(40);
});

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "trilith-behaviours-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
