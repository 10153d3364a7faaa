import type { Clock } from "../../contracts/index.ts";
import type { SourceMeta, SourceState } from "../meta.ts";
import type { BreakerState } from "./breaker.ts";
import type { InvalidSample } from "./samples.ts";
import type { TroubleKind } from "./tried.ts";
import { Window } from "./window.ts";

/** How a source has been doing since the start. */
export interface SourceHealth {
  readonly source: string;
  /** Answers to views, by state. */
  readonly answers: { readonly [S in SourceState]: number };
  /** Answers to views, over the last half minute. */
  readonly perSecond: number;
  /** Requests that went out, repeated and hedged ones included. */
  readonly requests: number;
  readonly hedges: number;
  /** Answers that cost no request: cached, or shared with another caller. */
  readonly saved: number;
  /** What went wrong, attempt by attempt; what was not asked at all counts as well. */
  readonly errors: { readonly [K in TroubleKind]?: number };
  readonly cache: { readonly hits: number; readonly misses: number };
  /** Records of a batch that had a key of another. */
  readonly duplicates: number;
  /** Lists of which not everything was read. */
  readonly incomplete: number;
  readonly breaker: { readonly state: BreakerState; readonly opened: number };
  /** Questions that are under way and that wait for a place. */
  readonly underWay: number;
  readonly queued: number;
  /** Of the last requests that got an answer, in ms. */
  readonly p50Ms?: number;
  readonly p95Ms?: number;
  readonly p99Ms?: number;
  /** Of all requests that got an answer: how many, and how long they took together. */
  readonly measured: { readonly count: number; readonly totalMs: number };
  readonly lastProblem?: { readonly state: SourceState; readonly problem: string; readonly at: number };
  /** The last few answers that could not be used, masked. */
  readonly samples: readonly InvalidSample[];
}
/** What the parts of a reader know themselves. */
export type Gauges = Pick<SourceHealth, "breaker" | "underWay" | "queued" | "samples">;

const remembered = 256;
/** Below this many measurements a percentile is an anecdote. */
const telling = 20;
const rateMs = 30_000;

/** Counts what happens to one source. Memory is bounded. */
export class Health {
  readonly #source: string;
  readonly #answers: { [S in SourceState]: number } = {
    fresh: 0,
    stale: 0,
    missing: 0,
    invalid: 0,
    down: 0,
    slow: 0,
    shed: 0,
  };
  readonly #errors: { [K in TroubleKind]?: number } = {};
  readonly #latencies: number[] = [];
  readonly #rate: Window;
  readonly #cache = { hits: 0, misses: 0 };
  #sorted: readonly number[] | undefined;
  #measured = 0;
  #totalMs = 0;
  #requests = 0;
  #hedges = 0;
  #saved = 0;
  #duplicates = 0;
  #incomplete = 0;
  #lastProblem: SourceHealth["lastProblem"];
  constructor(source: string, clock: Clock) {
    this.#source = source;
    this.#rate = new Window(clock, rateMs);
  }

  requested(hedge: boolean): void {
    this.#requests += 1;
    if (hedge) this.#hedges += 1;
  }

  troubled(kind: TroubleKind): void {
    this.#errors[kind] = (this.#errors[kind] ?? 0) + 1;
  }

  looked(hit: boolean): void {
    this.#cache[hit ? "hits" : "misses"] += 1;
  }

  measured(ms: number): void {
    this.#latencies[this.#measured % remembered] = ms;
    this.#measured += 1;
    this.#totalMs += ms;
    // Sorted once in a while: a percentile that is asked for with every question must not cost a sort each.
    if (this.#measured < remembered || this.#measured % 16 === 0) this.#sorted = undefined;
  }

  /** Counts answers that were given together. */
  answered(readings: readonly { readonly meta: SourceMeta }[], clock: Clock): void {
    let good = 0;
    for (const { meta } of readings) {
      const { state, attempts, problem, duplicates = 0, complete } = meta;
      this.#answers[state] += 1;
      if (state === "fresh" || state === "missing") good += 1;
      if (attempts === 0 && (state === "fresh" || state === "stale" || state === "missing")) this.#saved += 1;
      this.#duplicates += duplicates;
      if (complete === false) this.#incomplete += 1;
      if (problem && state !== "missing") this.#lastProblem = { state, problem, at: clock.now() };
    }
    this.#rate.add(good, readings.length - good);
  }

  /** The latency that a share of the requests stays below, once there are enough of them to say. */
  percentile(share: number, atLeast: number = telling): number | undefined {
    this.#sorted ??= [...this.#latencies].sort((a, b) => a - b);
    const sorted = this.#sorted;
    return sorted.length < atLeast ? undefined : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  }

  summary(gauges: Gauges): SourceHealth {
    const [p50Ms, p95Ms, p99Ms] = [0.5, 0.95, 0.99].map((share) => this.percentile(share, 1));
    const { good, bad } = this.#rate.counts();
    return {
      source: this.#source,
      answers: { ...this.#answers },
      perSecond: Math.round(((good + bad) / (rateMs / 1_000)) * 10) / 10,
      requests: this.#requests,
      hedges: this.#hedges,
      saved: this.#saved,
      errors: { ...this.#errors },
      cache: { ...this.#cache },
      duplicates: this.#duplicates,
      incomplete: this.#incomplete,
      measured: { count: this.#measured, totalMs: Math.round(this.#totalMs) },
      ...gauges,
      ...(p50Ms !== undefined && { p50Ms }),
      ...(p95Ms !== undefined && { p95Ms }),
      ...(p99Ms !== undefined && { p99Ms }),
      ...(this.#lastProblem && { lastProblem: this.#lastProblem }),
    };
  }
}
