/** What is counted, in buckets of a second, for the last minute. */
export type Counter = "requests" | "done" | "undone" | "failed" | "steps" | "views" | "sources" | "appends" | "events";
export type Tally = readonly [counter: Counter, atMs: number, count: number];
export interface Rates {
  readonly buckets: ReadonlyMap<number, Readonly<Partial<Record<Counter, number>>>>;
}

export const noRates: Rates = { buckets: new Map() };
const windowSeconds = 60;

export function count(rates: Rates, tallies: readonly Tally[], nowMs: number): Rates {
  if (tallies.length === 0) return rates;
  const oldest = second(nowMs) - windowSeconds;
  const buckets = new Map([...rates.buckets].filter(([at]) => at >= oldest));
  for (const [counter, atMs, add] of tallies) {
    const at = second(atMs);
    if (at < oldest) continue;
    const bucket = buckets.get(at);
    buckets.set(at, { ...bucket, [counter]: (bucket?.[counter] ?? 0) + add });
  }
  return { buckets };
}

export const perMinute = (rates: Rates, counter: Counter, nowMs: number): number =>
  series(rates, counter, nowMs, windowSeconds).reduce((sum, one) => sum + one, 0);

/** Over five whole seconds: steady enough to read, quick enough to believe. */
export const perSecond = (rates: Rates, counter: Counter, nowMs: number): number =>
  series(rates, counter, nowMs - 1000, 5).reduce((sum, one) => sum + one, 0) / 5;

/** Counts per second, oldest first; the last one is the second that is passing. */
export function series(rates: Rates, counter: Counter, nowMs: number, seconds: number): number[] {
  const last = second(nowMs);
  return Array.from({ length: seconds }, (_, i) => rates.buckets.get(last - seconds + 1 + i)?.[counter] ?? 0);
}

const second = (ms: number) => Math.floor(ms / 1000);
