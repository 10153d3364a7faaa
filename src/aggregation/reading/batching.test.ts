import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Attributes, type Span, silent } from "../../contracts/index.ts";
import { type AnySource, csv, custom, json, paged, source } from "../index.ts";
import type { LastGood, LastGoodRecord, UpstreamRequest } from "../port.ts";
import { ManualClock, nobody, type Scripted, ScriptedUpstream, toCall } from "../test-kit.test-d.ts";
import { Cache } from "./cache.ts";
import { LastGoodWriter } from "./last-good.ts";
import { Patience } from "./patience.ts";
import type { Input } from "./question.ts";
import { Reader } from "./reader.ts";

const Row = z.object({ code: z.string(), name: z.string().min(1), n: z.coerce.number().optional() });
const many = { batch: csv("https://s.test/all.csv?of={key}", Row), match: "code" as const };

/** Answers with a row for every key that is asked for, backwards, so that nobody finds theirs by its place. */
const rowsFor = ({ url }: UpstreamRequest): string =>
  `code,name\n${url.searchParams
    .getAll("of")
    .flatMap((keys) => keys.split(","))
    .reverse()
    .map((key) => `${key},N${key}\n`)
    .join("")}`;

function reading(declared: AnySource, script: (request: UpstreamRequest, count: number) => Scripted) {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock, (request, count) => ({ type: "text/csv", ...script(request, count) }));
  const cache = new Cache(1_000, 1_000_000);
  const reader = new Reader(declared.plan, { upstream, dispatch: nobody, clock, random: () => 0.5, cache });
  const read = (key: string, budgetMs = 1_000, { aborted, ...more }: { aborted?: AbortSignal; scope?: string } = {}) =>
    reader.read({
      input: { key },
      principal: toCall().principal,
      scope: "public",
      span: silent,
      patience: new Patience(clock, clock.monotonic() + budgetMs, aborted),
      ...more,
    });
  const readEach = (
    inputs: readonly Input[],
    budgetMs = 1_000,
    { aborted, ...more }: { aborted?: AbortSignal; span?: Span } = {},
  ) =>
    reader.readEach(inputs, {
      principal: toCall().principal,
      scope: "public",
      span: silent,
      patience: new Patience(clock, clock.monotonic() + budgetMs, aborted),
      ...more,
    });
  const all = async (keys: readonly string[], budgetMs = 1_000) => {
    const answers = keys.map((key) => read(key, budgetMs));
    await clock.advance(budgetMs);
    return Promise.all(answers);
  };
  const asked = () => upstream.requests.map(({ url }) => url.search);
  return { clock, upstream, reader, read, readEach, all, asked };
}
describe("a batch that comes in pages, its records in a field", () => {
  const Page = z.object({ data: z.array(Row), next: z.string().nullable() });
  const inPages = (more: Partial<Parameters<typeof paged>[1]> = {}) =>
    source("s", {
      batch: paged(json("https://s.test/?of={key}", Page), {
        items: "data",
        next: { cursor: "next", as: "after" },
        ...more,
      } as { items: "data"; next: { cursor: string; as: string } }),
      match: "code",
      staleIfError: "1h",
      attempts: 1,
    });
  const pages = ({ url }: UpstreamRequest): Scripted =>
    url.searchParams.has("after")
      ? { type: "application/json", body: { data: [{ code: "c", name: "C" }], next: null } }
      : {
          type: "application/json",
          body: {
            data: [
              { code: "a", name: "A" },
              { code: "x", name: 5 },
              { code: "b", name: "B" },
            ],
            next: "2",
          },
        };

  test("gives each key its record, and costs a broken one its own key", async () => {
    const { all } = reading(inPages(), pages);
    const answers = await all(["a", "b", "c", "x", "y"]);
    expect(answers.map(({ value }) => (value as { name?: string } | undefined)?.name)).toEqual([
      "A",
      "B",
      "C",
      undefined,
      undefined,
    ]);
    expect(states(answers)).toEqual(["fresh", "fresh", "fresh", "invalid", "missing"]);
  });

  test("does not call missing what it did not read to the end for", async () => {
    const { all } = reading(inPages({ pages: 1 }), pages);
    const answers = await all(["a", "c"]);
    expect(states(answers)).toEqual(["fresh", "down"]);
    expect(answers[1]?.meta.problem).toContain("ours was not among it");
  });

  test("is kept key by key for the next process", async () => {
    const declared = inPages();
    const clock = new ManualClock();
    const kept = new Map<string, LastGoodRecord>();
    const store: LastGood = {
      load: async (_, key) => kept.get(key),
      save: async (records) => records.forEach((record) => void kept.set(record.key, record)),
      remove: async () => {},
    };
    const open = (script: (request: UpstreamRequest) => Scripted) => {
      const lastGood = { store, writer: new LastGoodWriter(store, clock) };
      const ports = { dispatch: nobody, clock, random: () => 0.5, cache: new Cache(1_000, 1_000_000), lastGood };
      const reader = new Reader(declared.plan, { ...ports, upstream: new ScriptedUpstream(clock, script) });
      const about = { principal: toCall().principal, scope: "public", span: silent };
      const read = async (keys: readonly string[]) => {
        const inputs = keys.map((key) => ({ key }));
        const readings = reader.readEach(inputs, {
          ...about,
          patience: new Patience(clock, clock.monotonic() + 1_000),
        });
        await clock.advance(1_000);
        return readings;
      };
      return { read, lastGood };
    };
    const first = open(pages);
    await first.read(["a", "b", "c"]);
    await first.lastGood.writer.flush();
    const answers = await open(() => ({ status: 503 })).read(["c", "b", "a"]);
    expect(answers.map(({ value }) => (value as { name: string }).name)).toEqual(["C", "B", "A"]);
    expect(states(answers)).toEqual(["stale", "stale", "stale"]);
  });
});

const states = (readings: readonly { readonly meta: { readonly state: string } }[]) =>
  readings.map(({ meta }) => meta.state);

describe("keys that are asked for in the same turn", () => {
  test("travel in one request, and each finds its record by key", async () => {
    const { all, asked, reader } = reading(source("s", many), (request) => ({ body: rowsFor(request) }));
    const answers = await all(["DAL", "HOU", "ABQ"]);
    expect(asked()).toEqual(["?of=DAL,HOU,ABQ"]);
    expect(answers.map(({ value }) => value)).toEqual([
      { code: "DAL", name: "NDAL" },
      { code: "HOU", name: "NHOU" },
      { code: "ABQ", name: "NABQ" },
    ]);
    expect(answers.map(({ meta }) => [meta.attempts, meta.batched])).toEqual([
      [1, 3],
      [0, 3],
      [0, 3],
    ]);
    expect(reader.health()).toMatchObject({ requests: 1, saved: 2 });
  });

  test("travel in as many requests as it takes, and each key once", async () => {
    const declared = source("s", { ...many, batchSize: 3 });
    const { all, asked } = reading(declared, (request) => ({ body: rowsFor(request) }));
    expect(new Set(states(await all(["A", "B", "A", "C", "D", "E", "B"])))).toEqual(new Set(["fresh"]));
    expect(asked()).toEqual(["?of=A,B,C", "?of=D,E"]);
  });

  test("a missing key is missing, a duplicate is reported, and neither costs the others", async () => {
    const body = "code,name,n\nDAL,Dallas,1\nHOU,Houston,2\nDAL,Dallas,1\n";
    const { all, reader } = reading(source("s", many), () => ({ body }));
    const [dal, hou, xxx] = await all(["DAL", "HOU", "XXX"]);
    expect(dal?.meta).toMatchObject({ state: "fresh", duplicates: 1 });
    expect(hou?.meta.duplicates).toBeUndefined();
    expect(xxx?.meta).toMatchObject({ state: "missing", problem: 'The source "s" has nothing for this key.' });
    expect(reader.health().duplicates).toBe(1);
  });

  test("two records with one key are told apart whatever their schema made of them", async () => {
    const Big = z.object({ code: z.string(), n: z.coerce.bigint() });
    const declared = source("s", { batch: csv("https://s.test/all.csv?of={key}", Big), match: "code" });
    const { all } = reading(declared, () => ({ body: "code,n\nA,2\nA,1\n" }));
    expect(await all(["A"])).toMatchObject([{ value: { code: "A", n: 1n }, meta: { state: "fresh", duplicates: 1 } }]);
  });

  test("a broken record is invalid for its own key, and says nothing about the others", async () => {
    const { all, reader } = reading(source("s", many), () => ({ body: "code,name\nDAL,Dallas\nHOU,\n" }));
    expect(states(await all(["DAL", "HOU", "XXX"]))).toEqual(["fresh", "invalid", "missing"]);
    expect(reader.health().samples).toEqual([expect.objectContaining({ said: '{"code":"HOU","name":""}' })]);
  });

  test("the same in JSON, where the schema is that of the whole list", async () => {
    const declared = source("s", { batch: json("https://s.test/all?of={key}", z.array(Row)), match: "code" });
    const body = [{ code: "HOU", name: 5 }, { code: "DAL", name: "Dallas" }, { nothing: true }];
    const { all } = reading(declared, () => ({ type: "application/json", body }));
    // A record without a key that can be read may be anybody's.
    expect(states(await all(["DAL", "HOU", "XXX"]))).toEqual(["fresh", "invalid", "invalid"]);
  });

  test("what fails for one fails for all, and is repeated once for all of them", async () => {
    const { all, upstream } = reading(source("s", many), (request, count) =>
      count === 1 ? { status: 503 } : { body: rowsFor(request) },
    );
    expect(states(await all(["A", "B", "C"]))).toEqual(["fresh", "fresh", "fresh"]);
    expect(upstream.requests).toHaveLength(2);
  });

  test("what is cached or under way is not asked for again", async () => {
    const { all, asked, read, clock } = reading(source("s", { ...many, cacheFor: "1m" }), (request) => ({
      body: rowsFor(request),
      afterMs: 50,
    }));
    await all(["A", "B"]);
    const slow = [read("C"), read("A")];
    await clock.advance(10);
    slow.push(read("C"), read("D"));
    await clock.advance(100);
    expect(states(await Promise.all(slow))).toEqual(["fresh", "fresh", "fresh", "fresh"]);
    expect(asked()).toEqual(["?of=A,B", "?of=C", "?of=D"]);
  });

  test("one scope's keys never travel with another's", async () => {
    const { read, asked, clock } = reading(source("s", { ...many, cacheFor: "1m" }), (request) => ({
      body: rowsFor(request),
    }));
    const both = [read("A", 100, { scope: "a:read" }), read("A", 100, { scope: "b:read" })];
    await clock.advance(100);
    expect((await Promise.all(both)).map(({ meta }) => meta.attempts)).toEqual([1, 1]);
    const again = read("A", 100, { scope: "c:read" });
    await clock.advance(100);
    expect((await again).meta.cached).toBeUndefined();
    expect(asked()).toEqual(["?of=A", "?of=A", "?of=A"]);
  });

  test("who leaves takes nothing from the others, and the last one ends the request", async () => {
    const { read, clock, upstream } = reading(source("s", { ...many, attempts: 1 }), (request) => ({
      body: rowsFor(request),
      afterMs: 100,
    }));
    const gone = new AbortController();
    const answers = [read("A", 30), read("B", 500, { aborted: gone.signal }), read("C", 500)];
    await clock.advance(50);
    gone.abort();
    await clock.advance(100);
    expect(states(await Promise.all(answers))).toEqual(["slow", "slow", "fresh"]);
    const hasty = [read("D", 20), read("E", 20)];
    await clock.advance(20);
    expect(states(await Promise.all(hasty))).toEqual(["slow", "slow"]);
    expect(upstream.aborts).toBe(1);
    expect(clock.timers).toBe(0);
  });
});

describe("how keys travel", () => {
  test("a window waits for others to come along", async () => {
    const declared = source("s", { ...many, batchWindow: "5ms" });
    const { read, clock, asked } = reading(declared, (request) => ({ body: rowsFor(request) }));
    const first = read("A");
    await clock.advance(3);
    const second = read("B");
    await clock.advance(10);
    expect(states(await Promise.all([first, second]))).toEqual(["fresh", "fresh"]);
    expect(asked()).toEqual(["?of=A,B"]);
    expect(clock.timers).toBe(0);
  });

  test("a window ends when as many have come as may travel", async () => {
    const declared = source("s", { ...many, batchWindow: "1h", batchSize: 2 });
    const { all, clock } = reading(declared, (request) => ({ body: rowsFor(request) }));
    expect(states(await all(["A", "B"], 10))).toEqual(["fresh", "fresh"]);
    expect(clock.timers).toBe(0);
  });

  test("repeated, where the upstream wants it so", async () => {
    const declared = source("s", {
      batch: csv("https://s.test/all.csv?v=1&of={key}", Row),
      match: "code",
      keysAs: "repeated",
    });
    const { all, asked } = reading(declared, (request) => ({ body: rowsFor(request) }));
    expect(states(await all(["A", "B&C"]))).toEqual(["fresh", "fresh"]);
    expect(asked()).toEqual(["?v=1&of=A&of=B%26C"]);
  });

  test("a key with a comma travels alone, and so does each where the key is part of the path", async () => {
    const listed = reading(source("s", many), () => ({ body: "code,name\n" }));
    await listed.all(["A,B", "C"]);
    expect(listed.asked().sort()).toEqual(["?of=A%2CB", "?of=C"]);
    const inPath = source("s", { batch: csv("https://s.test/{key}.csv", Row), match: "code" });
    const { all, upstream } = reading(inPath, () => ({ body: "code,name\nA,a\n" }));
    expect(states(await all(["A", "B"]))).toEqual(["fresh", "missing"]);
    expect(upstream.requests.map(({ url }) => url.pathname)).toEqual(["/A.csv", "/B.csv"]);
  });

  test("an address never grows beyond what gets through", async () => {
    const { all, asked } = reading(source("s", many), (request) => ({ body: rowsFor(request) }));
    const keys = Array.from({ length: 100 }, (_, at) => `${at}-${"x".repeat(196)}`);
    expect(new Set(states(await all(keys)))).toEqual(new Set(["fresh"]));
    expect(asked().length).toBeGreaterThanOrEqual(4);
    for (const search of asked()) expect(search.length).toBeLessThan(7_000);
  });

  test("an adapter of one's own is handed the keys", async () => {
    const asked: (readonly string[])[] = [];
    const rows = custom(["key"], z.array(Row), async (_, { keys }) => {
      asked.push(keys);
      return keys.map((key) => ({ code: key, name: `N${key}` }));
    });
    const { all } = reading(source("s", { batch: rows, match: "code" }), () => ({}));
    expect((await all(["A", "B"])).map(({ value }) => value)).toEqual([
      { code: "A", name: "NA" },
      { code: "B", name: "NB" },
    ]);
    expect(asked).toEqual([["A", "B"]]);
  });
});

describe("a source that is read for many inputs at once", () => {
  const keyed = { ...many, cacheFor: "1m" as const };

  test("is asked once for what nobody knows yet, and answers in the order of the inputs", async () => {
    const { clock, readEach, all, asked, reader } = reading(source("s", keyed), (request) => ({
      body: rowsFor(request),
    }));
    await all(["B"]);
    const readings = readEach([{ key: "C" }, { key: "B" }, { key: "A" }, { key: "C" }]);
    await clock.advance(10);
    const told = (await readings).map(({ meta, value }) => [
      (value as { code: string }).code,
      meta.cached,
      meta.attempts,
    ]);
    expect(told).toEqual([
      ["C", undefined, 1],
      ["B", true, 0],
      ["A", undefined, 0],
      ["C", undefined, 0],
    ]);
    expect(asked()).toEqual(["?of=B", "?of=C,A"]);
    expect(reader.health()).toMatchObject({ requests: 2, cache: { hits: 1, misses: 4 }, answers: { fresh: 5 } });
    expect(clock.timers).toBe(0);
  });

  test("is one span with the worst state and the count of each", async () => {
    const said: Attributes[] = [];
    const span: Span = { ...silent, set: (attributes) => said.push(attributes) };
    const { clock, readEach } = reading(source("s", many), () => ({ body: "code,name\nA,a\nB,\n" }));
    const readings = readEach([{ key: "A" }, { key: "B" }, { key: "X" }, { key: "Y" }], 1_000, { span });
    await clock.advance(10);
    await readings;
    expect(Object.assign({}, ...said)).toEqual({
      "trilith.source": "s",
      "trilith.state": "invalid",
      "trilith.attempts": 1,
      "trilith.cached": false,
      "trilith.questions": 4,
      "trilith.states": "1 fresh, 2 missing, 1 invalid",
      "http.response.status_code": 200,
    });
  });

  test("an input that cannot be asked with costs itself and no other", async () => {
    const declared = source("s", {
      ...many,
      from: ({ key }: { key: string }) => {
        if (key === "bad") throw new RangeError("not that one");
        return { key };
      },
    });
    const { clock, readEach, asked } = reading(declared, (request) => ({ body: rowsFor(request) }));
    const readings = readEach([{ key: "bad" }, { key: "A" }]);
    await clock.advance(10);
    expect(states(await readings)).toEqual(["invalid", "fresh"]);
    expect(asked()).toEqual(["?of=A"]);
  });

  test("whoever leaves before the departure takes along what nobody else wants", async () => {
    const { clock, readEach, read, asked, upstream } = reading(
      source("s", { ...many, batchWindow: "50ms" }),
      (request) => ({ body: rowsFor(request) }),
    );
    const gone = new AbortController();
    const left = readEach([{ key: "A" }, { key: "B" }], 1_000, { aborted: gone.signal });
    const stays = read("B");
    await clock.advance(10);
    gone.abort();
    const later = read("A", 20);
    await clock.advance(100);
    expect(states(await left)).toEqual(["slow", "slow"]);
    expect(states([await stays, await later])).toEqual(["fresh", "slow"]);
    expect(asked()).toEqual(["?of=B"]);
    expect(upstream.aborts).toBe(0);
    expect(clock.timers).toBe(0);
  });

  test("when all have left before the departure, nobody is asked and no window is left open", async () => {
    const { clock, readEach, asked } = reading(source("s", { ...many, batchWindow: "1h" }), () => ({}));
    const gone = new AbortController();
    const left = readEach([{ key: "A" }, { key: "B" }], 1_000, { aborted: gone.signal });
    gone.abort();
    expect(states(await left)).toEqual(["slow", "slow"]);
    await clock.advance(100);
    expect(asked()).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  test("a key as a number and the same as text are one key upstream, and each is answered", async () => {
    const { clock, readEach, asked } = reading(source("s", many), (request) => ({ body: rowsFor(request) }));
    const readings = readEach([{ key: 5 }, { key: "5" }]);
    await clock.advance(10);
    expect(states(await readings)).toEqual(["fresh", "fresh"]);
    expect(asked()).toEqual(["?of=5"]);
  });
});

test.each<[string, () => unknown, string]>([
  ["no keys at once", () => source("s", { ...many, batchSize: 0 }), "1 to 1,000 keys"],
  [
    "a path that repeats",
    () => source("s", { batch: csv("https://s.test/{key}", Row), match: "code", keysAs: "repeated" }),
    "cannot be repeated",
  ],
])("refused when it is declared: %s", (_, declare, sentence) => expect(declare).toThrow(sentence));
