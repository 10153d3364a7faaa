import type { Tapped } from "./merge.ts";
import type { Emitted, Late } from "./slice.ts";

/** Where a feed's state outlives the process. */
export interface FeedState {
  load(feed: string): Promise<string | undefined>;
  /** Replaces what was there. Resolves when it is durable; rejects where the feed is somebody else's by now. */
  save(feed: string, state: string): Promise<void>;
}
/** A feed at one moment: how far its inputs were read, what its stage remembered, and what it owed. */
export interface Kept<O, L> {
  readonly watermark: number;
  readonly inputs: { readonly [input: string]: Tapped };
  readonly stage: unknown;
  /** What the records up to here led to and may not have been taken yet. */
  readonly owed: readonly Emitted<O, L>[];
}

/** As text, and what is owed as it comes back from that: whoever is told of it now is told what he would be after a crash. */
export function toText<O, L>(kept: Kept<O, L>): { readonly text: string; readonly owed: readonly Emitted<O, L>[] } {
  const owed = JSON.stringify(kept.owed.map(toFlat));
  const inputs = Object.entries(kept.inputs).map(([name, tapped]) => [
    name,
    { ...tapped, watermark: toNumber(tapped.watermark) },
  ]);
  const rest = { watermark: toNumber(kept.watermark), inputs: Object.fromEntries(inputs) };
  const text = `${JSON.stringify({ ...rest, stage: kept.stage }).slice(0, -1)},"owed":${owed}}`;
  return { text, owed: (JSON.parse(owed) as Flat<O, L>[]).map(fromFlat) };
}

export function fromText<O, L>(text: string): Kept<O, L> {
  const { watermark, inputs, stage, owed } = JSON.parse(text) as Written<O, L>; // only this file writes it
  const places = Object.entries(inputs).map(([name, { position, watermark, records }]): [string, Tapped] => [
    name,
    { position, watermark: fromNumber(watermark), records },
  ]);
  return {
    watermark: fromNumber(watermark),
    inputs: Object.fromEntries(places),
    stage,
    owed: owed.map(fromFlat),
  };
}

interface Written<O, L> {
  readonly watermark: Instant;
  readonly inputs: {
    readonly [input: string]: { readonly position?: unknown; readonly watermark: Instant; readonly records: number };
  };
  readonly stage: unknown;
  readonly owed: readonly Flat<O, L>[];
}
interface Flat<O, L> {
  readonly records: readonly O[];
  readonly times: readonly number[];
  readonly before: Instant;
  readonly watermark: Instant;
  readonly late?: readonly (Omit<Late<L>, "watermark"> & { readonly watermark: Instant })[];
}
/** JSON has no infinity: before the first record there is none, and after the last one "over". */
type Instant = number | "over" | null;

const toNumber = (instant: number): Instant => (Number.isFinite(instant) ? instant : instant > 0 ? "over" : null);
const fromNumber = (instant: Instant): number =>
  instant === null ? Number.NEGATIVE_INFINITY : instant === "over" ? Number.POSITIVE_INFINITY : instant;

const toFlat = <O, L>({ records, times, before, watermark, late }: Emitted<O, L>): Flat<O, L> => ({
  records,
  times,
  before: toNumber(before),
  watermark: toNumber(watermark),
  ...(late && { late: late.map((one) => ({ ...one, watermark: toNumber(one.watermark) })) }),
});
const fromFlat = <O, L>({ records, times, before, watermark, late }: Flat<O, L>): Emitted<O, L> => ({
  input: 0,
  records,
  times,
  before: fromNumber(before),
  watermark: fromNumber(watermark),
  ...(late && { late: late.map((one) => ({ ...one, watermark: fromNumber(one.watermark) })) }),
});
