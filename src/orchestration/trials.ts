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
  readonly #waiting: RunRow[] = [];
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
    return this.#waiting.some((row) => row.run === run);
  }

  /** Whether a run may be tried now; otherwise it is begun once the others have been. */
  mayTry(row: RunRow): boolean {
    if (this.#present !== undefined) {
      this.#waiting.push(row);
      return false;
    }
    const { run } = row;
    this.#present = run;
    this.#disarm = this.#clock.after(longestMs, () => this.over(run));
    return true;
  }

  /** A run has got further, or has left memory. */
  over(run: string): void {
    if (this.#present !== run) return;
    this.#disarm();
    this.#present = undefined;
    const next = this.#waiting.shift();
    if (next) this.#begin(next);
  }

  /** Gives up those that wait. */
  clear(): readonly RunRow[] {
    return this.#waiting.splice(0);
  }
}
