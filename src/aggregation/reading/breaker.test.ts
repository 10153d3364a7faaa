import { expect, test } from "vitest";
import { ManualClock } from "../test-kit.test-d.ts";
import { Breaker, type Verdict } from "./breaker.ts";

const plan = { failures: 0.5, least: 4, windowMs: 1_000, pauseMs: 400, probes: 2 };
function breaker(random = 0.5) {
  const clock = new ManualClock();
  const under = new Breaker(plan, clock, () => random);
  const say = (...verdicts: Verdict[]) => {
    for (const verdict of verdicts) under.enter()?.(verdict);
  };
  return { clock, under, say };
}

test("opens at its share of failures, and not before there are enough to tell", () => {
  const { under, say } = breaker();
  say("bad", "bad", "bad");
  expect(under.state).toBe("closed");
  say("bad");
  expect(under.state).toBe("open");
  expect(under.enter()).toBeUndefined();
  expect(under.opened).toBe(1);
});

test("stays closed below its share, and forgets what is older than its window", async () => {
  const { clock, under, say } = breaker();
  say("good", "good", "good", "bad", "bad");
  expect(under.state).toBe("closed");
  await clock.advance(1_200);
  say("bad", "bad", "bad");
  expect(under.state).toBe("closed");
});

test("opens when for a tenth of its window nothing but failures came, however much went well before", async () => {
  const { clock, under, say } = breaker();
  for (let count = 0; count < 500; count++) say("good");
  say("bad", "bad", "bad");
  await clock.advance(99);
  say("bad");
  expect(under.state).toBe("closed");
  await clock.advance(1);
  say("bad");
  expect(under.state).toBe("open");
});

test("a moment of failures, or a few of them far apart, do not open it where most goes well", async () => {
  const { clock, under, say } = breaker();
  for (let count = 0; count < 500; count++) say("good");
  for (let count = 0; count < 50; count++) say("bad"); // every connection of a pool, at once
  say("good");
  await clock.advance(90);
  for (let count = 0; count < 50; count++) say("bad");
  expect(under.state).toBe("closed");
  say("good");
  for (let count = 0; count < 5; count++) {
    await clock.advance(600);
    say("bad");
  }
  expect(under.state).toBe("closed");
});

test("says whether it will still refuse after a pause", async () => {
  const { clock, under, say } = breaker();
  expect(under.refusesIn(0)).toBe(false);
  say("bad", "bad", "bad", "bad");
  expect([under.refusesIn(399), under.refusesIn(400)]).toEqual([true, false]);
  await clock.advance(400);
  expect(under.refusesIn(0)).toBe(false);
});

test("what says nothing about the upstream does not count", () => {
  const { under, say } = breaker();
  say("neither", "neither", "neither", "neither", "bad", "bad", "bad");
  expect(under.state).toBe("closed");
});

test("half-open sends as many as it has probes, and closes when all come back well", async () => {
  const { clock, under, say } = breaker();
  say("bad", "bad", "bad", "bad");
  await clock.advance(399);
  expect(under.state).toBe("open");
  await clock.advance(1);
  expect(under.state).toBe("half-open");
  const [first, second, third] = [under.enter(), under.enter(), under.enter()];
  expect(third).toBeUndefined();
  first?.("good");
  expect(under.enter()).toBeUndefined();
  second?.("good");
  expect(under.state).toBe("closed");
  say("bad");
  expect(under.state).toBe("closed");
});

test("a probe that fails opens it again, and one that says nothing gives its place back", async () => {
  const { clock, under, say } = breaker();
  say("bad", "bad", "bad", "bad");
  await clock.advance(400);
  under.enter()?.("neither");
  expect(under.state).toBe("half-open");
  const [late, failed] = [under.enter(), under.enter()];
  failed?.("bad");
  expect(under.state).toBe("open");
  late?.("good");
  expect(under.state).toBe("open");
  expect(under.opened).toBe(2);
});

test("what was sent before it opened says nothing about what came after", async () => {
  const { clock, under, say } = breaker();
  const old = under.enter();
  say("bad", "bad", "bad", "bad");
  await clock.advance(400);
  old?.("bad");
  expect(under.state).toBe("half-open");
});

test("the pause is up to a quarter shorter or longer, so that nodes do not come back together", async () => {
  for (const [random, ms] of [
    [0, 300],
    [0.99, 498],
  ] as const) {
    const { clock, under, say } = breaker(random);
    say("bad", "bad", "bad", "bad");
    await clock.advance(ms - 1);
    expect(under.state).toBe("open");
    await clock.advance(1);
    expect(under.state).toBe("half-open");
  }
});

test("without a plan nobody is ever left alone", () => {
  const clock = new ManualClock();
  const under = new Breaker(undefined, clock, () => 0);
  for (let count = 0; count < 1_000; count++) under.enter()?.("bad");
  expect(under.state).toBe("closed");
});
