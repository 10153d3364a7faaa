import { describe, expect, test } from "vitest";
import { z } from "zod";
import { silent } from "../../contracts/index.ts";
import { json, type Resilience, source } from "../index.ts";
import { ManualClock, nobody, type Scripted, ScriptedUpstream, toCall } from "../test-kit.test-d.ts";
import { Cache } from "./cache.ts";
import { Patience } from "./patience.ts";
import { Reader } from "./reader.ts";

const body = { n: 1 };
function reading(resilience: Resilience, script: (count: number) => Scripted) {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock, (_, count) => script(count));
  const declared = source("s", { get: json("https://s.test/{key}", z.object({ n: z.number() })), ...resilience });
  const ports = { upstream, dispatch: nobody, clock, random: () => 0.5, cache: new Cache(1_000, 100_000) };
  const reader = new Reader(declared.plan, ports);
  const read = (key: number, budgetMs = 1_000, aborted = new AbortController().signal) =>
    reader.read({
      input: { key: String(key) },
      principal: toCall().principal,
      scope: "public",
      span: silent,
      patience: new Patience(clock, clock.monotonic() + budgetMs, aborted),
    });
  const settle = async (key: number, budgetMs = 1_000) => {
    const answer = read(key, budgetMs);
    await clock.advance(budgetMs);
    return (await answer).meta;
  };
  return { clock, upstream, reader, read, settle };
}

describe("a source that keeps failing", () => {
  test("is left alone, says so at once, and is back soon after its upstream is", async () => {
    let dead = true;
    const { settle, upstream, reader, clock } = reading({ attempts: 1 }, () => (dead ? { status: 500 } : { body }));
    for (let key = 0; key < 20; key++) await settle(key, 1);
    expect(reader.health().breaker).toEqual({ state: "open", opened: 1 });
    const meta = await settle(20, 1);
    expect(meta).toMatchObject({ state: "down", ms: 0, attempts: 0 });
    expect(meta.problem).toBe('The source "s" keeps failing and is left alone for a moment.');
    expect(upstream.requests).toHaveLength(20);
    dead = false;
    await clock.advance(2_000);
    for (let key = 30; key < 33; key++) expect(await settle(key, 1)).toMatchObject({ state: "fresh" });
    expect(reader.health()).toMatchObject({
      breaker: { state: "closed", opened: 1 },
      errors: { failing: 20, breaker: 1 },
    });
  });

  test("what failed is not asked again where it would be refused: its answer is not late for that", async () => {
    const { settle, read, clock } = reading({}, () => ({ status: 500 }));
    for (let key = 0; key < 20; key++) await settle(key);
    await clock.advance(2_000);
    const probing = read(30); // random 0.5: the pause before a second attempt would be 25 ms
    await clock.advance(0);
    expect((await probing).meta).toMatchObject({
      state: "down",
      ms: 0,
      attempts: 1,
      problem: 'The source "s" answered 500.',
    });
  });

  test("while it is left alone, its last good answer stands in", async () => {
    const { settle } = reading({ attempts: 1, staleIfError: "10m" }, (count) =>
      count === 1 ? { body } : { status: 500 },
    );
    await settle(1, 1);
    for (let key = 2; key < 30; key++) await settle(key, 1);
    expect(await settle(1, 1)).toMatchObject({ state: "stale", ms: 0, cached: true });
  });

  test.each<[string, Scripted]>([
    ["refuses", { status: 403 }],
    ["has nothing", { status: 404 }],
    ["breaks its contract", { body: "nonsense" }],
  ])("one that %s is not: it is there", async (_, script) => {
    const { settle, reader } = reading({ attempts: 1 }, () => script);
    for (let key = 0; key < 40; key++) await settle(key, 1);
    expect(reader.health().breaker.state).toBe("closed");
  });

  test("one that never answers within anybody's budget is", async () => {
    const { settle, reader } = reading({ attempts: 1 }, () => ({ body, afterMs: 5_000 }));
    for (let key = 0; key < 20; key++) await settle(key, 100);
    expect(reader.health().breaker.state).toBe("open");
  });

  test("a view in a hurry does not close the door on the patient ones, nor do callers that go away", async () => {
    const { settle, read, reader, clock } = reading({ attempts: 1 }, () => ({ body, afterMs: 50 }));
    await settle(0);
    for (let key = 1; key < 60; key++) await settle(key, 10);
    const gone = new AbortController();
    const all = Array.from({ length: 60 }, (_, at) => read(100 + at, 1_000, gone.signal));
    await clock.advance(60);
    gone.abort();
    await Promise.all(all);
    expect(reader.health().breaker.state).toBe("closed");
    expect(await settle(1_000)).toMatchObject({ state: "fresh" });
  });
});

describe("a source that is asked too much", () => {
  test("asks only so many at once, and sheds what its queue cannot hold", async () => {
    const { read, clock, upstream, reader } = reading({ concurrency: 2, queue: 3 }, () => ({ body, afterMs: 100 }));
    const all = Array.from({ length: 8 }, (_, key) => read(key));
    await clock.advance(10);
    expect(upstream.requests).toHaveLength(2);
    expect(reader.health()).toMatchObject({ underWay: 2, queued: 3 });
    await clock.advance(1_000);
    const metas = (await Promise.all(all)).map(({ meta }) => meta);
    expect(metas.map(({ state }) => state)).toEqual([...Array(5).fill("fresh"), "shed", "shed", "shed"]);
    expect(metas.map(({ ms }) => ms)).toEqual([100, 100, 200, 200, 300, 0, 0, 0]);
    expect(metas[7]?.problem).toBe('The source "s" was not asked: too many questions wait for it already.');
    expect(reader.health()).toMatchObject({ underWay: 0, queued: 0, errors: { queue: 3 }, answers: { shed: 3 } });
  });

  test("says at once that a turn would come too late, instead of at the deadline", async () => {
    const { read, settle, clock } = reading({ concurrency: 1, queue: 100 }, () => ({ body, afterMs: 100 }));
    await settle(0);
    const all = Array.from({ length: 5 }, (_, key) => read(key + 1, 250));
    await clock.advance(1);
    const late = await Promise.all(all.slice(3));
    expect(late.map(({ meta }) => [meta.state, meta.ms])).toEqual([
      ["shed", 0],
      ["shed", 0],
    ]);
    await clock.advance(1_000);
    const states = (await Promise.all(all)).map(({ meta }) => meta.state);
    expect(states.slice(0, 2)).toEqual(["fresh", "fresh"]);
    expect(clock.timers).toBe(0);
  });

  test("a place in the queue is given back at the deadline", async () => {
    const { read, clock, reader } = reading({ concurrency: 1 }, () => ({ body, afterMs: 10_000 }));
    const both = [read(1, 500), read(2, 100)];
    await clock.advance(100);
    expect((await both[1])?.meta).toMatchObject({ state: "slow", attempts: 0, ms: 100 });
    expect(reader.health().queued).toBe(0);
    await clock.advance(1_000);
  });
});

test("a percentile that hedges does not sink because slow answers are given up for fast ones", async () => {
  // Of 25 answers 23 take up to 50 ms, the others 300 to 900: that is where the 95th percentile lies.
  const { settle, reader } = reading({ hedge: "p95", attempts: 1 }, (count) => ({
    body,
    afterMs: (count * 7) % 25 < 23 ? 10 + (count % 40) : 300 + ((count * 73) % 600),
  }));
  for (let key = 0; key < 1_500; key++) await settle(key);
  const { hedges, p95Ms = 0 } = reader.health();
  expect(hedges).toBeGreaterThan(50);
  expect(p95Ms).toBeGreaterThan(300);
});
