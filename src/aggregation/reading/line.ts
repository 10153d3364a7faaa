import type { Clock } from "../../contracts/index.ts";
import type { Aborted } from "../port.ts";
import type { ResiliencePlan } from "../resilience.ts";
import { Allowance, pauseBefore } from "./allowance.ts";
import { attempt } from "./attempt.ts";
import { Breaker, type Verdict } from "./breaker.ts";
import { Bulkhead, type NoPlace, type Place } from "./bulkhead.ts";
import { pause, type Waiting } from "./flight.ts";
import type { Health } from "./health.ts";
import { rounded } from "./reading.ts";
import { type Landed, settles, type Tried, type Trouble } from "./tried.ts";

/**
 * Asks once. `remainingMs` is how long this one question is waited for. Never rejects, and resolves when nobody waits any
 * more.
 */
export type Once<T> = (aborted: Aborted, remainingMs: number) => Promise<Tried<T>>;

/**
 * The one way out to an upstream: whatever is asked of a source goes through its breaker and its bulkhead, within its
 * attempts and its allowance for repetitions, hedged and measured.
 */
export class Line {
  readonly breaker: Breaker;
  readonly bulkhead: Bulkhead;
  readonly #plan: ResiliencePlan;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #health: Health;
  readonly #heard: (tried: Tried<unknown>) => void;
  readonly #allowance = new Allowance();
  /** `heard` is told of every answer that somebody still waits for. */
  constructor(
    plan: ResiliencePlan,
    clock: Clock,
    random: () => number,
    health: Health,
    heard: (tried: Tried<unknown>) => void,
  ) {
    this.#heard = heard;
    this.#plan = plan;
    this.#clock = clock;
    this.#random = random;
    this.#health = health;
    this.breaker = new Breaker(plan.breaker, clock, random);
    this.bulkhead = new Bulkhead(plan.concurrency, plan.queue, clock);
  }

  /** The attempts, one after the other, as long as somebody waits. */
  ask<T>(waiting: Waiting, once: Once<T>): Promise<Landed<T>> {
    this.#allowance.earn();
    return this.#attempts(waiting, once, 1);
  }

  // Mostly the first one settles it, so this is written without a promise for each thing that could be waited for.
  #attempts<T>(waiting: Waiting, once: Once<T>, count: number): Promise<Landed<T>> {
    return this.#attempt(waiting, once).then((tried) => {
      const landed = { tried, attempts: waiting.attempts, at: this.#clock.monotonic() };
      if (settles(tried) || count === this.#plan.attempts || waiting.aborted.aborted) return landed;
      const wish = tried.state === "fresh" ? 0 : (tried.notBeforeMs ?? 0);
      const waitMs = Math.max(pauseBefore(count + 1, this.#random), wish);
      // To wait for a repetition that the breaker will refuse would make an answer late for nothing.
      if (this.breaker.refusesIn(waitMs)) return landed;
      if (waitMs >= waiting.remainingMs || !this.#allowance.spend()) return landed;
      return pause(waitMs, this.#clock, waiting.aborted).then(() =>
        waiting.aborted.aborted ? landed : this.#attempts(waiting, once, count + 1),
      );
    });
  }

  #attempt<T>(waiting: Waiting, once: Once<T>): Promise<Tried<T>> {
    // Looked at before the queue, so that nobody waits in one for an upstream that is left alone.
    if (this.breaker.state === "open") return this.#refused(leftAlone);
    const entering = this.bulkhead.enter(waiting.remainingMs, waiting.aborted);
    return entering instanceof Promise
      ? entering.then((place) => this.#inPlace(place, waiting, once))
      : this.#inPlace(entering, waiting, once); // mostly there is one at once
  }

  #inPlace<T>(place: Place | NoPlace, waiting: Waiting, once: Once<T>): Promise<Tried<T>> {
    if (typeof place === "string") return this.#refused(noPlace[place]);
    const settle = this.breaker.enter();
    if (!settle) {
      place.leave();
      return this.#refused(leftAlone);
    }
    waiting.attempts += 1;
    const began = this.#clock.monotonic();
    const places: Place[] = [place];
    const leave = (): void => {
      for (const each of places) each.leave();
    };
    return this.#limited(waiting, once, places).then(
      (tried) => {
        if (tried.state !== "fresh") this.#health.troubled(tried.kind);
        const called = waiting.aborted.aborted && waiting.remainingMs > 1;
        settle(called ? "neither" : this.#verdictOn(tried, began));
        leave();
        return tried;
      },
      (error: unknown) => {
        leave();
        throw error;
      },
    );
  }

  /** With a timeout and a second question, where the plan has them. Otherwise the question ends with those who wait. */
  #limited<T>(waiting: Waiting, once: Once<T>, places: Place[]): Promise<Tried<T>> {
    const { timeoutMs } = this.#plan;
    const hedgeAfterMs = this.#hedgeAfterMs();
    if (timeoutMs === undefined && hedgeAfterMs === undefined)
      return this.#measured(waiting, once, waiting.aborted, false, undefined);
    const limits = {
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(hedgeAfterMs !== undefined && { hedgeAfterMs }),
      mayHedge: () => this.#mayHedge(places),
    };
    return attempt(
      (aborted, hedge) => this.#measured(waiting, once, aborted, hedge, hedgeAfterMs),
      limits,
      this.#clock,
      waiting.aborted,
    );
  }

  #measured<T>(
    waiting: Waiting,
    once: Once<T>,
    aborted: Aborted,
    hedge: boolean,
    hedgeAfterMs: number | undefined,
  ): Promise<Tried<T>> {
    const { timeoutMs = Number.POSITIVE_INFINITY } = this.#plan;
    const began = this.#clock.monotonic();
    this.#health.requested(hedge);
    return once(aborted, Math.max(1, Math.floor(Math.min(waiting.remainingMs, timeoutMs)))).then((tried) => {
      const ms = this.#clock.monotonic() - began;
      // What was given up counts with the time that it had taken by then, where that is long enough to tell: were it left
      // out, a percentile that hedges would forget every slow answer, sink, and hedge ever more.
      const outran = aborted.aborted && hedgeAfterMs !== undefined && ms >= hedgeAfterMs;
      if (outran || (!aborted.aborted && (tried.state === "fresh" || tried.state === "missing")))
        this.#health.measured(rounded(ms));
      if (!aborted.aborted) this.#heard(tried);
      return tried;
    });
  }

  /** A second question needs a place that nobody waits for, and an allowance. */
  #mayHedge(places: Place[]): boolean {
    const place = this.bulkhead.tryEnter();
    if (!place) return false;
    places.push(place);
    if (this.#allowance.spend()) return true;
    place.leave();
    return false;
  }

  #hedgeAfterMs(): number | undefined {
    const { hedge } = this.#plan;
    return typeof hedge === "string" ? this.#health.percentile(Number(hedge.slice(1)) / 100) : hedge;
  }

  /**
   * What an end says about the upstream. That nobody waited any longer says something only where it took longer than it
   * usually does: a view in a hurry must not close the door on the patient ones.
   */
  #verdictOn(tried: Tried<unknown>, began: number): Verdict {
    if (tried.state === "fresh" || tried.state === "missing") return "good";
    if (tried.state === "slow" && tried.kind === "budget") {
      const usualMs = this.#health.percentile(0.99, 1);
      return usualMs === undefined || this.#clock.monotonic() - began > usualMs ? "bad" : "neither";
    }
    if (tried.state === "invalid" || tried.kind === "refused" || tried.kind === "forbidden") return "neither";
    return "bad";
  }

  #refused(trouble: Trouble): Promise<Trouble> {
    this.#health.troubled(trouble.kind);
    return Promise.resolve(trouble);
  }
}

const leftAlone: Trouble = {
  state: "down",
  kind: "breaker",
  problem: "keeps failing and is left alone for a moment",
  repeat: false,
};
const noPlace: { readonly [P in NoPlace]: Trouble } = {
  full: {
    state: "shed",
    kind: "queue",
    problem: "was not asked: too many questions wait for it already",
    repeat: false,
  },
  late: { state: "shed", kind: "late", problem: "was not asked: its turn would come too late", repeat: false },
  gone: { state: "slow", kind: "budget", problem: "was not asked in time", repeat: false },
};
