/** How far the backend's clock is behind this page's, in milliseconds; 0 until there is reason to think otherwise. */
export type Skew = number;

/** Less than this is the way of the message, not the clock. */
const toleranceMs = 2_000;

/**
 * A span that has just ended was news a moment ago: the smallest delay seen is the difference of the clocks.
 * On one machine that is next to nothing, and then nothing is corrected.
 */
export function observeDelay(smallestMs: number | undefined, receivedMs: number, toldMs: number): number {
  return Math.min(smallestMs ?? Number.POSITIVE_INFINITY, receivedMs - toldMs);
}

export function skewFrom(smallestMs: number | undefined): Skew {
  if (smallestMs === undefined) return 0;
  return smallestMs < 0 || smallestMs > toleranceMs ? smallestMs : 0;
}
