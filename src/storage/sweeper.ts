import type { Clock } from "../contracts/index.ts";
import type { Engine } from "./engine.ts";

const everyMs = 60_000;
/** Receipts that one look takes away: a bite that no other write waits for long. */
const bite = 500;

/**
 * Takes expired receipts away, a few at a time between other writes. It runs after appends and not by a timer: where
 * nothing is written, nothing piles up.
 */
export class Sweeper {
  readonly #engine: Engine;
  readonly #log: string;
  readonly #clock: Clock;
  #last = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #closed = false;
  constructor(engine: Engine, log: string, clock: Clock) {
    this.#engine = engine;
    this.#log = log;
    this.#clock = clock;
  }

  /** Something was appended. */
  nudge(): void {
    const now = this.#clock.now();
    if (this.#closed || this.#running || now - this.#last < everyMs) return;
    this.#last = now;
    this.#running = this.#sweep(now).finally(() => {
      this.#running = undefined;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #sweep(now: number): Promise<void> {
    try {
      let gone = bite;
      while (gone >= bite && !this.#closed) gone = await this.#engine.sweep(this.#log, now, bite);
    } catch {
      // An engine that cannot write says so to whoever writes; the next sweep finds what this one left.
    }
  }
}
