import { isHop, type Layer, layerOf } from "../model/layer.ts";
import { type SeenSpan, text } from "../model/span.ts";
import { isRest, isUndo, runId } from "../model/state.ts";
import { operationName, stepName, workflowName } from "../model/summary.ts";
import { inOrder, type Trace } from "../model/trace.ts";

/** One line of the time line: usually one span; a run or a step that was taken up again keeps its line. */
export interface Row {
  readonly key: string;
  readonly depth: number;
  readonly kind: SeenSpan["kind"];
  readonly label: string;
  readonly layer: Layer;
  /** In the order of time, at least one. */
  readonly spans: readonly SeenSpan[];
  /** Appends to the run's own journal: marks on the line of what they belong to. */
  readonly journal: readonly SeenSpan[];
  readonly attempts: number;
  readonly fellBack: boolean;
  /** 1 for what is undone first; absent for all that is not an undo. */
  readonly undo?: number;
  readonly rests: boolean;
}

export function rowsOf(trace: Trace): Row[] {
  const lines = gather(trace);
  const children = Map.groupBy(lines.values(), (line) => line.parent);
  const rows: Row[] = [];
  let undone = 0;
  const visit = (line: Line, depth: number) => {
    rows.push(toRow(line, depth, line.spans.some(isUndo) ? ++undone : undefined));
    for (const child of children.get(line.key) ?? []) visit(child, depth + 1);
  };
  for (const line of children.get(undefined) ?? []) visit(line, 0);
  return rows;
}

export const latestSpan = (row: Row): SeenSpan => row.spans.at(-1) as SeenSpan; // a row has at least one span

interface Line {
  readonly key: string;
  readonly parent: string | undefined;
  readonly spans: SeenSpan[];
  readonly journal: SeenSpan[];
}

function gather(trace: Trace): Map<string, Line> {
  const lines = new Map<string, Line>();
  const lineOf = new Map<string, Line>();
  for (const span of parentsFirst(trace)) {
    const parent = span.parent === undefined ? undefined : lineOf.get(span.parent);
    if (parent && isJournal(span, parent)) {
      parent.journal.push(span);
      continue;
    }
    const known = takenUp(span, parent, lines);
    if (known) known.spans.push(span);
    const line = known ?? {
      key: span.kind === "run" ? `run:${runId(span)}` : span.span,
      parent: parent?.key,
      spans: [span],
      journal: [],
    };
    lines.set(line.key, line);
    lineOf.set(span.span, line);
  }
  return lines;
}

/** By start, but never a child before its parent: clocks of two processes may disagree by a little. */
function parentsFirst(trace: Trace): SeenSpan[] {
  const order: SeenSpan[] = [];
  const placed = new Set<string>();
  const add = (span: SeenSpan) => {
    if (placed.has(span.span)) return;
    placed.add(span.span);
    const parent = span.parent === undefined ? undefined : trace.spans.get(span.parent);
    if (parent) add(parent);
    order.push(span);
  };
  for (const span of inOrder(trace)) add(span);
  return order;
}

/** The line that this span goes on with: the run's, or that of a step that a crash or a wait had interrupted. */
function takenUp(span: SeenSpan, parent: Line | undefined, lines: ReadonlyMap<string, Line>): Line | undefined {
  if (span.kind === "run") return lines.get(`run:${runId(span)}`);
  if (span.kind !== "step" || !parent) return undefined;
  for (const line of lines.values()) {
    const last = line.spans.at(-1);
    if (line.parent !== parent.key || last?.kind !== "step" || stepKey(last) !== stepKey(span)) continue;
    const elsewhere = last.parent !== span.parent;
    if (elsewhere && (last.status === "cut" || (isRest(last) && last.status !== "failed"))) return line;
  }
  return undefined;
}
const stepKey = (span: SeenSpan) => `${text(span, "trilith.step.kind")} ${text(span, "trilith.step") ?? span.name}`;

const isJournal = (span: SeenSpan, parent: Line) =>
  span.kind === "append" &&
  text(span, "trilith.log") === "runs" &&
  (parent.spans[0]?.kind === "run" || parent.spans[0]?.kind === "step");

function toRow({ key, spans, journal }: Line, depth: number, undo: number | undefined): Row {
  const last = spans.at(-1) as SeenSpan; // a line begins with a span
  return {
    key,
    depth,
    kind: last.kind,
    label: labelOf(last),
    layer: layerOf(last),
    spans,
    journal,
    attempts: Math.max(...spans.map(attemptsOf)),
    fellBack: spans.some(
      (span) => stepKind(span) === "fallback" || span.events.some(({ name }) => name === "fell back"),
    ),
    rests: isRest(last),
    ...(undo !== undefined && { undo }),
  };
}

const stepKind = (span: SeenSpan) => text(span, "trilith.step.kind");

function attemptsOf(span: SeenSpan): number {
  if (span.kind !== "step") return 1;
  const failed = span.events.filter(({ name }) => name === "attempt failed").length;
  const counted = span.attributes["trilith.attempt"];
  // The last failed attempt of a failed step is not followed by another one.
  return Math.max(typeof counted === "number" ? counted : 1, failed + (span.status === "failed" ? 0 : 1), 1);
}

function labelOf(span: SeenSpan): string {
  switch (span.kind) {
    case "request":
      return (
        [text(span, "http.request.method"), text(span, "http.route") ?? text(span, "url.path")]
          .filter(Boolean)
          .join(" ") || span.name
      );
    case "operation":
      // Whose it is stands in the row above.
      return isHop(span) ? span.name.replace(/^(\S+) [^/]*/, "$1 ") : operationName(span);
    case "run":
      return workflowName(span);
    case "step":
      return stepName(span);
    case "source":
      return text(span, "trilith.source") ?? span.name;
    case "append":
      return text(span, "trilith.log") ?? span.name;
    case "view":
      return span.name;
  }
}
