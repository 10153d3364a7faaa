/** Time as a port, so that a test can skip days. */
export interface Clock {
  /** Milliseconds since 1970: for what is written down. */
  now(): number;
  /** Milliseconds that never go back: for deadlines. */
  monotonic(): number;
  /** Calls `wake` once, `ms` from now; the answer takes it back. */
  after(ms: number, wake: () => void): () => void;
}

const longestTimer = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms: number, wake: () => void) {
    // setTimeout fires at once for anything beyond 24.8 days, so a long wait is taken in parts.
    let timer: NodeJS.Timeout;
    const arm = (left: number): void => {
      timer = left > longestTimer ? setTimeout(() => arm(left - longestTimer), longestTimer) : setTimeout(wake, left);
    };
    arm(Math.max(0, ms));
    return () => clearTimeout(timer);
  },
});
