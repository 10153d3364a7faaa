import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";
import { type SpanRecord, toRecord } from "./span-record.ts";

/** The spans of late, and the ones that come. */
export interface SpanFeed {
  /** What is remembered, oldest trace first; each span as it is now. */
  recent(): readonly SpanRecord[];
  /** Tells of every span at its start, at its events and at its end. The answer takes the listener away. */
  subscribe(listener: (record: SpanRecord) => void): () => void;
}

const spansPerTrace = 500;

/**
 * Remembers the last `keep` traces, each with its first 500 spans. Later spans of such a trace are told of and forgotten,
 * so a run that takes months does not fill the memory.
 */
export function createSpanFeed({ keep }: { readonly keep: number }): {
  readonly feed: SpanFeed;
  readonly processor: SpanProcessor;
  readonly eventAdded: (span: ReadableSpan) => void;
} {
  const traces = new Map<string, Map<string, ReadableSpan>>();
  const listeners = new Set<(record: SpanRecord) => void>();

  const told = (span: ReadableSpan): void => {
    remember(traces, span, keep);
    if (listeners.size === 0) return;
    const record = toRecord(span);
    for (const listener of listeners) {
      try {
        listener(record);
      } catch {
        listeners.delete(listener); // a watcher that fails must not fail the work that it watches
      }
    }
  };

  return {
    feed: Object.freeze({
      recent: () => [...traces.values()].flatMap((spans) => [...spans.values()].map(toRecord)),
      subscribe(listener: (record: SpanRecord) => void) {
        const own = (record: SpanRecord): void => listener(record);
        listeners.add(own);
        return () => void listeners.delete(own);
      },
    }),
    processor: { onStart: told, onEnd: told, forceFlush: async () => {}, shutdown: async () => listeners.clear() },
    eventAdded: told,
  };
}

// The spans themselves: most are forgotten before anybody looks, and a record costs as much as the rest of a span.
function remember(traces: Map<string, Map<string, ReadableSpan>>, span: ReadableSpan, keep: number): void {
  const { traceId, spanId } = span.spanContext();
  const spans = traces.get(traceId);
  if (spans) {
    if (spans.size < spansPerTrace) spans.set(spanId, span);
    return;
  }
  // The end of a span whose trace has been forgotten does not bring it back.
  if (span.ended) return;
  traces.set(traceId, new Map([[spanId, span]]));
  for (const oldest of traces.keys()) {
    if (traces.size <= keep) break;
    traces.delete(oldest);
  }
}
