/** A span as the feed sends it: sent again, under the same id, whenever it changes. Times are epoch milliseconds with fractions. */
export interface SpanRecord {
  readonly trace: string;
  readonly span: string;
  readonly parent?: string;
  readonly kind: SpanKind;
  readonly name: string;
  readonly startMs: number;
  readonly endMs?: number;
  readonly status: "open" | "ok" | "failed";
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly problem?: Problem;
}
export type SpanKind = "request" | "operation" | "run" | "step" | "view" | "source" | "append";
export type Attributes = Readonly<Record<string, string | number | boolean>>;
export interface SpanEvent {
  readonly name: string;
  readonly atMs: number;
  readonly attributes?: Attributes;
}
export interface Problem {
  readonly code?: string;
  /** A sentence. */
  readonly title?: string;
}

/** A span as this page keeps it. `cut` is one that its process left open when it died; `epoch` counts the processes seen. */
export interface SeenSpan extends Omit<SpanRecord, "status"> {
  readonly status: "open" | "ok" | "failed" | "cut";
  readonly epoch: number;
}

/** What came over the wire, or undefined if it is not a span: a page that is older than its backend must not break. */
export function readSpan(value: unknown): SpanRecord | undefined {
  if (!isRecord(value)) return undefined;
  const { trace, span, parent, kind, name, startMs, endMs, status, attributes, events, problem } = value;
  if (typeof trace !== "string" || typeof span !== "string" || typeof startMs !== "number") return undefined;
  if (!isKind(kind) || (status !== "open" && status !== "ok" && status !== "failed")) return undefined;
  const said = readProblem(problem);
  return {
    trace,
    span,
    kind,
    name: typeof name === "string" ? name : kind,
    startMs,
    status,
    attributes: readAttributes(attributes),
    events: Array.isArray(events) ? events.flatMap(readEvent) : [],
    ...(typeof parent === "string" && { parent }),
    ...(typeof endMs === "number" && { endMs }),
    ...(said && { problem: said }),
  };
}

export const text = (span: SeenSpan | SpanRecord, name: string): string | undefined => {
  const value = span.attributes[name];
  return value === undefined ? undefined : String(value);
};
export const number = (span: SeenSpan | SpanRecord, name: string): number | undefined => {
  const value = span.attributes[name];
  return typeof value === "number" ? value : undefined;
};

const kinds: ReadonlySet<unknown> = new Set(["request", "operation", "run", "step", "view", "source", "append"]);
const isKind = (value: unknown): value is SpanKind => kinds.has(value);
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function readAttributes(value: unknown): Attributes {
  if (!isRecord(value)) return {};
  const kept: Record<string, string | number | boolean> = {};
  for (const [name, one] of Object.entries(value))
    if (typeof one === "string" || typeof one === "number" || typeof one === "boolean") kept[name] = one;
  return kept;
}

function readEvent(value: unknown): SpanEvent[] {
  if (!isRecord(value) || typeof value.name !== "string" || typeof value.atMs !== "number") return [];
  return [{ name: value.name, atMs: value.atMs, attributes: readAttributes(value.attributes) }];
}

function readProblem(value: unknown): Problem | undefined {
  if (!isRecord(value)) return undefined;
  const { code, title } = value;
  return {
    ...(typeof code === "string" && { code }),
    ...(typeof title === "string" && title !== "" && { title }),
  };
}
