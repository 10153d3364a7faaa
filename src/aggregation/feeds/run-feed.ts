import { type Clock, type Duration, toMs } from "../../contracts/index.ts";
import type { Input } from "./input.ts";
import { type FeedState, fromText, type Kept, toText } from "./kept-state.ts";
import { Merge, type TapStanding } from "./merge.ts";
import type { Emitted, Slice, Stage } from "./slice.ts";

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
/** How a feed is doing. */
export interface FeedStanding {
  readonly watermark: number;
  readonly inputs: readonly TapStanding[];
}

/**
 * Runs a feed: merges its inputs and gives out what the stage makes of them. Nothing is read before somebody asks for
 * more, so a slow consumer slows the inputs.
 *
 * Where state is kept, results are written in one step with the positions that they come from, and given out after that.
 * What may not have been taken when the process ended is given out `again`, in the same words, whatever the inputs bring
 * then; so a consumer that knows what it had before takes each result once. Slices without results are left out.
 */
export function runFeed<T, O, L = T>(parts: FeedParts<T, O, L>): AsyncGenerator<Emitted<O, L>, void, void> {
  return parts.state ? new KeptFeed(parts, parts.state).slices() : passing(parts);
}

/** Nothing is kept: every slice is given out as soon as it is there. */
async function* passing<T, O, L>(parts: FeedParts<T, O, L>): AsyncGenerator<Emitted<O, L>, void, void> {
  const { stage, aborted } = parts;
  const merge = toMerge(parts, undefined);
  const release = wakeOnAbort(merge, aborted);
  try {
    while (!aborted?.aborted) {
      const slice = merge.take();
      if (slice) yield stage.take(slice);
      else if (merge.isOver) return yield stage.take(merge.end());
      else await merge.wait();
    }
  } finally {
    release();
    merge.close();
  }
}

/** A feed whose state is kept, in steps: some batches, then the state with what is owed, then that is given out. */
export class KeptFeed<T, O, L = T> {
  readonly #parts: FeedParts<T, O, L>;
  readonly #state: FeedState;
  readonly #withinMs: number;
  #merge: Merge<T> | undefined;
  /** What the batches of this step led to. */
  #owed: Emitted<O, L>[] = [];
  #batches = 0;
  /** Something is in the state that was taken since. */
  #settles = false;
  #isDue = false;
  #disarm: (() => void) | undefined;
  constructor(parts: FeedParts<T, O, L>, state: FeedState) {
    this.#parts = parts;
    this.#state = state;
    this.#withinMs = toMs(parts.keepWithin ?? "100ms");
  }

  /** Undefined before its state was loaded. */
  get standing(): FeedStanding | undefined {
    const merge = this.#merge;
    return merge && { watermark: merge.watermark, inputs: merge.standing };
  }

  async *slices(): AsyncGenerator<Emitted<O, L>, void, void> {
    const { name, stage, aborted, keepEvery = 100 } = this.#parts;
    const text = await this.#state.load(name);
    const kept = text === undefined ? undefined : fromText<O, L>(text);
    if (kept) stage.restore(kept.stage);
    const merge = toMerge(this.#parts, kept);
    this.#merge = merge;
    const release = wakeOnAbort(merge, aborted);
    try {
      for (const slice of kept?.owed ?? []) yield { ...slice, again: true };
      if (kept && kept.owed.length > 0) this.#settle();
      while (!aborted?.aborted) {
        const slice = merge.take();
        if (slice) this.#take(slice);
        else if (merge.isOver) break;
        else if (!this.#isDue) await merge.wait();
        if (this.#isDue || this.#batches >= keepEvery) yield* this.#step(merge);
      }
      if (!aborted?.aborted) {
        this.#take(merge.end());
        yield* this.#step(merge);
      }
      // Also where it is stopped: what was read is kept, and what it led to is given out when the feed goes on.
      if (this.#batches > 0 || this.#settles) await this.#keep(merge);
    } finally {
      release();
      this.#disarm?.();
      merge.close();
    }
  }

  #take(slice: Slice<T>): void {
    const out = this.#parts.stage.take(slice);
    this.#batches += 1;
    if (out.records.length === 0 && !out.late) return;
    this.#owed.push(out);
    this.#arm();
  }

  async *#step(merge: Merge<T>): AsyncGenerator<Emitted<O, L>, void, void> {
    const owed = await this.#keep(merge);
    yield* owed;
    if (owed.length > 0) this.#settle();
  }

  /** Writes how far it has come, and what it owes from now on. */
  async #keep(merge: Merge<T>): Promise<readonly Emitted<O, L>[]> {
    const { name, stage } = this.#parts;
    const { watermark, places: inputs } = merge;
    const { text, owed } = toText({ watermark, inputs, stage: stage.snapshot(), owed: this.#owed });
    this.#disarm?.();
    this.#disarm = undefined;
    this.#isDue = false;
    this.#batches = 0;
    this.#settles = false;
    this.#owed = [];
    await this.#state.save(name, text);
    return owed;
  }

  /** That all was taken is written as well, though nothing else may come: a call is known again only for so long. */
  #settle(): void {
    this.#settles = true;
    this.#arm();
  }

  #arm(): void {
    this.#disarm ??= this.#parts.clock.after(this.#withinMs, () => {
      this.#isDue = true;
      this.#merge?.wake();
    });
  }
}

const toMerge = <T, O, L>(parts: FeedParts<T, O, L>, from: Kept<O, L> | undefined): Merge<T> =>
  new Merge({
    feed: parts.name,
    inputs: parts.inputs,
    clock: parts.clock,
    ahead: parts.ahead,
    isKept: parts.state !== undefined,
    from,
  });

function wakeOnAbort(merge: { wake(): void }, aborted: AbortSignal | undefined): () => void {
  const wake = (): void => merge.wake();
  aborted?.addEventListener("abort", wake);
  return () => aborted?.removeEventListener("abort", wake);
}
