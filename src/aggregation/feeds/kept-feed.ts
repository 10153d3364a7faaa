import { toMs } from "../../contracts/index.ts";
import { type FeedParts, toMerge, wakeOnAbort } from "./feed-parts.ts";
import { type FeedState, fromText, toText } from "./kept-state.ts";
import type { Merge } from "./merge.ts";
import type { Emitted, Slice } from "./slice.ts";
import type { TapStanding } from "./tap.ts";

/** How a feed is doing. */
export interface FeedStanding {
  readonly watermark: number;
  readonly inputs: readonly TapStanding[];
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
      // Where nothing ever came, nothing was told that a record could come too late for.
      if (!aborted?.aborted && merge.hasRead) {
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
