import { expect, test } from "vitest";
import { stableHash, toPartition } from "./stable-hash.ts";

const names = Array.from({ length: 8_000 }, (_, index) => `order/${index}`);

test("a stream is in the same partition for good, for checkpoints are kept by it", () => {
  expect(["order/1", "order/2", "ordre/Zoé", "a", ""].map((name) => toPartition(name, 8))).toEqual([5, 7, 7, 3, 3]);
  expect(toPartition("order/1", 1)).toBe(0);
});

test("similar names are spread over all partitions", () => {
  const counts = Array.from({ length: 16 }, () => 0);
  for (const name of names) counts[toPartition(name, 16)] = (counts[toPartition(name, 16)] ?? 0) + 1;
  expect(Math.min(...counts)).toBeGreaterThan(400);
  expect(Math.max(...counts)).toBeLessThan(600);
});

test("the streams of one partition are spread over all lanes", () => {
  const own = names.filter((name) => toPartition(name, 8) === 3);
  const lanes = new Map<number, number>();
  for (const name of own) lanes.set(stableHash(name) % 8, (lanes.get(stableHash(name) % 8) ?? 0) + 1);
  expect(lanes.size).toBe(8);
  expect(Math.min(...lanes.values())).toBeGreaterThan(own.length / 16);
});
