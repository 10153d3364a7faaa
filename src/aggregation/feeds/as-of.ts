import { type Duration, toMs } from "../../contracts/index.ts";
import { Side } from "./side.ts";
import { emitted, type Late, type Stage } from "./slice.ts";

/** A record of the first input, with the last one of the second that was known by then. */
export interface Joined<L, R> {
  readonly left: L;
  readonly right?: R;
  /** How much older the right one is, in ms. */
  readonly ageMs?: number;
}
export interface AsOfOptions<L, R> {
  /** One key an input: what belongs together. */
  readonly keys: readonly [left: (record: L) => string, right: (record: R) => string];
  /** How old the right record may be. */
  readonly tolerance: Duration;
  readonly onLate?: (late: Late<L | R>) => void;
}
export interface AsOfStage<L, R> extends Stage<L | R, Joined<L, R>> {
  readonly late: number;
}
interface Timed<T> {
  readonly at: number;
  readonly record: T;
}

/**
 * The as-of join: each record of the first input meets the latest record of the second with its key that is not after it
 * and within the tolerance. It waits until the watermark has passed it, so the order of arrival makes no difference; of
 * two right records of one instant the one with the larger JSON text counts.
 */
export function joinedAsOf<L, R>({ keys, tolerance, onLate }: AsOfOptions<L, R>): AsOfStage<L, R> {
  const [leftKey, rightKey] = keys;
  const toleranceMs = toMs(tolerance);
  let lefts: Timed<L>[] = [];
  const rights = new Map<string, Timed<R>[]>();
  const side = new Side(onLate);

  const keepRight = (right: Timed<R>): void => {
    const key = rightKey(right.record);
    const known = rights.get(key);
    if (!known) rights.set(key, [right]);
    else known.splice(place(known, right.at), 0, right);
  };
  const join = ({ at, record }: Timed<L>): Joined<L, R> => {
    const known = rights.get(leftKey(record)) ?? [];
    const last = known[place(known, at) - 1];
    if (!last || last.at < at - toleranceMs) return { left: record };
    let right = last;
    for (let index = place(known, at) - 2; known[index]?.at === last.at; index--) {
      const other = known[index] as Timed<R>; // it was just looked at
      if (JSON.stringify(other.record) > JSON.stringify(right.record)) right = other;
    }
    return { left: record, right: right.record, ageMs: at - right.at };
  };

  return {
    get late() {
      return side.count;
    },
    take(slice) {
      const { input, records, times, before, watermark } = slice;
      for (let index = 0; index < records.length; index++) {
        const [record, at] = [records[index] as L | R, times[index] as number]; // both are as long
        if (at < before) side.add(record, at, before);
        else if (input === 0)
          lefts.push({ at, record: record as L }); // the first input is the left one
        else keepRight({ at, record: record as R });
      }
      lefts.sort((a, b) => a.at - b.at);
      // A right record of the watermark's very instant may still come, so a left one waits until that has passed.
      const open = lefts.findIndex(({ at }) => at >= watermark);
      const done = open < 0 ? lefts : lefts.slice(0, open);
      lefts = open < 0 ? [] : lefts.slice(open);
      const joined = done.map(join);
      for (const [key, known] of rights) {
        const useless = place(known, watermark - toleranceMs - 1);
        if (useless === known.length) rights.delete(key);
        else if (useless > 0) known.splice(0, useless);
      }
      return emitted(
        joined,
        done.map(({ at }) => at),
        slice,
        side.drain(),
      );
    },
    snapshot: () => ({ late: side.count, lefts, rights: [...rights] }),
    restore(snapshot) {
      const kept = snapshot as { late: number; lefts: Timed<L>[]; rights: [string, Timed<R>[]][] }; // as it was written above
      side.restore(kept.late);
      lefts = [...kept.lefts];
      for (const [key, known] of kept.rights) rights.set(key, [...known]);
    },
  };
}

/** How many of them are not after an instant. */
function place(sorted: readonly Timed<unknown>[], at: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as Timed<unknown>).at <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
