import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "../test-kit.test-d.ts";
import { Bulkhead, type Place } from "./bulkhead.ts";

const never = new AbortController().signal;
const place = (given: unknown): Place => {
  expect(given).toHaveProperty("leave");
  return given as Place;
};

test("lets in as many as it has places, then in the order in which they came, then nobody", async () => {
  const under = new Bulkhead(1, 2, new ManualClock());
  const first = place(await under.enter(100, never));
  const [second, third] = [under.enter(100, never), under.enter(100, never)];
  expect(await under.enter(100, never)).toBe("full");
  expect([under.busy, under.waiting]).toEqual([1, 2]);
  first.leave();
  first.leave();
  const next = place(await second);
  expect(under.waiting).toBe(1);
  next.leave();
  place(await third).leave();
  expect([under.busy, under.waiting]).toEqual([0, 0]);
});

test("who waits and is called away leaves the queue", async () => {
  const under = new Bulkhead(1, 1, new ManualClock());
  const held = place(await under.enter(100, never));
  const gone = new AbortController();
  const waiting = under.enter(100, gone.signal);
  gone.abort();
  expect(await waiting).toBe("gone");
  expect(await under.enter(100, gone.signal)).toBe("gone");
  expect(under.waiting).toBe(0);
  held.leave();
  expect(under.busy).toBe(0);
});

test("who would wait longer than anybody listens is told at once, by what places have been held for", async () => {
  const clock = new ManualClock();
  const under = new Bulkhead(2, 100, clock);
  const measured = place(await under.enter(1_000, never));
  await clock.advance(100);
  measured.leave();
  const held = [place(await under.enter(1_000, never)), place(await under.enter(1_000, never))];
  const patient = under.enter(60, never); // 100 ms a place, two places: the first waits about 50 ms
  expect(under.waiting).toBe(1);
  expect(await under.enter(60, never)).toBe("late"); // and the second about 100 ms
  expect(under.waiting).toBe(1);
  held[0]?.leave();
  place(await patient).leave();
});

test("never lets in more than it has places, whatever the order of coming and going", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 80 }), async (moves) => {
      const under = new Bulkhead(3, 5, new ManualClock());
      const inside: Place[] = [];
      let waiting = 0;
      for (const come of moves) {
        if (come) {
          const given = under.enter(1_000, never);
          if (given instanceof Promise) {
            waiting += 1;
            void given.then((later) => {
              waiting -= 1;
              if (typeof later === "object") inside.push(later);
            });
          } else if (typeof given === "object") inside.push(given);
        } else inside.shift()?.leave();
        await Promise.resolve();
        await Promise.resolve();
        expect(under.busy).toBe(inside.length);
        expect(under.busy).toBeLessThanOrEqual(3);
        expect(under.waiting).toBe(waiting);
        expect(waiting === 0 || under.busy === 3).toBe(true);
      }
    }),
  );
});
