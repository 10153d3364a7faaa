import { TraceFlags } from "@opentelemetry/api";
import type { IdGenerator } from "@opentelemetry/sdk-trace";
import type { Attributes, Span, SpanKind, Tracing } from "../contracts/index.ts";
import { parseTraceparent, toTraceparent } from "./trace.ts";

/**
 * The contracts' `Tracing` where nobody hears of spans: a trace keeps its id and is handed on as ever, so that whoever
 * comes after it can measure, and nothing is measured here.
 */
export function createUnheard(ids: IdGenerator): Tracing {
  const begin = (): Span => {
    const place = { traceId: ids.generateTraceId(), spanId: ids.generateSpanId(), traceFlags: TraceFlags.SAMPLED };
    return placeOf(toTraceparent(place));
  };
  return Object.freeze({
    begin,
    continue: (traceparent: string) => (parseTraceparent(traceparent) ? placeOf(traceparent) : begin()),
  });
}

function placeOf(traceparent: string): Span {
  const place: Span = Object.freeze({
    traceparent,
    span: <R>(_kind: SpanKind, _name: string, _attributes: Attributes, work: (inside: Span) => R) => work(place),
    set: () => {},
    event: () => {},
  });
  return place;
}
