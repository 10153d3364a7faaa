/** Time as a port, so that a test can skip days. */
export interface Clock {
  /** Milliseconds since 1970: for what is written down. */
  now(): number;
  /** Milliseconds that never go back: for deadlines. */
  monotonic(): number;
  /** Calls `wake` once, `ms` from now and after whatever has come in until then; the answer takes it back. */
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
    let turn: NodeJS.Immediate | undefined;
    // Node looks at its timers before its sockets. Where it was kept busy beyond a deadline, the answer that had come in
    // time would be called late; so what is there already is read first.
    const come = (): void => {
      turn = setImmediate(wake);
    };
    const arm = (left: number): void => {
      timer = left > longestTimer ? setTimeout(() => arm(left - longestTimer), longestTimer) : setTimeout(come, left);
    };
    arm(Math.max(0, ms));
    return () => {
      clearTimeout(timer);
      clearImmediate(turn);
    };
  },
});
