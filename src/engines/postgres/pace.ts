/** Fewer than twice as many travel as one group. */
const worthHalving = 16;
/** How much the newest group counts among all of them. */
const weight = 0.1;

/**
 * Whether what is wanted travels whole or by halves. By halves the server works on one while this process is at what the
 * other was answered, where both would wait for each other by turns: whoever is told together asks together. But a group
 * holds its log until it is flushed, so halves wait for two flushes, one after the other, and whatever other processes do in
 * between. They pay where that waiting is shorter than what this process has to do for all that is answered.
 */
export class Pace {
  /** Of a group, in ms: its flush, its way, and its turn at the log. Undefined until one was seen, here and below. */
  #waitMs: number | undefined;
  /** Of an append that was answered, in ms: what its caller does until the next group goes. */
  #ownMs: number | undefined;

  /** A group was answered after so long, of which the server worked for `workedMs`. */
  answered(tookMs: number, workedMs: number): void {
    this.#waitMs = smoothed(this.#waitMs, Math.max(0, tookMs - workedMs));
  }

  /** So many were answered, and so long after that more was asked for. */
  asked(afterMs: number, answered: number): void {
    if (answered > 0) this.#ownMs = smoothed(this.#ownMs, afterMs / answered);
  }

  /** How many of all that is wanted and not answered go together. */
  together(wanted: number): number {
    if (wanted < 2 * worthHalving || this.#waitMs === undefined || this.#ownMs === undefined) return wanted;
    return this.#waitMs < this.#ownMs * wanted ? Math.ceil(wanted / 2) : wanted;
  }
}

const smoothed = (before: number | undefined, now: number): number =>
  before === undefined ? now : before + weight * (now - before);
