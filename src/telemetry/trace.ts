import {
  type HrTime,
  type Span as OtelSpan,
  SpanKind as OtelSpanKind,
  ROOT_CONTEXT,
  type SpanContext,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { IdGenerator, ReadableSpan } from "@opentelemetry/sdk-trace";
import {
  type Attributes,
  Failed,
  Fault,
  type Span,
  type SpanKind,
  type Trace,
  type Tracing,
} from "../contracts/index.ts";

export interface TraceParts {
  readonly tracer: Tracer;
  readonly now: () => HrTime;
  readonly ids: IdGenerator;
  /** Starts a root span under a trace id that is already known. */
  readonly withTraceId: (traceId: string, start: () => OtelSpan) => OtelSpan;
  readonly eventAdded: (span: ReadableSpan) => void;
}

const otelKinds: { readonly [K in SpanKind]: OtelSpanKind } = {
  request: OtelSpanKind.SERVER,
  source: OtelSpanKind.CLIENT,
  operation: OtelSpanKind.INTERNAL,
  run: OtelSpanKind.INTERNAL,
  step: OtelSpanKind.INTERNAL,
  view: OtelSpanKind.INTERNAL,
  append: OtelSpanKind.INTERNAL,
};

/** The contracts' `Tracing` over a tracer. */
export function createTracing(parts: TraceParts): Tracing {
  return Object.freeze({
    begin: () => beginning(parts),
    continue(traceparent: string) {
      const place = parseTraceparent(traceparent);
      return place ? below(place, parts) : beginning(parts);
    },
  });
}

/** Reads a `traceparent` (W3C Trace Context, level 1). Undefined for what is not one. */
export function parseTraceparent(text: string): SpanContext | undefined {
  const [, version, traceId, spanId, flags] =
    /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/.exec(text) ?? [];
  if (!version || !traceId || !spanId || !flags || version === "ff") return undefined;
  if (version === "00" && text.length !== 55) return undefined;
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
  return trace.isSpanContextValid(context) ? context : undefined;
}

/** A trace whose id is known before its first span: spans below it are roots. */
function beginning(parts: TraceParts): Trace {
  const traceId = parts.ids.generateTraceId();
  const traceparent = toTraceparent({ traceId, spanId: parts.ids.generateSpanId(), traceFlags: TraceFlags.SAMPLED });
  return Object.freeze({
    traceparent,
    span: <R>(kind: SpanKind, name: string, attributes: Attributes, work: (inside: Span) => R) =>
      measure(
        parts.withTraceId(traceId, () => start(parts, kind, name, attributes)),
        parts,
        work,
      ),
  });
}

function below(place: SpanContext, parts: TraceParts): Trace {
  return Object.freeze({ traceparent: toTraceparent(place), span: spanBelow(place, parts) });
}

function spanBelow(place: SpanContext, parts: TraceParts): Trace["span"] {
  return (kind, name, attributes, work) => measure(start(parts, kind, name, attributes, place), parts, work);
}

function start(
  parts: TraceParts,
  kind: SpanKind,
  name: string,
  attributes: Attributes,
  parent?: SpanContext,
): OtelSpan {
  const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
  const given = { ...attributes, "trilith.kind": kind };
  return parts.tracer.startSpan(
    name,
    { kind: otelKinds[kind], attributes: given, startTime: parts.now(), root: !parent },
    context,
  );
}

function measure<R>(span: OtelSpan, parts: TraceParts, work: (inside: Span) => R): R {
  const end = (): void => span.end(parts.now());
  const fail = (thrown: unknown): never => {
    recordFailure(span, thrown, parts.now());
    end();
    throw thrown;
  };
  let given: R;
  try {
    given = work(toSpan(span, parts));
  } catch (thrown) {
    return fail(thrown);
  }
  if (given instanceof Promise) {
    const told = (value: unknown): unknown => {
      end();
      return value;
    };
    return given.then(told, fail) as R; // a promise of the same
  }
  end();
  return given;
}

function toSpan(span: OtelSpan, parts: TraceParts): Span {
  const place = span.spanContext();
  return Object.freeze({
    traceparent: toTraceparent(place),
    span: spanBelow(place, parts),
    // What is said after the end has nowhere to go; the SDK would only complain about it.
    set(attributes: Attributes) {
      if (span.isRecording()) span.setAttributes(attributes);
    },
    event(name: string, attributes: Attributes = {}) {
      if (!span.isRecording()) return;
      span.addEvent(name, attributes, parts.now());
      parts.eventAdded(span as OtelSpan & ReadableSpan); // a recording span of the SDK is readable
    },
  });
}

/** A declared failure is an answer and has no stack worth keeping; of anything else the exception is recorded. */
function recordFailure(span: OtelSpan, thrown: unknown, at: HrTime): void {
  const known = thrown instanceof Failed || thrown instanceof Fault;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  span.setAttribute("error.type", known ? thrown.code : error.name);
  if (known) span.setAttribute("trilith.retry", thrown.retry);
  if (!(thrown instanceof Failed)) span.recordException(error, at);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
}

export const toTraceparent = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
