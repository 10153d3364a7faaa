import { type Duration, toMs } from "../../contracts/index.ts";
import { SessionPanes } from "./session-panes.ts";
import { Side } from "./side.ts";
import { emitted, type OnLate, type Stage } from "./slice.ts";
import { SlidingPanes } from "./sliding-panes.ts";
import type { Windows } from "./windows.ts";

/** What is made of the records of one window. An accumulator is JSON, for it has to survive a restart. */
export interface Aggregate<T, A, R> {
  initial(): A;
  /** May change the accumulator that it is given; what it gives back is what counts. */
  add(accumulator: A, record: T): A;
  /** Two sessions that a record joins. Needed for `session` windows only. */
  merge?(one: A, other: A): A;
  result(accumulator: A): R;
}
/** What a window comes to. */
export interface Windowed<R> {
  readonly key: string;
  /** In ms since 1970; `end` is not part of it. */
  readonly start: number;
  readonly end: number;
  readonly value: R;
  /** 0 when the watermark has passed the end, and one more for each time that late records changed it since. */
  readonly revision: number;
}
/** A window while it is open. */
export interface Pane<A> {
  readonly key: string;
  start: number;
  end: number;
  accumulator: A;
  /** How often it was given out. */
  fired: number;
  /** Whether something came since. */
  changed: boolean;
}
/** The windows of one stage that are not over yet. */
export interface Panes<T, A> {
  /** False where every window that the record belongs to is over: then it is late. */
  add(key: string, at: number, record: T, closed: number): boolean;
  /** Those whose end a watermark has passed, and in which something changed. */
  due(watermark: number): Pane<A>[];
  /** Forgets windows that end at or before an instant. */
  drop(closed: number): void;
  all(): Iterable<Pane<A>>;
  load(panes: readonly Pane<A>[]): void;
}
export interface WindowOptions<T, A, R> {
  readonly windows: Windows;
  readonly key: (record: T) => string;
  readonly aggregate: Aggregate<T, A, R>;
  /** How long after its end a window still takes late records, and is then given out again (accumulating panes). */
  readonly allowedLateness?: Duration;
  readonly onLate?: OnLate<T>;
}
export interface WindowStage<T, R> extends Stage<T, Windowed<R>> {
  /** Records that belonged to no window any more. */
  readonly late: number;
}

/**
 * Groups records by key and window of event time, and gives each window out once the watermark has passed its end
 * (Dataflow: event-time windows with accumulating panes). Whatever the order in which records come, as long as none is
 * later than the allowed lateness, the last revision of each window is the same.
 */
export function windowed<T, A, R>({
  windows,
  key,
  aggregate,
  allowedLateness = "0ms",
  onLate,
}: WindowOptions<T, A, R>): WindowStage<T, R> {
  const latenessMs = toMs(allowedLateness);
  const panes: Panes<T, A> =
    windows.kind === "session" ? new SessionPanes(windows, aggregate) : new SlidingPanes(windows, aggregate);
  const side = new Side(onLate);
  return {
    allowedLatenessMs: latenessMs,
    get late() {
      return side.count;
    },
    take(slice) {
      const { records, times, before, watermark } = slice;
      const closed = before - latenessMs;
      for (let index = 0; index < records.length; index++) {
        const [record, at] = [records[index] as T, times[index] as number]; // both are as long
        if (!panes.add(key(record), at, record, closed)) side.add(record, at, before);
      }
      const due = panes.due(watermark).sort(byEnd);
      const results = due.map((pane): Windowed<R> => {
        const value = aggregate.result(pane.accumulator);
        const { key, start, end, fired: revision } = pane;
        pane.fired += 1;
        pane.changed = false;
        return { key, start, end, value, revision };
      });
      panes.drop(watermark - latenessMs);
      return emitted(
        results,
        results.map(({ end }) => end - 1),
        slice,
        side.drain(),
      );
    },
    snapshot: () => ({ late: side.count, panes: [...panes.all()] }),
    restore(snapshot) {
      const kept = snapshot as { readonly late: number; readonly panes: readonly Pane<A>[] }; // as it was written above
      side.restore(kept.late);
      panes.load(kept.panes);
    },
  };
}

const byEnd = (a: Pane<unknown>, b: Pane<unknown>): number =>
  a.end - b.end || a.start - b.start || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
