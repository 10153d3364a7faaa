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

/** What a stage makes of a slice. */
export interface Emitted<O, L = unknown> extends Slice<O> {
  /** The side output: what came too late. Missing where nothing did. */
  readonly late?: readonly Late<L>[];
  /** It was given out before, in the same words, by somebody who may have ended before it was taken. */
  readonly again?: boolean;
}

/** One step of a feed: synchronous, with nothing but its own state, so that the same slices give the same. */
export interface Stage<I, O, L = I> {
  /** For an operator: how late a record may be and still count, in ms. Missing where the stage has no such bound. */
  readonly allowedLatenessMs?: number;
  readonly take: (slice: Slice<I>) => Emitted<O, L>;
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
/**
 * Is told of late records as they are met, in this process: after a crash of the same ones again. What is to be kept of
 * them goes by the side output of a slice, and by `late` of a feed.
 */
export type OnLate<T> = (late: Late<T>) => void;

/** Two steps, one after the other. */
export function chain<A, B, C, L = A, M = B>(first: Stage<A, B, L>, second: Stage<B, C, M>): Stage<A, C, L | M> {
  const lateness = [first, second].flatMap(({ allowedLatenessMs: ms }) => (ms === undefined ? [] : [ms]));
  return {
    ...(lateness.length > 0 && { allowedLatenessMs: Math.max(...lateness) }),
    take(slice) {
      const between = first.take(slice);
      const out = second.take(between);
      return between.late ? { ...out, late: [...between.late, ...(out.late ?? [])] } : out;
    },
    snapshot: () => [first.snapshot(), second.snapshot()],
    restore(snapshot) {
      const [one, two] = snapshot as readonly [unknown, unknown]; // as it was written above
      first.restore(one);
      second.restore(two);
    },
  };
}

/** What a stage gives out, in the order in which it was made. */
export const emitted = <T, L>(
  records: readonly T[],
  times: readonly number[],
  from: Slice<unknown>,
  late: readonly Late<L>[] | undefined,
): Emitted<T, L> => ({
  input: 0,
  records,
  times,
  before: from.before,
  watermark: from.watermark,
  ...(late && { late }),
});
