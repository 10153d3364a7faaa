import { type FeedParts, toMerge, wakeOnAbort } from "./feed-parts.ts";
import { KeptFeed } from "./kept-feed.ts";
import type { Emitted } from "./slice.ts";

/**
 * Runs a feed: merges its inputs and gives out what the stage makes of them. Nothing is read before somebody asks for
 * more, so a slow consumer slows the inputs.
 *
 * Where state is kept, results are written in one step with the positions that they come from, and given out after that.
 * What may not have been taken when the process ended is given out `again`, in the same words, whatever the inputs bring
 * then; so a consumer that knows what it had before takes each result once. Slices without results are left out.
 */
export function runFeed<T, O, L = T>(parts: FeedParts<T, O, L>): AsyncGenerator<Emitted<O, L>, void, void> {
  return parts.state ? new KeptFeed(parts, parts.state).slices() : passing(parts);
}

/** Nothing is kept: every slice is given out as soon as it is there. */
async function* passing<T, O, L>(parts: FeedParts<T, O, L>): AsyncGenerator<Emitted<O, L>, void, void> {
  const { stage, aborted } = parts;
  const merge = toMerge(parts, undefined);
  const release = wakeOnAbort(merge, aborted);
  try {
    while (!aborted?.aborted) {
      const slice = merge.take();
      if (slice) yield stage.take(slice);
      else if (merge.isOver) return yield stage.take(merge.end());
      else await merge.wait();
    }
  } finally {
    release();
    merge.close();
  }
}
