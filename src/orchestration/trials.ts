import type { Clock } from "../contracts/index.ts";
import type { RunRow } from "./journal.ts";

/** How long a suspect has its node for itself at the most: one that is at a long step keeps the others no longer. */
const longestMs = 5_000;

/**
 * Runs that may be what ends processes are tried one at a time, so that the one that is takes no other with it. Those
 * that wait here are this node's by their rows, and nothing was written of it: if the node dies, they are as they were.
 */
export class Trials {
  readonly #clock: Clock;
  readonly #begin: (row: RunRow) => void;
  readonly #waiting: { readonly row: RunRow; readonly claims: number }[] = [];
  #present: string | undefined;
  #disarm: () => void = () => {};

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
    if (this.#present === row.run) return true;
    this.#waiting.push({ row, claims });
    return false;
  }

  /**
   * Tries the next one, if none is being tried: who was claimed least often. So the one that is guilty is tried again
   * when the others are through, and processes that are killed from outside do not make one and the same run suspicious.
   */
  next(): void {
    if (this.#present !== undefined) return;
    const [first] = this.#waiting.toSorted((a, b) => a.claims - b.claims);
    if (!first) return;
    this.#waiting.splice(this.#waiting.indexOf(first), 1);
    const { row } = first;
    this.#present = row.run;
    this.#disarm = this.#clock.after(longestMs, () => this.over(row.run));
    this.#begin(row);
  }

  /** A run has got further, or has left memory. */
  over(run: string): void {
    if (this.#present !== run) return;
    this.#disarm();
    this.#present = undefined;
    this.next();
  }

  /** Gives up those that wait. */
  clear(): readonly RunRow[] {
    return this.#waiting.splice(0).map(({ row }) => row);
  }
}
