import { expect, test } from "vitest";
import { systemClock } from "../contracts/index.ts";
import type { Engine } from "./engine.ts";
import { Follower } from "./follower.ts";
import type { ModelReader } from "./model-reader.ts";

/** A follower whose steps end with these, each in a turn of the event loop of its own, as those on an engine do. */
function follow(...steps: readonly { readonly position: number; readonly arrived: boolean }[]): Follower {
  const left = [...steps];
  const step = () =>
    new Promise((resolve) => {
      const next = left.shift();
      if (next) setImmediate(resolve, next);
    });
  // Nothing else of a reader and of an engine is asked for before the log grows.
  const reader = { kept: { reader: "notes@1", model: { kept: "inline" } }, step } as unknown as ModelReader;
  const engine = {} as unknown as Engine; // see above
  const follower = new Follower(reader, { engine, log: "main", clock: systemClock, live: false, report: () => {} });
  follower.start();
  return follower;
}

test("a follower that has read the last event has not come to the end before it has looked for more", async () => {
  const follower = follow({ position: 5, arrived: false }, { position: 5, arrived: true });
  await follower.reached(5, 60_000);
  expect(follower.hasArrived).toBe(false);
  await follower.come(60_000);
  expect([follower.hasArrived, follower.position]).toEqual([true, 5]);
  await follower.come(0); // and for good
});

test("whoever waits for the end of the log is told where it is not come to in time", async () => {
  const follower = follow({ position: 5, arrived: false });
  await expect(follower.come(20)).rejects.toThrow(
    '"notes@1" is at position 5, and has not come to the end of the log in time.',
  );
});
