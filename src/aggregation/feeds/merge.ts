import { type Clock, type Duration, toMs } from "../../contracts/index.ts";
import type { Batch, Input } from "./input.ts";
import type { Slice } from "./slice.ts";
import { leastOf, type Tap, type Tapped, type TapStanding, timesOf, toTap } from "./tap.ts";

interface Arrival<T> {
  readonly tap: Tap<T>;
  readonly result: IteratorResult<Batch<T>> | { readonly error: unknown };
}
export interface MergeParts<T> {
  readonly feed: string;
  readonly inputs: readonly Input<T>[];
  readonly clock: Clock;
  readonly ahead: Duration | undefined;
  /** Whether what is made of the records outlives the process: then every input has to say where it is. */
  readonly isKept: boolean;
  /** Where it goes on. */
  readonly from: { readonly watermark: number; readonly inputs: { readonly [input: string]: Tapped } } | undefined;
}

/**
 * The inputs of a feed as one: batches as they come, with the watermark, which is the least of those of the inputs that are
 * not idle. An input is asked for its next batch when the one before was taken.
 */
export class Merge<T> {
  readonly #feed: string;
  readonly #clock: Clock;
  readonly #aheadMs: number;
  readonly #isKept: boolean;
  readonly #taps: readonly Tap<T>[];
  readonly #ready: Arrival<T>[] = [];
  #wake: () => void = () => {};
  /** Since it was last looked at: an input may call from inside the question. */
  #woken = false;
  #watermark: number;
  constructor({ feed, inputs, clock, ahead, isKept, from }: MergeParts<T>) {
    this.#feed = feed;
    this.#clock = clock;
    this.#aheadMs = ahead === undefined ? Number.POSITIVE_INFINITY : toMs(ahead);
    this.#isKept = isKept;
    this.#watermark = from?.watermark ?? Number.NEGATIVE_INFINITY;
    this.#taps = inputs.map((input, index) => toTap(input, index, from?.inputs));
  }

  get watermark(): number {
    return this.#watermark;
  }
  /** Whether every input has come to its end. */
  get isOver(): boolean {
    return this.#taps.every(({ ended }) => ended);
  }
  /** Whether there was a record since the feed began. */
  get hasRead(): boolean {
    return this.#taps.some(({ records }) => records > 0);
  }
  get standing(): readonly TapStanding[] {
    return this.#taps.map(({ input, watermark, records, idle, ended, outOfOrderMs }) => ({
      ...{ input: input.name, watermark, records, outOfOrderMs },
      state: ended ? "over" : idle ? "idle" : "active",
    }));
  }
  /** How far each input has come, of what was taken. */
  get places(): { readonly [input: string]: Tapped } {
    return Object.fromEntries(
      this.#taps.map(({ input, position, watermark, records }) => [input.name, { position, watermark, records }]),
    );
  }

  /** What is there by now; nothing where it has to be waited for. Throws what an input failed with. */
  take(): Slice<T> | undefined {
    this.#woken = false;
    for (;;) {
      this.#ask();
      const arrival = this.#ready.shift();
      if (!arrival) return this.#rise();
      const { tap, result } = arrival;
      if ("error" in result) throw result.error;
      tap.asked = false;
      if (!result.done) return this.#toSlice(tap, result.value);
      tap.ended = true;
    }
  }

  /** Resolves when there may be something to take, or somebody called `wake`. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#woken) resolve();
    });
  }
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  /** The last slice, where every input is over: no record is expected any more, of whatever time. */
  end(): Slice<T> {
    const before = this.#watermark;
    this.#watermark = Number.POSITIVE_INFINITY;
    return { input: 0, records: [], times: [], before, watermark: this.#watermark };
  }

  close(): void {
    for (const { iterator, ended, cancelIdle } of this.#taps) {
      cancelIdle();
      // One that is under way cannot be told before it comes back; nobody waits for it.
      if (!ended) void iterator.return?.().then(undefined, () => {});
    }
  }

  #ask(): void {
    const least = leastOf(this.#taps);
    for (const tap of this.#taps) {
      if (tap.asked || tap.ended || (tap.watermark !== least && tap.watermark - least > this.#aheadMs)) continue;
      tap.asked = true;
      if (tap.idleMs !== undefined) this.#idleIn(tap, tap.idleMs);
      tap.iterator.next().then(
        (result) => this.#arrive({ tap, result }),
        (error: unknown) => this.#arrive({ tap, result: { error } }),
      );
    }
  }

  #idleIn(tap: Tap<T>, ms: number): void {
    tap.cancelIdle = this.#clock.after(ms, () => {
      // A process that was busy for so long comes to its timers before it hears what was sent meanwhile: one turn more.
      tap.cancelIdle = this.#clock.after(0, () => {
        tap.idle = true;
        this.wake();
      });
    });
  }

  /** An input is idle no more as soon as it has brought something, however long that waits to be taken. */
  #arrive(arrival: Arrival<T>): void {
    arrival.tap.cancelIdle();
    arrival.tap.idle = false;
    this.#ready.push(arrival);
    this.wake();
  }

  #toSlice(tap: Tap<T>, { records, position }: Batch<T>): Slice<T> {
    if (position !== undefined) tap.position = position;
    else if (this.#isKept && records.length > 0)
      throw new TypeError(
        `The input "${tap.input.name}" of the feed "${this.#feed}" gives records without a position. The feed's state is kept, so after a restart they would be read anew and counted twice. Give each batch the position to go on from, or null where nothing can be read a second time.`,
      );
    tap.records += records.length;
    const times = timesOf(tap, records);
    const before = this.#watermark;
    this.#watermark = Math.max(before, leastOf(this.#taps));
    return { input: tap.index, records, times, before, watermark: this.#watermark };
  }

  /** An input fell idle: the others' time goes on without a record. */
  #rise(): Slice<T> | undefined {
    const before = this.#watermark;
    const risen = leastOf(this.#taps);
    if (!(risen > before && Number.isFinite(risen))) return undefined;
    this.#watermark = risen;
    return { input: 0, records: [], times: [], before, watermark: risen };
  }
}
