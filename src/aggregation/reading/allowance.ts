const most = 10;
const share = 0.1;

/**
 * How often a source may be asked once more than necessary, to repeat or to hedge: a tenth of its questions, with a
 * small reserve. A source that is down for everybody is thus not asked twice as often as one that is up.
 */
export class Allowance {
  #left = most;

  /** One question was asked that had to be. */
  earn(): void {
    this.#left = Math.min(most, this.#left + share);
  }

  /** Takes one repetition, if there is one left. */
  spend(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

const firstPauseMs = 25;
const longestPauseMs = 2_000;

/**
 * How long to wait before attempt `next` (2, 3, …): full jitter, so that callers that failed together do not come back
 * together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export function pauseBefore(next: number, random: () => number): number {
  return random() * Math.min(longestPauseMs, firstPauseMs * 2 ** (next - 1));
}
