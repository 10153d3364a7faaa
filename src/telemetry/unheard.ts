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

const placeOf = (traceparent: string): Span => new Unheard(traceparent);

/** There is one for every request, so what they have in common is theirs together. */
class Unheard implements Span {
  readonly traceparent: string;
  readonly unheard = true;
  constructor(traceparent: string) {
    this.traceparent = traceparent;
  }

  span<R>(_kind: SpanKind, _name: string, _attributes: Attributes, work: (inside: Span) => R): R {
    return work(this);
  }

  set(): void {}

  event(): void {}
}
