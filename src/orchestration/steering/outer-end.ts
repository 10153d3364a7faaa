import type { Change, NewEntry, RunRow } from "../journal/journal.ts";
import { parentOf } from "../node/active-runs.ts";
import type { Verdict } from "../replay/verdict.ts";
import { toEnding } from "./steering.ts";

/** An end that is written without the run's code: its entry, what becomes of its row and who is told, and the verdict. */
export interface OuterEnd {
  readonly end: NewEntry;
  readonly change: Change;
  readonly verdict: Verdict & { readonly kind: "failed" };
}

/** Ends a run of which no code is to run any more. */
export function toOuterEnd(
  row: RunRow,
  to: "cancel" | "terminate",
  said: { readonly by: string; readonly reason?: string | undefined },
  at: number,
): OuterEnd {
  const { run } = row;
  const state = to === "cancel" ? "cancelled" : "terminated";
  const thrown = toEnding(to, run, said);
  const parent = parentOf(row);
  const item = { signal: "", payload: { ended: run }, by: `run:${run}`, at };
  return {
    end: { type: "Ended", state, thrown },
    change: {
      row: { state, owner: null, wakeAt: null, endedAt: at, reason: null },
      ...(parent !== undefined && { tell: { run: parent, item } }),
    },
    verdict: { kind: "failed", thrown, state },
  };
}
