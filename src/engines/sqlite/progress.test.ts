import fc from "fast-check";
import { expect, test } from "vitest";
import { progressOf } from "./messages.ts";
import { flushedUpTo, isAfter } from "./progress.ts";

test("what is on disk is never taken back, whichever of two threads says it, and also where the numbers begin anew", () => {
  fc.assert(
    fc.property(fc.integer(), fc.array(fc.nat(1_000), { minLength: 1 }), (start, steps) => {
      const progress = new Int32Array(new SharedArrayBuffer(12));
      progress[progressOf.flushed] = start;
      let most = 0;
      for (const step of steps) {
        flushedUpTo(progress, (start + step) | 0);
        most = Math.max(most, step);
        expect(progress[progressOf.flushed]).toBe((start + most) | 0);
      }
    }),
  );
});

test("a batch comes after those before it", () => {
  expect([isAfter(2, 1), isAfter(1, 1), isAfter(1, 2), isAfter(-(2 ** 31), 2 ** 31 - 1)]).toEqual([
    ...[true, false, false, true],
  ]);
});
