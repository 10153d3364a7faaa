import { type SeenSpan, text } from "./span.ts";
import { inOrder, type Trace } from "./trace.ts";

/** How a trace stands, in the words of the badges. */
export type TraceState = "running" | "waiting" | "paused" | "done" | "undone" | "declined" | "failed" | "interrupted";
export const traceStates: readonly TraceState[] = [
  "running",
  "waiting",
  "paused",
  "done",
  "undone",
  "declined",
  "failed",
  "interrupted",
];

/** A trace stands as its run does: a request that was answered 202 is long gone when the run ends. */
export function stateOf(trace: Trace): TraceState {
  const spans = inOrder(trace);
  const run = spans.find(({ kind }) => kind === "run");
  return run ? stateOfRun(spans, runId(run)) : stateOfRequest(spans);
}

export const runId = (span: SeenSpan): string => text(span, "trilith.run") ?? span.span;

export function stateOfRun(spans: readonly SeenSpan[], run: string): TraceState {
  const activations = spans.filter((span) => span.kind === "run" && runId(span) === run);
  const last = activations.at(-1);
  if (!last) return "running";
  const said = wordFor(text(last, "trilith.state"));
  const steps = stepsOf(spans, activations);
  // A run that waits needs no process: the death of one does not interrupt it.
  if (last.status === "cut") return said === "waiting" || restsOnly(steps, "cut", last) ? "waiting" : "interrupted";
  if (last.status === "open") {
    if (said === "waiting" || said === "paused") return said;
    return restsOnly(steps, "open", last) ? "waiting" : "running";
  }
  if (said !== undefined && said !== "failed") return said;
  // What its contract foresees is an answer, and nothing that is broken.
  if (text(last, "trilith.failure") !== undefined && !isUndone(steps)) return "declined";
  return said === "failed" || last.status === "failed" ? (isUndone(steps) ? "undone" : "failed") : "done";
}

/** The step that a waiting run waits for. */
export function waitsFor(trace: Trace): SeenSpan | undefined {
  return inOrder(trace).findLast((span) => isRest(span));
}

/** A step in which nothing happens but time. */
export const isRest = (span: SeenSpan): boolean =>
  span.kind === "step" && ["signal", "sleep"].includes(text(span, "trilith.step.kind") ?? "");
export const isUndo = (span: SeenSpan): boolean => span.kind === "step" && text(span, "trilith.step.kind") === "undo";

const stepsOf = (spans: readonly SeenSpan[], activations: readonly SeenSpan[]): SeenSpan[] => {
  const inside = new Set(activations.map(({ span }) => span));
  return spans.filter(({ kind, parent }) => kind === "step" && parent !== undefined && inside.has(parent));
};

function restsOnly(steps: readonly SeenSpan[], unended: "open" | "cut", activation: SeenSpan): boolean {
  const left = steps.filter(({ status, parent }) => status === unended && parent === activation.span);
  return left.length > 0 && left.every(isRest);
}

/** Something was undone, and no undo was given up. */
function isUndone(steps: readonly SeenSpan[]): boolean {
  const undos = steps.filter(isUndo);
  const given = undos.filter((undo) => undo.status === "failed" && !undos.some((again) => retries(again, undo)));
  return undos.length > 0 && given.length === 0;
}
const retries = (again: SeenSpan, undo: SeenSpan) =>
  again.status === "ok" && again.startMs > undo.startMs && text(again, "trilith.step") === text(undo, "trilith.step");

function stateOfRequest(spans: readonly SeenSpan[]): TraceState {
  const root = spans.find(({ kind }) => kind === "request") ?? spans[0];
  if (!root || root.status === "open") return "running";
  if (root.status === "cut") return "interrupted";
  const status = Number(text(root, "http.response.status_code") ?? 0);
  if (status >= 400 && status < 500) return "declined";
  return root.status === "failed" || status >= 500 ? "failed" : "done";
}

/** A run's state is told in the orchestration's words, of which there may be more than badges. */
function wordFor(said: string | undefined): TraceState | undefined {
  if (said === undefined) return undefined;
  if (/wait|suspend|sleep/i.test(said)) return "waiting";
  if (/pause/i.test(said)) return "paused";
  if (/undone/i.test(said)) return "undone";
  if (/fail|cancel/i.test(said)) return "failed";
  // Its process let go of it, and the next one has not taken it up yet.
  if (/park|fence|lost/i.test(said)) return "interrupted";
  return undefined;
}
