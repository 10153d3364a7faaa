import { expect, test } from "vitest";
import { Ending, toSignal } from "./ending.ts";

test("an ending tells each of its listeners once, and nobody who has left", () => {
  const ending = new Ending();
  const told: string[] = [];
  const [one, other, third] = ["one", "other", "third"].map((name) => () => void told.push(name)) as [
    () => void,
    () => void,
    () => void,
  ];
  for (const listener of [one, other, third]) ending.addEventListener("abort", listener);
  ending.removeEventListener("abort", other);
  expect([ending.aborted, ending.reason]).toEqual([false, undefined]);
  ending.abort();
  ending.abort();
  expect(told).toEqual(["one", "third"]);
  expect([ending.aborted, ending.reason]).toEqual([true, expect.objectContaining({ name: "AbortError" })]);
});

test("a listener that leaves while others are told, or comes afterwards, is no trouble", () => {
  const ending = new Ending();
  const told: string[] = [];
  const first = (): void => {
    told.push("first");
    ending.removeEventListener("abort", first);
  };
  ending.addEventListener("abort", first);
  ending.addEventListener("abort", () => told.push("second"));
  ending.abort();
  ending.addEventListener("abort", () => told.push("late"));
  expect(told).toEqual(["first", "second"]);
});

test("as a signal it aborts when the ending does, at once where it has", () => {
  const ending = new Ending();
  const signal = toSignal(ending);
  expect(signal.aborted).toBe(false);
  ending.abort();
  expect([signal.aborted, toSignal(ending).aborted]).toEqual([true, true]);
  const own = new AbortController().signal;
  expect(toSignal(own)).toBe(own);
});
