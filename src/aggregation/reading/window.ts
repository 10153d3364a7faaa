import type { Clock } from "../../contracts/index.ts";

const slots = 10;

/** How many things went well and how many did not, over a span of time that moves on in tenths. */
export class Window {
  readonly #clock: Clock;
  readonly #slotMs: number;
  readonly #good: number[] = new Array(slots).fill(0);
  readonly #bad: number[] = new Array(slots).fill(0);
  /** The number of the newest slot, counted since the clock's beginning. */
  #newest: number;
  constructor(clock: Clock, spanMs: number) {
    this.#clock = clock;
    this.#slotMs = spanMs / slots;
    this.#newest = this.#slot();
  }

  add(good: number, bad: number): void {
    this.#moveOn();
    const at = this.#newest % slots;
    this.#good[at] = (this.#good[at] ?? 0) + good;
    this.#bad[at] = (this.#bad[at] ?? 0) + bad;
  }

  counts(): { readonly good: number; readonly bad: number } {
    this.#moveOn();
    const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
    return { good: sum(this.#good), bad: sum(this.#bad) };
  }

  clear(): void {
    this.#good.fill(0);
    this.#bad.fill(0);
  }

  #slot(): number {
    return Math.floor(this.#clock.monotonic() / this.#slotMs);
  }

  #moveOn(): void {
    const now = this.#slot();
    const stale = Math.min(slots, now - this.#newest);
    for (let step = 1; step <= stale; step++) {
      this.#good[(this.#newest + step) % slots] = 0;
      this.#bad[(this.#newest + step) % slots] = 0;
    }
    this.#newest = Math.max(this.#newest, now);
  }
}
