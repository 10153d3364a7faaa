import { expect, test } from "vitest";
import { Bell } from "./bell.ts";

const heardSoon = (bell: Bell) =>
  Promise.race([bell.heard().then(() => true), new Promise((resolve) => setImmediate(resolve, false))]);

test("a ring is heard by whoever waits, and by whoever waits after it", async () => {
  const bell = new Bell();
  const waiting = heardSoon(bell);
  bell.ring();
  expect(await waiting).toBe(true);
  expect(await heardSoon(bell)).toBe(true);
  bell.quiet();
  expect(await heardSoon(bell)).toBe(false);
});

test("a ring is not lost on one who has given up waiting", async () => {
  const bell = new Bell();
  void bell.heard(); // gave up: something else came first
  bell.quiet();
  bell.ring();
  await Promise.resolve();
  expect(await heardSoon(bell)).toBe(true);
});
