import { type Duration, toMs } from "../../contracts/index.ts";

/** How event time is cut into windows (Dataflow: fixed, sliding, sessions). A window holds its start and not its end. */
export type Windows =
  | { readonly kind: "sliding"; readonly sizeMs: number; readonly everyMs: number; readonly offsetMs: number }
  | { readonly kind: "session"; readonly gapMs: number };

/** Fixed windows, side by side. They begin at multiples of `size` since 1970, moved by `offset`. */
export function tumbling(size: Duration, offset: Duration = "0ms"): Windows {
  return sliding(size, size, offset);
}

/** Windows that overlap: one of `size` begins each `every`. */
export function sliding(size: Duration, every: Duration, offset: Duration = "0ms"): Windows {
  const [sizeMs, everyMs, offsetMs] = [toMs(size), toMs(every), toMs(offset)];
  if (everyMs <= 0 || sizeMs < everyMs)
    throw new TypeError(
      `A window of ${size} each ${every} leaves gaps, or never begins. Give a size that is at least as long.`,
    );
  return Object.freeze({ kind: "sliding", sizeMs, everyMs, offsetMs });
}

/** Windows of activity: records of one key belong together as long as no `gap` is between them. */
export function session(gap: Duration): Windows {
  const gapMs = toMs(gap);
  if (gapMs <= 0) throw new TypeError("A session ends after a gap; give one that is longer than nothing.");
  return Object.freeze({ kind: "session", gapMs });
}
