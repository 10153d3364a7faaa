import type { SeenSpan } from "./span.ts";
import { runId, stateOfRun } from "./state.ts";
import { inOrder, type Trace } from "./trace.ts";

/** A process that died, and what it was in the middle of. */
export interface Outage {
  readonly epoch: number;
  readonly pid: number;
  readonly atMs: number;
  readonly backMs: number;
  readonly underWay: readonly { readonly run: string; readonly trace: string }[];
  /** Runs that waited for a signal or an hour: on disk, and in no process's way. */
  readonly waiting: number;
}

/** The runs that a process has in its hands: read just before its spans are cut. */
export function runsInHand(traces: Iterable<Trace>): Pick<Outage, "underWay" | "waiting"> {
  const underWay: { run: string; trace: string }[] = [];
  let waiting = 0;
  for (const trace of traces) {
    const spans = inOrder(trace);
    for (const run of new Set(spans.filter(({ kind }) => kind === "run").map(runId))) {
      const state = stateOfRun(spans, run);
      if (state === "running") underWay.push({ run, trace: trace.id });
      if (state === "waiting") waiting += 1;
    }
  }
  return { underWay, waiting };
}

export interface Aftermath {
  readonly underWay: number;
  readonly wentOn: number;
  readonly ended: number;
}

/**
 * What became of the runs that were under way, read from the spans that came since. A run whose beginning was not on disk
 * yet was acknowledged to nobody: its caller asks again, and it begins anew in the trace of that request.
 */
export function aftermath(outage: Outage, traces: ReadonlyMap<string, Trace>): Aftermath {
  let wentOn = 0;
  let ended = 0;
  for (const { run, trace } of outage.underWay) {
    const since = (spans: readonly SeenSpan[]): boolean =>
      spans.some((span) => span.kind === "run" && runId(span) === run && span.epoch > outage.epoch);
    const own = traces.get(trace);
    const spans = [...(own ? [own] : []), ...traces.values()].map(inOrder).find(since);
    if (!spans) continue;
    wentOn += 1;
    if (["done", "undone", "declined", "failed"].includes(stateOfRun(spans, run))) ended += 1;
  }
  return { underWay: outage.underWay.length, wentOn, ended };
}
