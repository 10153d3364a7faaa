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
  #lastAnswer = Number.NEGATIVE_INFINITY;
  /** How many were answered in this turn of the event loop, and since when. */
  #answered = 0;
  #since = 0;

  /** A group is sent. The server begins with it when it has answered the one before. */
  sent(now: number): void {
    if (this.#answered > 0) this.#ownMs = smoothed(this.#ownMs, (now - this.#since) / this.#answered);
    this.#answered = 0;
  }

  /** A group of so many, which was sent then, is answered. Of that the server worked for `workedMs`, where it says so. */
  answered(now: number, sentAt: number, count: number, workedMs: number | undefined): void {
    if (workedMs !== undefined)
      this.#waitMs = smoothed(this.#waitMs, Math.max(0, now - Math.max(sentAt, this.#lastAnswer) - workedMs));
    this.#lastAnswer = now;
    if (this.#answered === 0) this.#since = now;
    this.#answered += count;
  }

  /** The turn is over: who was answered in it and has asked for nothing is no measure. */
  turned(): void {
    this.#answered = 0;
  }

  /** How many of all that is wanted and not answered go together. */
  together(wanted: number): number {
    if (wanted < 2 * worthHalving || this.#waitMs === undefined || this.#ownMs === undefined) return wanted;
    return this.#waitMs < this.#ownMs * wanted ? Math.ceil(wanted / 2) : wanted;
  }
}

const smoothed = (before: number | undefined, now: number): number =>
  before === undefined ? now : before + weight * (now - before);
