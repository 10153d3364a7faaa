import { expect, test } from "vitest";
import { Pace } from "./pace.ts";

test("halves are sent where this process has more to do for all of them than a group waits", () => {
  const pace = new Pace();
  expect(pace.together(128)).toBe(128); // nobody knows yet
  pace.answered(1.5, 1); // half a millisecond that is no work
  expect(pace.together(128)).toBe(128);
  pace.asked(0.64, 128); // 5 µs each
  expect(pace.together(128)).toBe(64); // 0.64 ms of its own
  expect(pace.together(90)).toBe(90); // 0.45 ms
  expect(pace.together(101)).toBe(51);
});

test("fewer than are worth it are one group", () => {
  const pace = new Pace();
  pace.answered(1, 1);
  pace.asked(10, 10);
  expect([31, 32, 33].map((wanted) => pace.together(wanted))).toEqual([31, 16, 17]);
});

test("a disk that becomes slow, or other processes that come, end it, and it begins again after them", () => {
  const pace = new Pace();
  pace.asked(1, 100);
  const until = (tookMs: number, together: number): number => {
    let groups = 0;
    for (; pace.together(100) !== together && groups < 1_000; groups++) pace.answered(tookMs, 1);
    return groups;
  };
  expect(until(1.1, 50)).toBe(1);
  expect(until(4, 100)).toBeLessThan(10);
  expect(until(1.1, 50)).toBeLessThan(40);
  pace.asked(5, 0); // nobody was answered, and that says nothing
  expect(pace.together(100)).toBe(50);
});

test("an answer that is read before it was worked for waited for nothing", () => {
  const pace = new Pace();
  pace.asked(0.001, 100);
  pace.answered(1, 3);
  expect(pace.together(100)).toBe(50);
});
