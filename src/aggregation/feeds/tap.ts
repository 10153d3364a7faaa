import { toMs } from "../../contracts/index.ts";
import type { Batch, Input } from "./input.ts";

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
  readonly outOfOrderMs: number;
}
/** An input while it is read. */
export interface Tap<T> {
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

/** The event times of a batch, and with them the input's watermark: the latest, less how far out of order records may be. */
export function timesOf<T>(tap: Tap<T>, records: readonly T[]): number[] {
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
export function leastOf(taps: readonly Pick<Tap<never>, "idle" | "ended" | "watermark">[]): number {
  const active = taps.filter(({ idle, ended }) => !idle && !ended);
  return active.length > 0 ? Math.min(...active.map(({ watermark }) => watermark)) : Number.NEGATIVE_INFINITY;
}

export function toTap<T>(
  input: Input<T>,
  index: number,
  from: { readonly [input: string]: Tapped } | undefined,
): Tap<T> {
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
