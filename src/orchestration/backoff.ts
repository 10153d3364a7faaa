const baseMs = 100;
const capMs = 10_000;

/**
 * The pause before the next attempt, in ms: exponential with full jitter, so that many runs that failed together do
 * not come back together (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
export function backoffMs(failedAttempts: number, random: number): number {
  return Math.round(random * Math.min(capMs, baseMs * 2 ** Math.min(failedAttempts, 20)));
}
