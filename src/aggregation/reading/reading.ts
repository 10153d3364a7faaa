import type { Clock } from "../../contracts/index.ts";
import type { SourceMeta, SourceState } from "../meta.ts";
import type { SourcePlan } from "../source.ts";
import type { Kept } from "./cache.ts";
import type { Found } from "./pick.ts";
import type { Landed } from "./tried.ts";

/** One source's part in one answer. There is a value where the state is `fresh` or `stale`. */
export interface Reading {
  readonly source: string;
  readonly meta: SourceMeta;
  readonly value?: unknown;
  readonly asOf?: number;
}
/** What a question came to, and how it travelled. */
export interface Answered extends Landed<Found> {
  /** How many keys travelled with it. */
  readonly keys: number;
  /** Of the request in which it travelled. */
  readonly status?: number;
}

/** Puts into words what became of questions to one source that began at the same moment. */
export class Teller {
  readonly #source: SourcePlan;
  readonly #clock: Clock;
  readonly #began: number;
  /** The last usual one: what came with one request mostly has it in common. */
  #last: UsualMeta | undefined;
  constructor(source: SourcePlan, clock: Clock, began: number) {
    this.#source = source;
    this.#clock = clock;
    this.#began = began;
  }

  /** `attempts` counts where the question stood for the request in which it travelled. */
  landed({ tried, keys, at }: Answered, kept: Kept | undefined, attempts: number, now: number): Reading {
    const ms = rounded(now - this.#began);
    const source = this.#source.name;
    if (tried.state === "fresh") {
      const { value, asOf, duplicates, pages, incomplete } = tried.value;
      const ageMs = rounded(now - at);
      if (asOf === undefined && pages === undefined && incomplete === undefined && duplicates === 0)
        return { source, meta: this.#usual(ms, attempts, ageMs, keys), value };
      const meta = {
        state: "fresh" as const,
        ms,
        attempts,
        ageMs,
        ...(duplicates > 0 && { duplicates }),
        ...(keys > 1 && { batched: keys }),
        ...(pages !== undefined && { pages }),
        ...(incomplete !== undefined && { complete: false as const, problem: this.#sentence(incomplete) }),
      };
      return { source, meta, value, ...(asOf !== undefined && { asOf }) };
    }
    if (tried.state === "missing") {
      const batched = keys > 1 && { batched: keys };
      const meta = { state: "missing" as const, ms, attempts, ...batched, problem: this.#sentence(tried.problem) };
      return { source, meta };
    }
    return this.instead(kept, tried.state, tried.problem, attempts);
  }

  #usual(ms: number, attempts: number, ageMs: number, keys: number): UsualMeta {
    if (keys === 1) return { state: "fresh", ms, attempts, ageMs };
    const last = this.#last;
    if (last?.ms === ms && last.attempts === attempts && last.ageMs === ageMs && last.batched === keys) return last;
    this.#last = { state: "fresh", ms, attempts, ageMs, batched: keys };
    return this.#last;
  }

  /** The last good answer in place of one that did not come, where it is young enough; otherwise the plain truth. */
  instead(kept: Kept | undefined, state: SourceState, problem: string, attempts: number): Reading {
    const now = this.#clock.monotonic();
    if (kept && now - kept.at < this.#source.staleIfErrorMs)
      return this.cached(kept, "stale", attempts, this.#sentence(problem));
    const meta = { state, ms: rounded(now - this.#began), attempts, problem: this.#sentence(problem) };
    return { source: this.#source.name, meta };
  }

  cached(kept: Kept, state: SourceState, attempts = 0, problem?: string): Reading {
    const now = this.#clock.monotonic();
    const source = this.#source.name;
    const times = { ms: rounded(now - this.#began), attempts, ageMs: rounded(now - kept.at), cached: true as const };
    if (!kept.found) {
      const sentence = problem ?? this.#sentence("had nothing for this when it was last asked");
      return { source, meta: { state: "missing", ...times, problem: sentence } };
    }
    const { value, asOf, incomplete } = kept.found;
    const sentence = problem ?? (incomplete === undefined ? undefined : this.#sentence(incomplete));
    const meta = {
      state,
      ...times,
      ...(incomplete !== undefined && { complete: false as const }),
      ...(sentence !== undefined && { problem: sentence }),
    };
    return { source, meta, value, ...(asOf !== undefined && { asOf }) };
  }

  #sentence(problem: string): string {
    return `The source "${this.#source.name}" ${problem}.`;
  }
}

type UsualMeta = Pick<SourceMeta, "state" | "ms" | "attempts" | "ageMs" | "batched">;

/** In ms, to a tenth. */
export const rounded = (ms: number): number => Math.max(0, Math.round(ms * 10) / 10);
