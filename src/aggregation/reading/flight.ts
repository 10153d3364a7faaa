import type { Clock } from "../../contracts/index.ts";
import type { Tried } from "./tried.ts";

export interface Landed {
  readonly tried: Tried;
  readonly attempts: number;
  /** On the monotonic clock. */
  readonly at: number;
}

/**
 * One question that is under way, and everybody who waits for its answer. It lives as long as somebody waits: when the
 * last one leaves, it is aborted.
 */
export class Flight {
  readonly #abort = new AbortController();
  readonly #clock: Clock;
  #waiting = 0;
  #deadline = 0;
  /** How often it has asked so far. */
  attempts = 0;
  readonly landed: Promise<Landed>;
  constructor(clock: Clock, run: (flight: Flight) => Promise<Landed>) {
    this.#clock = clock;
    // Begins a turn later, when the first waiter has joined and there is a deadline to read.
    this.landed = Promise.resolve().then(() => run(this));
  }

  get aborted(): AbortSignal {
    return this.#abort.signal;
  }

  abort(): void {
    this.#abort.abort();
  }

  /** How long somebody will still wait, in ms. */
  get remainingMs(): number {
    return this.#deadline - this.#clock.monotonic();
  }
  get deadline(): number {
    return this.#deadline;
  }

  /** Waits until it landed, the deadline passed, or this waiter was called away; both of the latter give `undefined`. */
  wait(deadline: number, aborted?: AbortSignal): Promise<Landed | undefined> {
    this.#waiting += 1;
    this.#deadline = Math.max(this.#deadline, deadline);
    return new Promise((resolve, reject) => {
      const leave = (landed?: Landed): void => {
        if (!cancel) return;
        cancel();
        cancel = undefined;
        aborted?.removeEventListener("abort", goAway);
        this.#waiting -= 1;
        if (this.#waiting === 0) this.abort();
        resolve(landed);
      };
      const goAway = (): void => leave();
      let cancel: (() => void) | undefined = this.#clock.after(deadline - this.#clock.monotonic(), goAway);
      aborted?.addEventListener("abort", goAway, { once: true });
      this.landed.then(leave, reject);
      if (aborted?.aborted) leave();
    });
  }
}

/** Resolves after some time, or at once when nobody waits any more. */
export function pause(ms: number, clock: Clock, aborted: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      cancel();
      aborted.removeEventListener("abort", wake);
      resolve();
    };
    const cancel = clock.after(ms, wake);
    aborted.addEventListener("abort", wake, { once: true });
    if (aborted.aborted) wake();
  });
}
