import type { Clock } from "../../contracts/index.ts";

/** What a question that is under way knows of those who wait for it. */
export interface Waiting {
  /** Aborts when nobody waits any more. */
  readonly aborted: AbortSignal;
  /** How long somebody will still wait, in ms. */
  readonly remainingMs: number;
  /** How often it has asked so far. */
  attempts: number;
}

/**
 * One question that is under way, and everybody who waits for its answer. It lives as long as somebody waits: when the
 * last one leaves, it is aborted.
 */
export class Flight<T> implements Waiting {
  readonly #abort = new AbortController();
  readonly #clock: Clock;
  #waiting = 0;
  #deadline = 0;
  attempts = 0;
  readonly landed: Promise<T>;
  constructor(clock: Clock, run: (flight: Flight<T>) => Promise<T>) {
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

  get remainingMs(): number {
    return this.#deadline - this.#clock.monotonic();
  }

  /** Waits until it landed, the deadline passed, or this waiter was called away; both of the latter give `undefined`. */
  wait(deadline: number, aborted?: AbortSignal): Promise<T | undefined> {
    this.#waiting += 1;
    this.#deadline = Math.max(this.#deadline, deadline);
    return new Promise((resolve, reject) => {
      const leave = (landed?: T): void => {
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
