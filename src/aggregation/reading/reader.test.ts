import { describe, expect, test } from "vitest";
import { z } from "zod";
import { silent } from "../../contracts/index.ts";
import { type AnySource, json, type Resilience, source } from "../index.ts";
import { UpstreamProblem } from "../port.ts";
import { ManualClock, nobody, type Scripted, ScriptedUpstream, toCall } from "../test-kit.test-d.ts";
import { Cache } from "./cache.ts";
import { Patience } from "./patience.ts";
import { Reader } from "./reader.ts";

const Answer = z.object({ n: z.number() });

function reading(resilience: Resilience, script: (count: number) => Scripted, answer: z.ZodType = Answer) {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock, (_, count) => script(count));
  const declared: AnySource = source("s", { get: json("https://s.test/{key}", answer), ...resilience });
  const cache = new Cache(10, 1_000);
  const reader = new Reader(declared.plan, { upstream, dispatch: nobody, clock, random: () => 0.5, cache });
  const read = (key = "k", budgetMs = 1_000, aborted = new AbortController().signal) =>
    reader.read({
      input: { key },
      principal: toCall().principal,
      scope: "public",
      span: silent,
      patience: new Patience(clock, clock.monotonic() + budgetMs, aborted),
    });
  const settle = async (budgetMs = 1_000, key = "k") => {
    const answer = read(key, budgetMs);
    await clock.advance(budgetMs);
    return answer;
  };
  return { clock, upstream, reader, read, settle };
}
const body = { n: 1 };

describe("repetition", () => {
  test("waits for as long as the upstream wishes, in seconds or until a date by its own clock", async () => {
    const now = new ManualClock().now();
    const at = (ms: number): string => new Date(now + ms).toUTCString();
    for (const [headers, ms] of [
      [{ "retry-after": "2" }, 2_000],
      [{ "retry-after": at(3_000) }, 3_000],
      [{ "retry-after": at(63_000), date: at(60_000) }, 3_000],
      [{ "retry-after": at(-60_000) }, 25],
      [{ "retry-after": "soon" }, 25],
    ] as const) {
      const { settle, upstream } = reading({ attempts: 2 }, (count) =>
        count === 1 ? { status: 503, headers } : { body },
      );
      expect((await settle(10_000)).meta).toMatchObject({ state: "fresh", attempts: 2, ms });
      expect(upstream.requests).toHaveLength(2);
    }
    const beyond = reading({ attempts: 2 }, () => ({ status: 503, headers: { "retry-after": at(60_000) } }));
    expect((await beyond.settle(10_000)).meta).toMatchObject({ state: "down", attempts: 1 });
  });

  test.each<[string, z.ZodType, unknown]>([
    ["a number, which it is not", z.object({ id: z.number() }), undefined],
    ["anything, which would be sent on", z.object({ id: z.unknown() }), undefined],
    ["anything else that it declares, and not this", z.object({ name: z.string() }), { name: "x" }],
    ["it exactly", z.object({ id: z.bigint().transform(String) }), { id: "9007199254740993" }],
  ])("is no help where a whole number cannot be said exactly, and the schema wants %s", async (_, schema, expected) => {
    const large = '{"id":9007199254740993,"name":"x"}';
    const { settle, reader, upstream } = reading({}, () => ({ body: large }), schema);
    const { meta, value } = await settle();
    expect(value).toEqual(expected);
    expect([meta.state, upstream.requests.length]).toEqual([expected === undefined ? "invalid" : "fresh", 1]);
    const samples = expected === undefined ? [{ said: expect.stringContaining("9007199254740993") }] : [];
    expect(reader.health().samples).toMatchObject(samples);
  });

  test("what may pass is asked again, after a pause inside the budget", async () => {
    const { settle, upstream } = reading({ attempts: 3 }, (count) => (count < 3 ? { status: 503 } : { body }));
    const { meta, value } = await settle();
    expect(value).toEqual(body);
    expect(meta).toMatchObject({ state: "fresh", attempts: 3, ms: 75 });
    expect(upstream.requests).toHaveLength(3);
  });

  test.each<[string, Scripted, string]>([
    ["an answer that breaks its contract", { body: { n: "one" } }, "invalid"],
    ["a 404", { status: 404 }, "missing"],
    ["a 400", { status: 400 }, "down"],
    [
      "a body that is too large",
      { throws: new UpstreamProblem("too large", "answered with more than 1 MiB") },
      "invalid",
    ],
    ["an inner address", { throws: new UpstreamProblem("forbidden", "leads inside") }, "down"],
  ])("%s is not asked for again", async (_, script, state) => {
    const { settle, upstream } = reading({ attempts: 5 }, () => script);
    expect((await settle()).meta).toMatchObject({ state, attempts: 1 });
    expect(upstream.requests).toHaveLength(1);
  });

  test("a pause that would outlive the budget is not begun, nor is one that the upstream wants longer", async () => {
    const short = reading({ attempts: 5 }, () => ({ status: 503, afterMs: 10 }));
    expect((await short.settle(30)).meta).toMatchObject({ state: "down", attempts: 1, ms: 10 });
    const later = reading({ attempts: 5 }, () => ({ status: 429, headers: { "retry-after": "2" } }));
    expect((await later.settle()).meta).toMatchObject({
      state: "down",
      attempts: 1,
      problem: 'The source "s" answered 429.',
    });
  });

  test("a timeout ends one attempt, and the next may still answer", async () => {
    const { settle, upstream } = reading({ timeout: "50ms", attempts: 2 }, (count) =>
      count === 1 ? { afterMs: 500 } : { body },
    );
    expect((await settle()).meta).toMatchObject({ state: "fresh", attempts: 2, ms: 75 });
    expect(upstream.aborts).toBe(1);
    expect(upstream.requests.map(({ remainingMs }) => remainingMs)).toEqual([50, 50]);
  });

  test("a source that is down for everybody is asked hardly more often than once each", async () => {
    const { settle, upstream } = reading({ attempts: 10 }, () => ({ status: 500 }));
    for (let count = 0; count < 100; count++) await settle(60_000, String(count));
    expect(upstream.requests.length).toBeLessThanOrEqual(100 + 20);
  });
});

describe("sharing", () => {
  test("equal questions that are under way at once are asked once", async () => {
    const { read, clock, upstream, reader } = reading({}, () => ({ body, afterMs: 20 }));
    const both = [read(), read(), read("other")];
    await clock.advance(50);
    const metas = (await Promise.all(both)).map(({ meta }) => meta);
    expect(metas.map(({ attempts }) => attempts)).toEqual([1, 0, 1]);
    expect(upstream.requests).toHaveLength(2);
    expect(reader.health()).toMatchObject({ requests: 2, saved: 1, answers: { fresh: 3 } });
  });

  test("one who leaves does not take the answer from the others; the last one ends the question", async () => {
    const { read, clock, upstream } = reading({}, () => ({ body, afterMs: 100 }));
    const [hasty, patient] = [read("k", 50), read("k", 500)];
    await clock.advance(200);
    expect((await hasty).meta).toMatchObject({ state: "slow", ms: 50 });
    expect((await patient).meta.state).toBe("fresh");
    const gone = new AbortController();
    const last = read("k", 500, gone.signal);
    await clock.advance(10);
    gone.abort();
    expect((await last).meta.state).toBe("slow");
    expect(upstream.aborts).toBe(1);
    expect(clock.timers).toBe(0);
  });

  test("an answer after a question that was given up is a new question's", async () => {
    const { settle, upstream } = reading({ attempts: 1 }, (count) => ({ body, afterMs: count === 1 ? 5_000 : 0 }));
    expect((await settle(50)).meta.state).toBe("slow");
    expect((await settle(50)).meta.state).toBe("fresh");
    expect(upstream.requests).toHaveLength(2);
  });
});

describe("keeping", () => {
  test("an answer younger than cacheFor is not asked for again", async () => {
    const { settle, clock, upstream } = reading({ cacheFor: "1m" }, () => ({ body }));
    await settle();
    await clock.advance(30_000);
    expect((await settle()).meta).toMatchObject({ state: "fresh", cached: true, attempts: 0, ageMs: 31_000 });
    await clock.advance(30_000);
    expect((await settle()).meta).toMatchObject({ state: "fresh", attempts: 1 });
    expect(upstream.requests).toHaveLength(2);
  });

  test.each<[string, Scripted, number]>([
    ["down", { status: 500 }, 1_000],
    ["invalid", { body: "garbage" }, 1_000],
    ["slow", { afterMs: 60_000 }, 100],
  ])(
    "where the source is %s, an answer younger than staleIfError stands in and says so",
    async (_, script, budgetMs) => {
      const { settle, clock } = reading({ staleIfError: "10m", attempts: 1 }, (count) =>
        count === 1 ? { body } : script,
      );
      await settle();
      const { meta, value } = await settle(budgetMs);
      expect(value).toEqual(body);
      expect(meta).toMatchObject({ state: "stale", cached: true });
      expect(meta.problem).toContain('The source "s"');
      await clock.advance(600_000);
      expect((await settle(budgetMs)).value).toBeUndefined();
    },
  );

  test("staleWhileRevalidate gives the old answer at once and renews it behind", async () => {
    const { settle, clock } = reading({ cacheFor: "1s", staleWhileRevalidate: "1m" }, (count) => ({
      body: { n: count },
      afterMs: 500,
    }));
    await settle();
    await clock.advance(5_000);
    const old = await settle(0);
    expect(old).toMatchObject({ value: { n: 1 }, meta: { state: "stale", attempts: 0, ms: 0 } });
    await clock.advance(600);
    expect(await settle(0)).toMatchObject({ value: { n: 2 }, meta: { state: "fresh", cached: true } });
  });

  test("memory is bounded by number and by size", () => {
    const cache = new Cache(3, 100);
    for (const key of ["a", "b", "c"]) cache.set(key, { at: 0 }, 10);
    cache.get("a");
    cache.set("d", { at: 0 }, 10);
    expect([cache.get("a"), cache.get("b")].map(Boolean)).toEqual([true, false]);
    cache.set("e", { at: 0 }, 95);
    expect(cache.size).toBe(1);
    cache.set("f", { at: 0 }, 500);
    expect(cache.size).toBe(0);
  });

  test.each([1, 5, 60])("what is used outlives what is not, also where it is used every %s answers only", (every) => {
    const cache = new Cache(64, 10_000);
    cache.set("used", { at: 0 }, 1);
    for (let count = 1; count <= 1_000; count++) {
      cache.set(`other ${count}`, { at: 0 }, 1);
      if (count % every === 0) expect(cache.get("used")).toBeDefined();
    }
    expect(cache.size).toBe(64);
  });
});

describe("hedging", () => {
  test("a second question is asked after a while, and the first good answer counts", async () => {
    const { settle, upstream, reader } = reading({ hedge: "100ms" }, (count) => ({
      body: { n: count },
      afterMs: count === 1 ? 900 : 20,
    }));
    expect(await settle()).toMatchObject({ value: { n: 2 }, meta: { ms: 120, attempts: 1 } });
    expect(upstream.requests).toHaveLength(2);
    expect(upstream.aborts).toBe(1);
    expect(reader.health().hedges).toBe(1);
  });

  test("a failure does not win while the other question is under way", async () => {
    const { settle } = reading({ hedge: "100ms", attempts: 1 }, (count) =>
      count === 1 ? { body, afterMs: 300 } : { status: 500 },
    );
    expect((await settle()).meta).toMatchObject({ state: "fresh", ms: 300 });
  });

  test("a percentile hedges once there are measurements, and never asks much more than a tenth again", async () => {
    const { settle, upstream } = reading({ hedge: "p95" }, (count) => ({ body, afterMs: count <= 20 ? 10 : 200 }));
    for (let count = 0; count < 20; count++) await settle(1_000, String(count));
    expect(upstream.requests).toHaveLength(20);
    for (let count = 20; count < 120; count++) await settle(1_000, String(count));
    expect(upstream.requests.length).toBeGreaterThan(120);
    expect(upstream.requests.length).toBeLessThanOrEqual(120 + 22);
  });
});

test("closing ends what is under way, renewals included, and leaves no timer", async () => {
  const { read, clock, reader, upstream } = reading({}, () => ({ body, afterMs: 5_000 }));
  const answer = read("k", 60_000);
  await clock.advance(10);
  reader.close();
  expect((await answer).meta.state).toBe("slow");
  expect(upstream.aborts).toBe(1);
  expect(clock.timers).toBe(0);
  expect((await read()).meta.state).toBe("slow");
});
