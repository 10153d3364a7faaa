import type { Clock } from "../../contracts/index.ts";
import type { Aborted } from "../port.ts";

/** A place among those that are under way. Leaving twice is leaving once. */
export interface Place {
  leave(): void;
}
/** Why there is no place: the queue is full, or would outlive whoever waits, or nobody waits any more. */
export type NoPlace = "full" | "late" | "gone";

interface Waiting {
  readonly enter: () => void;
}

/**
 * Bounds how many questions are under way at once and how many wait, so that a slow upstream holds no more than its
 * share of sockets and memory. Who would wait longer than anybody listens is told so at once.
 */
export class Bulkhead {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #clock: Clock;
  readonly #queue = new Set<Waiting>();
  #busy = 0;
  /** How long a place has been held of late, in ms: a moving average. */
  #heldMs: number | undefined;
  constructor(most: number, mostWaiting: number, clock: Clock) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
    this.#clock = clock;
  }

  get busy(): number {
    return this.#busy;
  }
  get waiting(): number {
    return this.#queue.size;
  }

  /** A place if there is one at this moment. */
  tryEnter(): Place | undefined {
    return this.#busy < this.#most ? this.#take() : undefined;
  }

  /** A place now or in its turn; first come, first served. */
  enter(remainingMs: number, aborted: Aborted): Place | NoPlace | Promise<Place | NoPlace> {
    if (aborted.aborted) return "gone";
    if (this.#busy < this.#most) return this.#take();
    if (this.#queue.size >= this.#mostWaiting) return "full";
    if (this.#waitMs() > remainingMs) return "late";
    return new Promise((resolve) => {
      const waiting: Waiting = {
        enter: () => {
          aborted.removeEventListener("abort", leave);
          resolve(this.#take());
        },
      };
      const leave = (): void => {
        this.#queue.delete(waiting);
        resolve("gone");
      };
      this.#queue.add(waiting);
      aborted.addEventListener("abort", leave, { once: true });
    });
  }

  /** How long one who comes now would wait, by what places have been held for. */
  #waitMs(): number {
    return this.#heldMs === undefined ? 0 : ((this.#queue.size + 1) * this.#heldMs) / this.#most;
  }

  #take(): Place {
    this.#busy += 1;
    const since = this.#clock.monotonic();
    let left = false;
    return {
      leave: () => {
        if (left) return;
        left = true;
        this.#busy -= 1;
        const heldMs = this.#clock.monotonic() - since;
        this.#heldMs = this.#heldMs === undefined ? heldMs : this.#heldMs + (heldMs - this.#heldMs) / 8;
        const [next] = this.#queue; // a set keeps the order in which they came
        if (!next) return;
        this.#queue.delete(next);
        next.enter();
      },
    };
  }
}
