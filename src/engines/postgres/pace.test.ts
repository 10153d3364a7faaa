import { expect, test } from "vitest";
import { Pace } from "./pace.ts";

/** Groups of a hundred, one after the other: how each went, in ms. */
function play(pace: Pace, { own, took, worked }: { own: number; took: number; worked: number | undefined }): void {
  now += own;
  pace.sent(now);
  const sent = now;
  now += took;
  pace.answered(now, sent, 100, worked);
}
let now = 1_000;

test("halves are sent where this process has more to do for all of them than a group waits", () => {
  const pace = new Pace();
  expect(pace.together(128)).toBe(128); // nobody knows yet
  for (let group = 0; group < 2; group++) play(pace, { own: 0.5, took: 1.5, worked: 1 }); // 5 µs each; half a ms is no work
  expect([99, 101, 128].map((wanted) => pace.together(wanted))).toEqual([99, 51, 64]);
});

test("fewer than are worth it are one group", () => {
  const pace = new Pace();
  for (let group = 0; group < 2; group++) play(pace, { own: 10, took: 1, worked: 1 });
  expect([31, 32, 33].map((wanted) => pace.together(wanted))).toEqual([31, 16, 17]);
});

test("a disk that becomes slow, or other processes that come, end it, and it begins again after them", () => {
  const pace = new Pace();
  const until = (took: number, together: number): number => {
    let groups = 0;
    for (; pace.together(100) !== together && groups < 1_000; groups++) play(pace, { own: 1, took, worked: 1 });
    return groups;
  };
  expect(until(1.1, 50)).toBe(2);
  expect(until(4, 100)).toBeLessThan(10);
  expect(until(1.1, 50)).toBeLessThan(40);
});

test("what two groups of one turn are answered is this process's own for both; whoever asks later is no measure", () => {
  const pace = new Pace();
  pace.answered(1_010, 1_000, 60, 10);
  pace.answered(1_020, 1_000, 60, 9); // sent before the first was answered: it waited for 1 ms
  pace.sent(1_022); // 12 ms for 120, which is what they took to be told and to ask anew
  expect(pace.together(100)).toBe(50);
  pace.answered(1_030, 1_022, 60, 8);
  pace.turned();
  pace.sent(9_000);
  expect([32, 100].map((wanted) => pace.together(wanted))).toEqual([16, 50]); // 0.1 ms each, as before
});

test("who is not told how long the server worked knows nothing, and no clock makes it less than nothing", () => {
  const pace = new Pace();
  for (let group = 0; group < 3; group++) play(pace, { own: 50, took: 1, worked: undefined });
  expect(pace.together(100)).toBe(100);
  play(pace, { own: 50, took: 1, worked: 3 });
  expect(pace.together(100)).toBe(50);
});
