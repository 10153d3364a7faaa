/** Some records of one input, with where event time stands. What flows through a feed: never a record alone. */
export interface Slice<T> {
  /** Which of the inputs they are from, by the order of declaration; of what a stage makes, 0. */
  readonly input: number;
  readonly records: readonly T[];
  /** The event time of each, in ms since 1970. */
  readonly times: readonly number[];
  /**
   * The watermark before these records: one of them that is earlier is late. (Dataflow, Akidau et al. 2015: a watermark
   * says that no record with an earlier event time is expected any more.)
   */
  readonly before: number;
  /** The watermark after them. It never goes back; `Infinity` at the end of all inputs. */
  readonly watermark: number;
}

/** One step of a feed: synchronous, with nothing but its own state, so that the same slices give the same. */
export interface Stage<I, O> {
  take(slice: Slice<I>): Slice<O>;
  /** Everything that it remembers, as JSON. */
  snapshot(): unknown;
  /** Goes on from a snapshot. It is asked once, before the first slice. */
  restore(snapshot: unknown): void;
}

/** A record that came after the watermark had passed what it belongs to. */
export interface Late<T> {
  readonly record: T;
  readonly at: number;
  readonly watermark: number;
}
/** The side output for late records, in the words of Dataflow. They are counted in any case. */
export type OnLate<T> = (late: Late<T>) => void;

/** Two steps, one after the other. */
export function chain<A, B, C>(first: Stage<A, B>, second: Stage<B, C>): Stage<A, C> {
  return {
    take: (slice) => second.take(first.take(slice)),
    snapshot: () => [first.snapshot(), second.snapshot()],
    restore(snapshot) {
      const [one, two] = snapshot as readonly [unknown, unknown]; // as it was written above
      first.restore(one);
      second.restore(two);
    },
  };
}

/** What a stage gives out, in the order in which it was made. */
export const emitted = <T>(records: readonly T[], times: readonly number[], from: Slice<unknown>): Slice<T> => ({
  input: 0,
  records,
  times,
  before: from.before,
  watermark: from.watermark,
});
