import { isFailing } from "../model/failing.ts";
import type { SeenSpan } from "../model/span.ts";
import { isRest } from "../model/state.ts";
import type { Trace } from "../model/trace.ts";
import { endsWith, type Rests, restsIn } from "./rests.ts";
import type { Row } from "./rows.ts";

/** A piece of a row's bar. */
export interface Segment {
  readonly key: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly look: "work" | "holds" | "rest" | "gap" | "cut" | "failed" | "poor";
  readonly open: boolean;
}

/** `holds` are spans that mostly contain others; in a `gap` the run, or the step that waits, is in no process's hands. */
export function segmentsOf(row: Row, trace: Trace, nowMs: number): Segment[] {
  const rests = restsIn(trace, nowMs);
  const segments: Segment[] = [];
  for (const [i, span] of row.spans.entries()) {
    const endMs = span.endMs ?? Math.max(nowMs, span.startMs);
    segments.push({
      key: span.span,
      fromMs: span.startMs,
      toMs: endMs,
      look: lookOf(span),
      open: span.status === "open",
    });
    const untilMs = row.spans[i + 1]?.startMs ?? restsUntil(span, row, trace, rests);
    if (untilMs !== undefined && untilMs > endMs)
      segments.push({ key: `gap:${span.span}`, fromMs: endMs, toMs: untilMs, look: "gap", open: untilMs === nowMs });
  }
  return segments;
}

function restsUntil(span: SeenSpan, row: Row, trace: Trace, rests: Rests): number | undefined {
  if (row.kind === "run") return rests.get(span.span);
  const activation = span.parent === undefined ? undefined : trace.spans.get(span.parent);
  return row.rests && activation && endsWith(span, activation) ? rests.get(activation.span) : undefined;
}

function lookOf(span: SeenSpan): Segment["look"] {
  if (isRest(span)) return "rest";
  if (span.status === "cut") return "cut";
  if (span.status === "failed") return "failed";
  if (span.kind === "source" && isFailing(String(span.attributes["trilith.state"]))) return "poor";
  return ["request", "operation", "run", "view"].includes(span.kind) ? "holds" : "work";
}
