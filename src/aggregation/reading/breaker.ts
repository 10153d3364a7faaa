import type { Clock } from "../../contracts/index.ts";
import type { BreakerPlan } from "../resilience.ts";
import { Window } from "./window.ts";

export type BreakerState = "closed" | "open" | "half-open";
/** How a question ended for whoever judges the upstream: `neither` says nothing about it. */
export type Verdict = "good" | "bad" | "neither";
/** Says once how it ended. */
export type Settle = (verdict: Verdict) => void;

/** This share of the window with nothing but failures is enough. A restart or a burst of broken connections is over by then. */
const allFailingShare = 0.1;

/**
 * Leaves an upstream alone that keeps failing. Closed, it counts; open, it sends nobody; half-open, it sends a few and
 * closes when all of them come back well. What was sent before a change of state says nothing about the state after it.
 *
 * Closed, it opens at a share of failures within the window, or when for a tenth of the window there was nothing else: the
 * share alone would wait until the failures outnumber what went well before, which takes half of the window.
 */
export class Breaker {
  readonly #plan: BreakerPlan | undefined;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #window: Window;
  #state: BreakerState = "closed";
  /** On the monotonic clock: when it stops being open. */
  #until = 0;
  /** Counts changes of state. */
  #term = 0;
  #probing = 0;
  #passed = 0;
  /** How many failed since one went well, and when the first of them did. */
  #inARow = 0;
  #failingSince = 0;
  /** How often it has opened. */
  opened = 0;
  constructor(plan: BreakerPlan | undefined, clock: Clock, random: () => number) {
    this.#plan = plan;
    this.#clock = clock;
    this.#random = random;
    this.#window = new Window(clock, plan?.windowMs ?? 10_000);
  }

  get state(): BreakerState {
    return this.#state === "open" && this.#clock.monotonic() >= this.#until ? "half-open" : this.#state;
  }

  /** Whether nobody will be let through after such a pause either. */
  refusesIn(ms: number): boolean {
    return this.#state === "open" && this.#clock.monotonic() + ms < this.#until;
  }

  /** Lets a question through, or not. */
  enter(): Settle | undefined {
    const { probes = 0 } = this.#plan ?? {};
    if (this.#state === "open") {
      if (this.state === "open") return undefined;
      this.#change("half-open");
    }
    if (this.#state === "half-open") {
      if (this.#probing + this.#passed >= probes) return undefined;
      this.#probing += 1;
    }
    const term = this.#term;
    let settled = false;
    return (verdict) => {
      if (settled || term !== this.#term) return;
      settled = true;
      this.#settle(verdict);
    };
  }

  #settle(verdict: Verdict): void {
    if (!this.#plan) return;
    const { failures, least, probes, windowMs } = this.#plan;
    if (this.#state === "half-open") {
      this.#probing -= 1;
      if (verdict === "good") this.#passed += 1;
      if (verdict === "bad") this.#open();
      else if (this.#passed >= probes) this.#change("closed");
      return;
    }
    if (verdict === "neither") return;
    this.#window.add(verdict === "good" ? 1 : 0, verdict === "bad" ? 1 : 0);
    if (verdict === "good") {
      this.#inARow = 0;
      return;
    }
    const now = this.#clock.monotonic();
    if (this.#inARow === 0) this.#failingSince = now;
    this.#inARow += 1;
    const { good, bad } = this.#window.counts();
    const isAll = Math.min(bad, this.#inARow) >= least && now - this.#failingSince >= windowMs * allFailingShare;
    if (isAll || (good + bad >= least && bad / (good + bad) >= failures)) this.#open();
  }

  /** Give or take a quarter, so that the nodes that saw it fail together do not come back together. */
  #open(): void {
    this.#change("open");
    this.opened += 1;
    this.#until = this.#clock.monotonic() + (this.#plan?.pauseMs ?? 0) * (0.75 + this.#random() / 2);
  }

  #change(state: BreakerState): void {
    this.#state = state;
    this.#term += 1;
    this.#probing = 0;
    this.#passed = 0;
    this.#inARow = 0;
    this.#window.clear();
  }
}
