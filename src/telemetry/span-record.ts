import {
  type AttributeValue,
  type HrTime,
  type Attributes as OtelAttributes,
  SpanStatusCode,
} from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { SpanKind } from "../contracts/index.ts";

/** A span as the console is told of it: plain JSON. */
export interface SpanRecord {
  /** 32 hexadecimal digits. */
  readonly trace: string;
  /** 16 hexadecimal digits. */
  readonly span: string;
  readonly parent?: string;
  readonly kind: SpanKind;
  readonly name: string;
  /** Milliseconds since 1970, with fractions. */
  readonly startMs: number;
  readonly endMs?: number;
  readonly status: "open" | "ok" | "failed";
  readonly attributes: { readonly [name: string]: AttributeValue };
  readonly events: readonly SpanMoment[];
  /** Where the span failed. */
  readonly problem?: SpanProblem;
}
export interface SpanMoment {
  readonly name: string;
  readonly atMs: number;
  readonly attributes: { readonly [name: string]: AttributeValue };
}
export interface SpanProblem {
  /** Of a `Failed` or a `Fault`; the error's name otherwise. */
  readonly code: string;
  /** A sentence; for what nobody declared, the error's message. */
  readonly title: string;
}

/** What a span of the SDK says right now. */
export function toRecord(span: ReadableSpan): SpanRecord {
  const { traceId, spanId } = span.spanContext();
  const { "trilith.kind": kind, ...attributes } = span.attributes;
  const failed = span.status.code === SpanStatusCode.ERROR;
  return {
    trace: traceId,
    span: spanId,
    ...(span.parentSpanContext && { parent: span.parentSpanContext.spanId }),
    kind: (kind ?? "operation") as SpanKind,
    name: span.name,
    startMs: toMs(span.startTime),
    ...(span.ended && { endMs: toMs(span.endTime) }),
    status: failed ? "failed" : span.ended ? "ok" : "open",
    attributes: defined(attributes),
    events: span.events.map(({ name, time, attributes = {} }) => ({
      name,
      atMs: toMs(time),
      attributes: defined(attributes),
    })),
    ...(failed && {
      problem: { code: String(span.attributes["error.type"] ?? "Error"), title: span.status.message ?? "" },
    }),
  };
}

const toMs = ([seconds, nanoseconds]: HrTime): number => seconds * 1_000 + nanoseconds / 1e6;

const defined = (attributes: OtelAttributes): { readonly [name: string]: AttributeValue } =>
  Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, AttributeValue] => entry[1] !== undefined),
  );
