import type { EndState, NewEntry, Request, Thrown } from "../journal/journal.ts";

type FailedState = Exclude<EndState, "done">;

/** How an activation of a run came to its end. */
export type Verdict =
  | { readonly kind: "done"; readonly output: unknown }
  | { readonly kind: "failed"; readonly thrown: Thrown; readonly cause?: unknown; readonly state: FailedState }
  /** It waits, out of memory; `wakeAt` is null where only a signal can wake it. */
  | { readonly kind: "suspended"; readonly wakeAt: number | null }
  /** It cannot go on until a person has mended something. */
  | { readonly kind: "paused"; readonly reason: string }
  /** Its node let go of it. */
  | { readonly kind: "parked" }
  /** A history was replayed to its last entry: how the code ended there, or what it asked for beyond. */
  | { readonly kind: "rehearsed"; readonly ended: NewEntry | undefined; readonly asked: Request | undefined }
  /** It was not begun: the journal refuses its input. */
  | { readonly kind: "refused"; readonly error: Error }
  /** Another node has it. */
  | { readonly kind: "fenced" }
  /** The journal cannot be written; what was acknowledged is safe. */
  | { readonly kind: "lost"; readonly error: unknown };
