import { Side } from "./side.ts";
import { emitted, type OnLate, type Stage } from "./slice.ts";

export interface ReorderOptions<T> {
  /** Which of two records of one instant comes first; as they came, where it is missing. */
  readonly ties?: (one: T, other: T) => number;
  readonly onLate?: OnLate<T>;
}
export interface ReorderStage<T> extends Stage<T, T> {
  readonly late: number;
}

/**
 * Gives records out in the order of event time: each once the watermark has passed it. What comes later than that goes
 * to the side.
 */
export function reordered<T>({ ties = () => 0, onLate }: ReorderOptions<T> = {}): ReorderStage<T> {
  let waiting: { readonly at: number; readonly record: T }[] = [];
  const side = new Side(onLate);
  return {
    get late() {
      return side.count;
    },
    take(slice) {
      const { records, times, before, watermark } = slice;
      for (let index = 0; index < records.length; index++) {
        const [record, at] = [records[index] as T, times[index] as number]; // both are as long
        if (at >= before) waiting.push({ at, record });
        else side.add(record, at, before);
      }
      // What waited is in order already, and the sort makes use of it.
      waiting.sort((a, b) => a.at - b.at || ties(a.record, b.record));
      const open = waiting.findIndex(({ at }) => at >= watermark);
      const done = open < 0 ? waiting : waiting.slice(0, open);
      waiting = open < 0 ? [] : waiting.slice(open);
      return emitted(
        done.map(({ record }) => record),
        done.map(({ at }) => at),
        slice,
        side.drain(),
      );
    },
    snapshot: () => ({ late: side.count, waiting }),
    restore(snapshot) {
      const kept = snapshot as { readonly late: number; readonly waiting: typeof waiting }; // as it was written above
      side.restore(kept.late);
      waiting = [...kept.waiting];
    },
  };
}
