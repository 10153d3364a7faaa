import type { SourceState } from "../meta.ts";

/** How a source has been doing since the start. */
export interface SourceHealth {
  readonly source: string;
  /** Answers to views, by state. */
  readonly answers: { readonly [S in SourceState]: number };
  /** Requests that went out, repeated and hedged ones included. */
  readonly requests: number;
  readonly hedges: number;
  /** Answers that cost no request: cached, or shared with another caller. */
  readonly saved: number;
  /** Of the last requests that got an answer, in ms. */
  readonly p50Ms?: number;
  readonly p95Ms?: number;
  readonly lastProblem?: { readonly state: SourceState; readonly problem: string; readonly at: number };
}

const remembered = 256;
/** Below this many measurements a percentile is an anecdote. */
const telling = 20;

/** Counts what happens to one source. Memory is bounded. */
export class Health {
  readonly #source: string;
  readonly #answers: { [S in SourceState]: number } = { fresh: 0, stale: 0, missing: 0, invalid: 0, down: 0, slow: 0 };
  readonly #latencies: number[] = [];
  #sorted: readonly number[] | undefined;
  #measured = 0;
  #requests = 0;
  #hedges = 0;
  #saved = 0;
  #lastProblem: SourceHealth["lastProblem"];
  constructor(source: string) {
    this.#source = source;
  }

  requested(hedge: boolean): void {
    this.#requests += 1;
    if (hedge) this.#hedges += 1;
  }

  measured(ms: number): void {
    this.#latencies[this.#measured % remembered] = ms;
    this.#measured += 1;
    // Sorted once in a while: a percentile that is asked for with every question must not cost a sort each.
    if (this.#measured < remembered || this.#measured % 16 === 0) this.#sorted = undefined;
  }

  answered(
    state: SourceState,
    saved: boolean,
    problem: { readonly sentence: string; readonly at: number } | undefined,
  ): void {
    this.#answers[state] += 1;
    if (saved) this.#saved += 1;
    if (problem) this.#lastProblem = { state, problem: problem.sentence, at: problem.at };
  }

  /** The latency that a share of the requests stays below, once there are enough of them to say. */
  percentile(share: number, atLeast: number = telling): number | undefined {
    this.#sorted ??= [...this.#latencies].sort((a, b) => a - b);
    const sorted = this.#sorted;
    return sorted.length < atLeast ? undefined : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  }

  summary(): SourceHealth {
    const p50Ms = this.percentile(0.5, 1);
    const p95Ms = this.percentile(0.95, 1);
    return {
      source: this.#source,
      answers: { ...this.#answers },
      requests: this.#requests,
      hedges: this.#hedges,
      saved: this.#saved,
      ...(p50Ms !== undefined && { p50Ms }),
      ...(p95Ms !== undefined && { p95Ms }),
      ...(this.#lastProblem && { lastProblem: this.#lastProblem }),
    };
  }
}
