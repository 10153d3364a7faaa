import type { Clock, Duration } from "../../contracts/index.ts";
import type { Input } from "./input.ts";
import type { FeedState, Kept } from "./kept-state.ts";
import { Merge } from "./merge.ts";
import type { Stage } from "./slice.ts";

export interface FeedParts<T, O, L = T> {
  readonly name: string;
  readonly inputs: readonly [Input<T>, ...Input<T>[]];
  readonly stage: Stage<T, O, L>;
  readonly clock: Clock;
  readonly state?: FeedState;
  /** Ends the feed, also while it waits for an input. */
  readonly aborted?: AbortSignal;
  /** After how many batches the state is kept: 100 unless told. */
  readonly keepEvery?: number;
  /** How long a result waits for others before they are kept together and given out: 100 ms unless told. */
  readonly keepWithin?: Duration;
  /** How far an input may be ahead of the slowest in event time, before it waits for it; without it, as far as it likes. */
  readonly ahead?: Duration;
}

/** The inputs as one, from where they were kept. */
export const toMerge = <T, O, L>(parts: FeedParts<T, O, L>, from: Kept<O, L> | undefined): Merge<T> =>
  new Merge({
    feed: parts.name,
    inputs: parts.inputs,
    clock: parts.clock,
    ahead: parts.ahead,
    isKept: parts.state !== undefined,
    from,
  });

/** What it gives takes that back. */
export function wakeOnAbort(merge: { wake(): void }, aborted: AbortSignal | undefined): () => void {
  const wake = (): void => merge.wake();
  aborted?.addEventListener("abort", wake);
  return () => aborted?.removeEventListener("abort", wake);
}
