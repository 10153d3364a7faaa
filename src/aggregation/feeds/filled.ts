import { type Duration, toMs } from "../../contracts/index.ts";
import { Side } from "./side.ts";
import { emitted, type OnLate, type Stage } from "./slice.ts";

/** What was known of a key at an instant of the grid. */
export interface Filled<T> {
  readonly key: string;
  /** A multiple of `every` since 1970, in ms. */
  readonly at: number;
  readonly value: T;
  /** How old the value is by then, in ms. */
  readonly ageMs: number;
}
export interface FillOptions<T> {
  readonly key: (record: T) => string;
  readonly every: Duration;
  /** How long a value is carried forward. */
  readonly limit: Duration;
  readonly onLate?: OnLate<T>;
}
export interface FillStage<T> extends Stage<T, Filled<T>> {
  readonly late: number;
}
interface Series<T> {
  readonly key: string;
  /** The last value before the grid's next instant. */
  known: { readonly at: number; readonly record: T };
  /** The next instant to be told of. */
  next: number;
}

/**
 * Resamples to a regular grid: at each instant the last value of each key, carried forward for as long as `limit` says.
 * Takes records in the order of event time, as `reordered` gives them out. After the last record nothing is made up.
 */
export function filledForward<T>({ key, every, limit, onLate }: FillOptions<T>): FillStage<T> {
  const [everyMs, limitMs] = [toMs(every), toMs(limit)];
  if (everyMs <= 0) throw new TypeError("A grid has a step that is longer than nothing.");
  const series = new Map<string, Series<T>>();
  const side = new Side(onLate);
  let latest = Number.NEGATIVE_INFINITY;

  const fillTo = (one: Series<T>, end: number, out: Filled<T>[]): void => {
    const { at, record } = one.known;
    const last = Math.min(end, at + limitMs + 1);
    for (; one.next < last; one.next += everyMs)
      out.push({ key: one.key, at: one.next, value: record, ageMs: one.next - at });
    // What was too old to be carried forward is left out, however long that was.
    if (one.next < end) one.next = Math.ceil(end / everyMs) * everyMs;
  };

  return {
    get late() {
      return side.count;
    },
    take(slice) {
      const { records, times, watermark } = slice;
      const out: Filled<T>[] = [];
      for (let index = 0; index < records.length; index++) {
        const [record, at] = [records[index] as T, times[index] as number]; // both are as long
        const name = key(record);
        const one = series.get(name);
        if (one && at < one.known.at) {
          side.add(record, at, slice.before);
          continue;
        }
        latest = Math.max(latest, at);
        if (!one) {
          series.set(name, { key: name, known: { at, record }, next: Math.ceil(at / everyMs) * everyMs });
          continue;
        }
        fillTo(one, at, out);
        one.known = { at, record };
      }
      const end = Math.min(watermark, latest + 1);
      for (const [name, one] of series) {
        fillTo(one, end, out);
        if (one.known.at + limitMs < watermark && one.next > one.known.at + limitMs) series.delete(name);
      }
      out.sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
      return emitted(
        out,
        out.map(({ at }) => at),
        slice,
        side.drain(),
      );
    },
    snapshot: () => ({
      late: side.count,
      latest: Number.isFinite(latest) ? latest : null,
      series: [...series.values()],
    }),
    restore(snapshot) {
      const kept = snapshot as { late: number; latest: number | null; series: Series<T>[] }; // as it was written above
      side.restore(kept.late);
      latest = kept.latest ?? Number.NEGATIVE_INFINITY;
      for (const one of kept.series) series.set(one.key, { ...one });
    },
  };
}
