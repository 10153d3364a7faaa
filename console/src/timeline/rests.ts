import type { SeenSpan } from "../model/span.ts";
import { runId, stateOfRun } from "../model/state.ts";
import { inOrder, type Trace } from "../model/trace.ts";

/** For each activation that left its run waiting, by span id: until when the run waited. */
export type Rests = ReadonlyMap<string, number>;

/**
 * A run that waits for long leaves memory: its spans end, and nothing tells of the waiting but the next activation.
 * While there is none yet, it waits still.
 */
export function restsIn(trace: Trace, nowMs: number): Rests {
  const rests = new Map<string, number>();
  const spans = inOrder(trace);
  const runs = Map.groupBy(
    spans.filter(({ kind }) => kind === "run"),
    runId,
  );
  for (const [run, activations] of runs) {
    for (const [i, { span, status }] of activations.entries()) {
      const next = activations[i + 1];
      if (next) rests.set(span, next.startMs);
      else if (status !== "open" && stateOfRun(spans, run) === "waiting") rests.set(span, nowMs);
    }
  }
  return rests;
}

/** Whether a step was cut short by the end of its activation, rather than over before it. */
export const endsWith = (step: SeenSpan, activation: SeenSpan | undefined): boolean =>
  activation?.endMs !== undefined && step.endMs !== undefined && step.endMs >= activation.endMs - 50;
