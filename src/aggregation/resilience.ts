import { type Duration, toMs } from "../contracts/index.ts";

/** What a source does about an upstream that is slow, down or overloaded. Each has a default that suits a view's budget. */
export interface Resilience {
  /** How long one attempt may take. Without it, as long as the view's budget lasts. */
  readonly timeout?: Duration;
  /**
   * How often it is asked at most, 1 to 10; 2 unless said otherwise. Pauses are drawn at random below a bound that
   * doubles, stay inside the budget, and repetitions never exceed a tenth of the questions for long.
   */
  readonly attempts?: number;
  /** A second question after this long without an answer: a percentile of what it has been taking, or a time. The first good answer counts. */
  readonly hedge?: "p90" | "p95" | "p99" | Duration;
  /** An answer this young is not asked for again. */
  readonly cacheFor?: Duration;
  /** For this long after `cacheFor`, the old answer is given at once, as `stale`, and renewed behind it. */
  readonly staleWhileRevalidate?: Duration;
  /**
   * An answer this young stands in, as `stale`, where the source is down, slow, invalid or shed. It survives a restart,
   * unless the schema marks something as personal.
   */
  readonly staleIfError?: Duration;
  /** What its answer may measure at most, in bytes; 4 MiB unless said otherwise. */
  readonly maxBytes?: number;
  /** Questions that are under way at once, 1 to 1,000; 64 unless said otherwise. */
  readonly concurrency?: number;
  /** Questions that wait for one of those, 0 to 100,000; 256 unless said otherwise. Beyond that the source is `shed`. */
  readonly queue?: number;
  /** When it is left alone because it keeps failing; `false` never leaves it alone. */
  readonly breaker?: false | Breaking;
  /** How many redirects are followed, 0 to 5; none unless said otherwise. Each is checked like a first address. */
  readonly redirects?: number;
}
export interface Breaking {
  /** The share of failures at which it opens, above 0 and up to 1; 0.5 unless said otherwise. */
  readonly failures?: number;
  /** Below this many answers within the window a share is an anecdote; 20 unless said otherwise. */
  readonly least?: number;
  /** The window; 10 s unless said otherwise. */
  readonly within?: Duration;
  /** How long nobody is sent, give or take a quarter; 2 s unless said otherwise. */
  readonly pause?: Duration;
  /** How many are sent then, all of whom must come back well before everybody is; 3 unless said otherwise. */
  readonly probes?: number;
}

/** The same as plain data, with every default in its place. */
export interface ResiliencePlan {
  readonly timeoutMs?: number;
  readonly attempts: number;
  readonly hedge?: "p90" | "p95" | "p99" | number;
  readonly cacheForMs: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly maxBytes: number;
  readonly concurrency: number;
  readonly queue: number;
  readonly breaker?: BreakerPlan;
  readonly redirects: number;
}
export interface BreakerPlan {
  readonly failures: number;
  readonly least: number;
  readonly windowMs: number;
  readonly pauseMs: number;
  readonly probes: number;
}

/** Reads the options of a source. Throws a sentence for a number that cannot be meant. */
export function toResilience(source: string, parts: Resilience): ResiliencePlan {
  const { timeout, hedge, cacheFor, staleWhileRevalidate, staleIfError, breaker = {} } = parts;
  const { attempts = 2, maxBytes = 4 * 2 ** 20, concurrency = 64, queue = 256, redirects = 0 } = parts;
  const whole = (option: string, value: number, from: number, to: number): number => {
    if (Number.isInteger(value) && value >= from && value <= to) return value;
    throw new TypeError(
      `The source "${source}" needs a whole number from ${from} to ${to} for \`${option}\`; ${value} is not one.`,
    );
  };
  const ms = (duration: Duration | undefined): number => (duration === undefined ? 0 : toMs(duration));
  return {
    ...(timeout !== undefined && { timeoutMs: toMs(timeout) }),
    attempts: whole("attempts", attempts, 1, 10),
    ...(hedge !== undefined && { hedge: isPercentile(hedge) ? hedge : toMs(hedge) }),
    cacheForMs: ms(cacheFor),
    staleWhileRevalidateMs: ms(staleWhileRevalidate),
    staleIfErrorMs: ms(staleIfError),
    maxBytes: whole("maxBytes", maxBytes, 1, 2 ** 30),
    concurrency: whole("concurrency", concurrency, 1, 1_000),
    queue: whole("queue", queue, 0, 100_000),
    ...(breaker && { breaker: toBreaker(source, breaker, whole) }),
    redirects: whole("redirects", redirects, 0, 5),
  };
}

function toBreaker(
  source: string,
  { failures = 0.5, least = 20, within = "10s", pause = "2s", probes = 3 }: Breaking,
  whole: (option: string, value: number, from: number, to: number) => number,
): BreakerPlan {
  if (!(failures > 0 && failures <= 1))
    throw new TypeError(
      `The breaker of the source "${source}" opens at a share of failures above 0 and up to 1; ${failures} is not one.`,
    );
  return Object.freeze({
    failures,
    least: whole("breaker.least", least, 1, 10_000),
    windowMs: toMs(within),
    pauseMs: toMs(pause),
    probes: whole("breaker.probes", probes, 1, 100),
  });
}

const isPercentile = (hedge: string): hedge is "p90" | "p95" | "p99" => /^p9[059]$/.test(hedge);
