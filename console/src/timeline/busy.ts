import type { SeenSpan } from "../model/span.ts";
import { isRest } from "../model/state.ts";
import { latest, type Trace } from "../model/trace.ts";
import type { Interval } from "./axis.ts";
import { endsWith, type Rests, restsIn } from "./rests.ts";

/** When something was being done: the spans that contain no others, except those in which a run merely waits. */
export function busyIn(trace: Trace, nowMs: number): Interval[] {
  const parents = new Set([...trace.spans.values()].flatMap(({ parent }) => parent ?? []));
  const rests = restsIn(trace, nowMs);
  const busy: Interval[] = [];
  for (const span of trace.spans.values()) {
    const endMs = span.endMs ?? nowMs;
    const works = !parents.has(span.span) && !isRest(span) && span.kind !== "run";
    if (works) busy.push({ fromMs: span.startMs, toMs: Math.max(endMs, latest(span)) });
    // Whatever begins or ends is worth some room of its own, but for a run that leaves memory in the middle of a wait.
    else
      busy.push(at(span.startMs), ...(span.status !== "cut" && goesOnResting(span, trace, rests) ? [] : [at(endMs)]));
    for (const { atMs } of span.events) busy.push(at(atMs));
  }
  return busy;
}

function goesOnResting(span: SeenSpan, trace: Trace, rests: Rests): boolean {
  if (span.kind === "run") return rests.has(span.span);
  const activation = span.parent === undefined ? undefined : trace.spans.get(span.parent);
  return isRest(span) && activation !== undefined && rests.has(activation.span) && endsWith(span, activation);
}

const at = (ms: number): Interval => ({ fromMs: ms, toMs: ms });
