import { type Clock, type Duration, toMs } from "../../contracts/index.ts";
import type { Batch, Input } from "./input.ts";
import type { Slice } from "./slice.ts";

/** How far an input has come. */
export interface Tapped {
  readonly position: unknown;
  /** Its own. */
  readonly watermark: number;
  /** How many records it has brought since the feed began. */
  readonly records: number;
}
/** How an input is doing. */
export interface TapStanding extends Omit<Tapped, "position"> {
  readonly input: string;
  readonly state: "active" | "idle" | "over";
}
interface Tap<T> {
  readonly input: Input<T>;
  readonly index: number;
  readonly iterator: AsyncIterator<Batch<T>>;
  readonly outOfOrderMs: number;
  readonly idleMs: number | undefined;
  position: unknown;
  watermark: number;
  records: number;
  asked: boolean;
  idle: boolean;
  ended: boolean;
  cancelIdle: () => void;
}
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
  get standing(): readonly TapStanding[] {
    return this.#taps.map(({ input, watermark, records, idle, ended }) => ({
      ...{ input: input.name, watermark, records },
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

/** The event times of a batch, and with them the input's watermark: the latest, less how far out of order records may be. */
function timesOf<T>(tap: Tap<T>, records: readonly T[]): number[] {
  const { at } = tap.input;
  const times = new Array<number>(records.length);
  let latest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < records.length; index++) {
    const time = at(records[index] as T); // inside the batch
    if (!(time >= Number.MIN_SAFE_INTEGER))
      throw new TypeError(`A record of the input "${tap.input.name}" has no event time: \`at\` gave ${time}.`);
    times[index] = time;
    if (time > latest) latest = time;
  }
  if (latest === Number.POSITIVE_INFINITY)
    throw new TypeError(`A record of the input "${tap.input.name}" has no event time: \`at\` gave Infinity.`);
  if (latest - tap.outOfOrderMs > tap.watermark) tap.watermark = latest - tap.outOfOrderMs;
  return times;
}

/** Of the inputs that are neither idle nor at their end. Where there are none, nobody knows how far time has come. */
function leastOf(taps: readonly Pick<Tap<never>, "idle" | "ended" | "watermark">[]): number {
  const active = taps.filter(({ idle, ended }) => !idle && !ended);
  return active.length > 0 ? Math.min(...active.map(({ watermark }) => watermark)) : Number.NEGATIVE_INFINITY;
}

function toTap<T>(input: Input<T>, index: number, from: { readonly [input: string]: Tapped } | undefined): Tap<T> {
  const before = from && Object.hasOwn(from, input.name) ? from[input.name] : undefined;
  return {
    input,
    index,
    iterator: input.read(before?.position)[Symbol.asyncIterator](),
    outOfOrderMs: toMs(input.outOfOrder),
    idleMs: input.idle === undefined ? undefined : toMs(input.idle),
    position: before?.position,
    watermark: before?.watermark ?? Number.NEGATIVE_INFINITY,
    records: before?.records ?? 0,
    asked: false,
    idle: false,
    ended: false,
    cancelIdle: () => {},
  };
}
