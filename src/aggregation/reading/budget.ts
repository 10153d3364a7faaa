const share = 0.1;
const mostMs = 20;

/**
 * What of a budget is left for a call that this answer depends on: all but a tenth, at most 20 ms, in which what comes
 * back at the last moment is still fused and sent. Without it, every level of nested views would end at the same instant,
 * and the outermost would call the next one slow that was just in time.
 */
export const dependentMs = (remainingMs: number): number => remainingMs - Math.min(mostMs, remainingMs * share);
