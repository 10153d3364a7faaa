import { expect, test } from "vitest";
import { ManualClock } from "../test-kit.test-d.ts";
import { Patience } from "./patience.ts";

function parts(deadlineMs = 100) {
  const clock = new ManualClock();
  const away = new AbortController();
  const patience = new Patience(clock, clock.monotonic() + deadlineMs, away.signal);
  const left: string[] = [];
  const leaving = (name: string) => () => void left.push(name);
  return { clock, away, patience, left, leaving };
}

test("all parts of an answer share one timer, which is there while one of them is waited for", () => {
  const { clock, patience, leaving } = parts();
  const [one, other] = [leaving("one"), leaving("other")];
  patience.begin(one);
  patience.begin(other);
  expect(clock.timers).toBe(1);
  patience.end(one);
  patience.end(one);
  expect(clock.timers).toBe(1);
  patience.end(other);
  expect(clock.timers).toBe(0);
  patience.begin(one);
  expect(clock.timers).toBe(1);
});

test("at the deadline those leave who still wait, in the order in which they began, each once", async () => {
  const { clock, patience, left, leaving } = parts(100);
  const done = leaving("done");
  patience.begin(leaving("one"));
  patience.begin(done);
  patience.begin(leaving("other"));
  patience.end(done);
  await clock.advance(99);
  expect(left).toEqual([]);
  await clock.advance(1);
  expect(left).toEqual(["one", "other"]);
  patience.begin(leaving("late"));
  expect(left).toEqual(["one", "other"]);
  await clock.advance(0);
  expect(left).toEqual(["one", "other", "late"]);
  expect(clock.timers).toBe(0);
});

test("who is called away leaves at once, and in more of a hurry it is the same person", async () => {
  const { clock, away, patience, left, leaving } = parts(100);
  const sooner = patience.until(patience.deadline - 60);
  expect(patience.until(patience.deadline)).toBe(patience);
  patience.begin(leaving("patient"));
  sooner.begin(leaving("hurried"));
  await clock.advance(40);
  expect(left).toEqual(["hurried"]);
  expect([patience.isGone, sooner.isGone]).toEqual([false, false]);
  away.abort();
  expect(left).toEqual(["hurried", "patient"]);
  expect([patience.isGone, sooner.isGone]).toEqual([true, true]);
  expect(clock.timers).toBe(0);
});
