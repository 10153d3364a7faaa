import { expectEqual, Wrong } from "../frame/subject.ts";

/** A reading of one of four hundred places, at an instant. */
export interface Reading {
  readonly place: string;
  readonly at: number;
  readonly value: number;
}
/** What the readings of one place in one hour come to. */
export interface Sum {
  count: number;
  total: number;
}
export const hourMs = 3_600_000;
/** How much earlier than the latest so far a reading may be. */
export const outOfOrder = "10 minutes";
const outOfOrderMs = 600_000;
const places = Array.from({ length: 400 }, (_, number) => `place-${number}`);
const stepMs = 40;

/** Two inputs, each out of order by up to ten minutes, and both of one size. It is the same each time. */
export function toReadings(size: number): readonly [readonly Reading[], readonly Reading[]] {
  let state = 7;
  const drawn = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647; // Park and Miller, 1988
    return state % below;
  };
  const one = (): readonly Reading[] =>
    Array.from({ length: size / 2 }, (_, number) => ({
      place: places[drawn(places.length)] as string, // below the length
      at: outOfOrderMs + number * stepMs - drawn(outOfOrderMs),
      value: drawn(1_000),
    }));
  return [one(), one()];
}

/** By place and hour, record by record: nothing else is done with them. */
export function toSums(inputs: readonly (readonly Reading[])[]): Map<number, Map<string, Sum>> {
  const hours = new Map<number, Map<string, Sum>>();
  for (const readings of inputs)
    for (const { place, at, value } of readings) {
      const start = Math.floor(at / hourMs) * hourMs;
      let hour = hours.get(start);
      if (!hour) {
        hour = new Map();
        hours.set(start, hour);
      }
      const sum = hour.get(place);
      if (sum) {
        sum.count += 1;
        sum.total += value;
      } else hour.set(place, { count: 1, total: value });
    }
  return hours;
}

/** What was given out, window by window: where it begins, whose it is, and what it comes to. */
export type Given = readonly [start: number, place: string, sum: Sum];

/** Throws a `Wrong` unless every window is there, once, with the sum that it has to have. */
export function checkWindows(given: readonly Given[], expected: ReadonlyMap<number, ReadonlyMap<string, Sum>>): void {
  const seen = new Set<string>();
  for (const [start, place, sum] of given) {
    const window = `${place} at ${start}`;
    if (seen.has(window)) throw new Wrong(`The window of ${window} is there twice.`);
    seen.add(window);
    expectEqual([sum.count, sum.total], toPair(expected.get(start)?.get(place)), `The window of ${window}`);
  }
  const all = [...expected.values()].reduce((count, hour) => count + hour.size, 0);
  if (seen.size !== all) throw new Wrong(`There are ${seen.size} windows, and should be ${all}.`);
}
const toPair = (sum: Sum | undefined): readonly unknown[] => [sum?.count, sum?.total];
