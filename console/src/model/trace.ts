import type { SeenSpan } from "./span.ts";

/** One trace: what one request (or one schedule) set in motion, over every process that worked on it. */
export interface Trace {
  readonly id: string;
  /** By span id, in the order in which they were first seen. */
  readonly spans: ReadonlyMap<string, SeenSpan>;
  readonly startMs: number;
  /** The last instant that any of its spans tells of. */
  readonly lastMs: number;
  /** Spans that were not kept, because the trace has too many. */
  readonly dropped: number;
}

export const spansPerTrace = 500;

export function withSpans(id: string, before: Trace | undefined, changed: readonly SeenSpan[]): Trace {
  const spans = new Map(before?.spans);
  let { startMs, lastMs, dropped } = before ?? { startMs: Number.POSITIVE_INFINITY, lastMs: 0, dropped: 0 };
  for (const span of changed) {
    if (!spans.has(span.span) && spans.size >= spansPerTrace) {
      dropped += 1;
      continue;
    }
    spans.set(span.span, span);
    startMs = Math.min(startMs, span.startMs);
    lastMs = Math.max(lastMs, latest(span));
  }
  return { id, spans, startMs: Number.isFinite(startMs) ? startMs : lastMs, lastMs, dropped };
}

export const isLive = (trace: Trace): boolean => [...trace.spans.values()].some(({ status }) => status === "open");

/** Spans by start; what started together stays in the order of arrival. */
export const inOrder = (trace: Trace): SeenSpan[] => [...trace.spans.values()].sort((a, b) => a.startMs - b.startMs);

export function latest(span: Pick<SeenSpan, "startMs" | "endMs" | "events">): number {
  let last = Math.max(span.startMs, span.endMs ?? 0);
  for (const { atMs } of span.events) last = Math.max(last, atMs);
  return last;
}
