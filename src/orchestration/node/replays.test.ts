import { expect, it } from "vitest";
import { Entries } from "../journal/entries.ts";
import type { Entry, Loaded } from "../journal/journal.ts";
import { type Reading, Replays } from "./replays.ts";

const journal = (length: number): Loaded => ({
  entries: Entries.of(Array.from({ length }, (_, value): Entry => ({ type: "Progress", value, at: 1 }))),
  size: 0,
});
/** Lets whatever can go on go on. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

it("few journals are read at a time, and no further one while many entries are being replayed", async () => {
  const replays = new Replays();
  let begun = 0;
  let underWay = 0;
  let mostUnderWay = 0;
  const readings: Reading[] = [];
  const all = Array.from({ length: 20 }, async () => {
    readings.push(
      await replays.read(async () => {
        begun++;
        mostUnderWay = Math.max(mostUnderWay, ++underWay);
        await turn();
        underWay--;
        return journal(5_000);
      }),
    );
  });
  for (let turns = 0; turns < 20; turns++) await turn();
  expect(mostUnderWay).toBe(4);
  expect(begun).toBeLessThanOrEqual(7);
  while (readings.length > 0 || begun < 20) {
    const held = readings.splice(0, 1);
    for (const { over } of held) {
      over();
      over(); // said twice, it counts once
    }
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(readings.length).toBeLessThanOrEqual(7);
  }
  await Promise.all(all);
});

it("a journal that is longer than what may be replayed at a time is read all the same", async () => {
  const replays = new Replays();
  const long = await replays.read(async () => journal(50_000));
  let isRead = false;
  const next = replays
    .read(async () => journal(1))
    .then(() => {
      isRead = true;
    });
  await turn();
  expect(isRead).toBe(false);
  long.over();
  await next;
});

it("a journal that cannot be read leaves its place to the next", async () => {
  const replays = new Replays();
  const broken = Array.from({ length: 10 }, () => replays.read(() => Promise.reject(new Error("no"))));
  expect((await Promise.allSettled(broken)).every(({ status }) => status === "rejected")).toBe(true);
  expect((await replays.read(async () => journal(2))).entries).toHaveLength(2);
});
