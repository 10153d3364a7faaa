import type { Clock } from "../../contracts/index.ts";
import type { RunRow } from "../journal/journal.ts";

/** How long a suspect has its node for itself at the most: one that is at a long step keeps the others no longer. */
const longestMs = 5_000;

/**
 * Runs that may be what ends processes are tried a few at a time, and in the end alone, so that the one that is takes no
 * other with it for good. Those that wait here are this node's by their rows, and nothing was written of it: if the node dies, they are as they were.
 */
export class Trials {
  readonly #clock: Clock;
  readonly #begin: (row: RunRow) => void;
  readonly #waiting: { readonly row: RunRow; readonly claims: number }[] = [];
  /** What is tried, each with what takes back its bell. */
  readonly #present = new Map<string, () => void>();
  /** How many may be tried beside each other at present. */
  #width = 1;

  constructor(clock: Clock, begin: (row: RunRow) => void) {
    this.#clock = clock;
    this.#begin = begin;
  }

  get size(): number {
    return this.#waiting.length;
  }
  has(run: string): boolean {
    return this.#waiting.some(({ row }) => row.run === run);
  }

  /** Whether it is a run's turn; otherwise it waits for that. */
  mayTry(row: RunRow, claims: number): boolean {
    if (this.#present.has(row.run)) return true;
    this.#waiting.push({ row, claims });
    return false;
  }

  /**
   * Tries the next ones: who was claimed least often first, and the fewer at a time the more often they were claimed. So
   * the one that is guilty is alone in the end, and all others are through by then.
   */
  next(): void {
    for (const one of this.#waiting.toSorted((a, b) => a.claims - b.claims)) {
      const { row, claims } = one;
      const width = widthOf(claims);
      if (this.#present.size >= width || (this.#present.size > 0 && this.#width !== width)) return;
      this.#width = width;
      this.#waiting.splice(this.#waiting.indexOf(one), 1);
      this.#present.set(
        row.run,
        this.#clock.after(longestMs, () => this.over(row.run)),
      );
      this.#begin(row);
    }
  }

  /** A run has got further, or has left memory. */
  over(run: string): void {
    const disarm = this.#present.get(run);
    if (!disarm) return;
    disarm();
    this.#present.delete(run);
    this.next();
  }

  /** Gives up those that wait. */
  clear(): readonly RunRow[] {
    return this.#waiting.splice(0).map(({ row }) => row);
  }
}

const widthOf = (claims: number): number => (claims <= 3 ? 32 : claims === 4 ? 8 : 1);
