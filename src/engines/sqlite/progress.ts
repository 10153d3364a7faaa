import { progressOf } from "./messages.ts";

/** Whether a batch comes after another one: they are counted modulo 2^32. */
export const isAfter = (batch: number, other: number): boolean => ((batch - other) | 0) > 0;

/** All batches up to this one are on disk. Two threads flush, and the slower one may not take back what the other has said. */
export function flushedUpTo(progress: Int32Array, batch: number): void {
  let was = Atomics.load(progress, progressOf.flushed);
  while (isAfter(batch, was)) {
    const found = Atomics.compareExchange(progress, progressOf.flushed, was, batch);
    if (found === was) return;
    was = found;
  }
}
