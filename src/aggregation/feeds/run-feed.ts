import { type Clock, type Duration, toMs } from "../../contracts/index.ts";
import type { Slice, Stage } from "./slice.ts";

/** Some records of an input, and where to go on after them. */
export interface Batch<T> {
  readonly records: readonly T[];
  /** JSON. Without it, an input begins anew after a restart. */
  readonly position?: unknown;
}
/** One stream of records with an event time of their own. */
export interface Input<T> {
  readonly name: string;
  /** Batches, from behind a position on. It is asked for the next one only when there is room. */
  readonly read: (after: unknown) => AsyncIterable<Batch<T>>;
  /** Event time, in ms since 1970. */
  readonly at: (record: T) => number;
  /** How much earlier than the latest record so far one may be (bounded out-of-orderness). */
  readonly outOfOrder: Duration;
  /** An input that brings nothing for so long holds the others up no more, until it does. */
  readonly idle?: Duration;
}
/** Where a feed's state outlives the process. */
export interface FeedState {
  load(feed: string): Promise<string | undefined>;
  /** Replaces what was there. Resolves when it is durable. */
  save(feed: string, state: string): Promise<void>;
}
export interface FeedParts<T, O> {
  readonly name: string;
  readonly inputs: readonly [Input<T>, ...Input<T>[]];
  readonly stage: Stage<T, O>;
  readonly clock: Clock;
  readonly state?: FeedState;
  /** Ends the feed, also while it waits for an input. */
  readonly aborted?: AbortSignal;
  /** After how many batches the state is kept: 100 unless told. */
  readonly keepEvery?: number;
  /** How far an input may be ahead of the slowest in event time, before it waits for it; without it, as far as it likes. */
  readonly ahead?: Duration;
}
/** An input, and how it is doing. */
interface Tap<T> {
  readonly input: Input<T>;
  readonly index: number;
  readonly iterator: AsyncIterator<Batch<T>>;
  readonly outOfOrderMs: number;
  readonly idleMs: number | undefined;
  position: unknown;
  /** Its own watermark. */
  watermark: number;
  asked: boolean;
  idle: boolean;
  ended: boolean;
  cancelIdle: () => void;
}
interface Kept {
  readonly watermark: number | null;
  readonly inputs: { readonly [input: string]: { readonly position: unknown; readonly watermark: number | null } };
  readonly stage: unknown;
}

/**
 * Runs a feed: merges its inputs, keeps the watermark (the least of those of the inputs that are not idle), and gives out
 * what the stage makes of them. Nothing is read before somebody asks for more, so a slow consumer slows the inputs.
 * State is kept after a slice has been consumed: after a crash what came since is given out again, and nothing is lost.
 */
export async function* runFeed<T, O>(parts: FeedParts<T, O>): AsyncGenerator<Slice<O>, void, void> {
  const { name, stage, clock, state, aborted, keepEvery = 100 } = parts;
  const kept = state && (await load(state, name));
  if (kept) stage.restore(kept.stage);
  const taps = parts.inputs.map((input, index) => toTap(input, index, kept));
  const aheadMs = parts.ahead === undefined ? Number.POSITIVE_INFINITY : toMs(parts.ahead);
  const ready: { readonly tap: Tap<T>; readonly result: IteratorResult<Batch<T>> | { readonly error: unknown } }[] = [];
  let wake: () => void = () => {};
  let watermark = kept ? (kept.watermark ?? Number.NEGATIVE_INFINITY) : Number.NEGATIVE_INFINITY;
  let sinceKept = 0;

  const ask = (tap: Tap<T>): void => {
    tap.asked = true;
    tap.cancelIdle =
      tap.idleMs === undefined
        ? () => {}
        : clock.after(tap.idleMs, () => {
            tap.idle = true;
            wake();
          });
    tap.iterator.next().then(
      (result) => {
        ready.push({ tap, result });
        wake();
      },
      (error: unknown) => {
        ready.push({ tap, result: { error } });
        wake();
      },
    );
  };
  const keep = async (): Promise<void> => {
    sinceKept = 0;
    await state?.save(name, JSON.stringify(toKept(taps, watermark, stage)));
  };

  const end = (): void => wake();
  aborted?.addEventListener("abort", end);
  try {
    while (!aborted?.aborted) {
      const least = leastOf(taps);
      for (const tap of taps)
        if (!tap.asked && !tap.ended && (tap.watermark === least || tap.watermark - least <= aheadMs)) ask(tap);
      if (ready.length === 0) {
        if (taps.every(({ ended }) => ended)) break;
        const risen = Math.max(watermark, least);
        if (risen > watermark && Number.isFinite(risen)) {
          // An input fell idle: the others' time goes on without a record.
          const before = watermark;
          watermark = risen;
          yield stage.take({ input: 0, records: [], times: [], before, watermark });
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const { tap, result } = ready.shift() as (typeof ready)[number]; // there is one
      if ("error" in result) throw result.error;
      tap.asked = false;
      tap.idle = false;
      tap.cancelIdle();
      if (result.done) {
        tap.ended = true;
        continue;
      }
      const { records, position } = result.value;
      tap.position = position;
      const times = timesOf(tap, records);
      const before = watermark;
      watermark = Math.max(watermark, leastOf(taps));
      yield stage.take({ input: tap.index, records, times, before, watermark });
      sinceKept += 1;
      if (sinceKept >= keepEvery) await keep();
    }
    if (aborted?.aborted) return;
    const before = watermark;
    yield stage.take({ input: 0, records: [], times: [], before, watermark: Number.POSITIVE_INFINITY });
    await keep();
  } finally {
    aborted?.removeEventListener("abort", end);
    for (const tap of taps) tap.cancelIdle();
    // One that is under way cannot be told before it comes back; nobody waits for it.
    for (const { iterator, ended } of taps) if (!ended) void iterator.return?.().then(undefined, () => {});
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
  if (latest - tap.outOfOrderMs > tap.watermark) tap.watermark = latest - tap.outOfOrderMs;
  return times;
}

/** Of the inputs that are neither idle nor at their end. Where there are none, nobody knows how far time has come. */
function leastOf(taps: readonly Pick<Tap<never>, "idle" | "ended" | "watermark">[]): number {
  const active = taps.filter(({ idle, ended }) => !idle && !ended);
  return active.length > 0 ? Math.min(...active.map(({ watermark }) => watermark)) : Number.NEGATIVE_INFINITY;
}

function toTap<T>(input: Input<T>, index: number, kept: Kept | undefined): Tap<T> {
  const before = kept && Object.hasOwn(kept.inputs, input.name) ? kept.inputs[input.name] : undefined;
  return {
    input,
    index,
    iterator: input.read(before?.position)[Symbol.asyncIterator](),
    outOfOrderMs: toMs(input.outOfOrder),
    idleMs: input.idle === undefined ? undefined : toMs(input.idle),
    position: before?.position,
    watermark: before?.watermark ?? Number.NEGATIVE_INFINITY,
    asked: false,
    idle: false,
    ended: false,
    cancelIdle: () => {},
  };
}

const toKept = <T, O>(taps: readonly Tap<T>[], watermark: number, stage: Stage<T, O>): Kept => ({
  watermark: Number.isFinite(watermark) ? watermark : null,
  inputs: Object.fromEntries(
    taps.map(({ input, position, watermark }) => [
      input.name,
      { position: position ?? null, watermark: Number.isFinite(watermark) ? watermark : null },
    ]),
  ),
  stage: stage.snapshot(),
});

async function load(state: FeedState, name: string): Promise<Kept | undefined> {
  const text = await state.load(name);
  return text === undefined ? undefined : (JSON.parse(text) as Kept); // only this file writes it
}
