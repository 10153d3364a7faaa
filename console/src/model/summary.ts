import { isFailing } from "./failing.ts";
import { type Shares, sharesOf } from "./shares.ts";
import { type SeenSpan, text } from "./span.ts";
import { runId, stateOf, type TraceState, waitsFor } from "./state.ts";
import { inOrder, type Trace } from "./trace.ts";

/** A trace in one line of the list. */
export interface Summary {
  readonly id: string;
  /** `POST /trips`, or the workflow's name where no request began it. */
  readonly title: string;
  readonly subtitle: string;
  readonly state: TraceState;
  /** What a waiting run waits for. */
  readonly waitsFor?: string;
  readonly httpStatus?: string;
  readonly code?: string;
  readonly startMs: number;
  /** Absent while anything is still under way. */
  readonly endMs?: number;
  readonly shares: Shares;
  readonly hasRun: boolean;
  /** Its process died, and another one went on with it. */
  readonly resumed: boolean;
  /** Sources that gave nothing, by name. */
  readonly poorSources: readonly string[];
}

export function summarize(trace: Trace): Summary {
  const spans = inOrder(trace);
  const request = spans.find(({ kind }) => kind === "request");
  const run = spans.find(({ kind }) => kind === "run");
  const root = request ?? run ?? spans[0];
  const operation = spans.find(({ kind }) => kind === "operation");
  const state = stateOf(trace);
  const waits = state === "waiting" ? waitsFor(trace) : undefined;
  const httpStatus = request && text(request, "http.response.status_code");
  const code = codeOf(spans);
  const title = request ? requestTitle(request) : run ? workflowName(run) : (root?.name ?? "trace");
  const subtitle = run ? workflowName(run) : operation ? operationName(operation) : "";
  return {
    id: trace.id,
    title,
    subtitle: subtitle === title ? "" : subtitle,
    state,
    startMs: trace.startMs,
    shares: sharesOf(trace),
    hasRun: run !== undefined,
    resumed: spans.some(goneOnAfterCrash),
    poorSources: poorSources(spans),
    ...(waits && { waitsFor: stepName(waits) }),
    ...(httpStatus && { httpStatus }),
    ...(code && state !== "done" && { code }),
    ...(state !== "running" && state !== "waiting" && state !== "paused" && { endMs: trace.lastMs }),
  };
}

/** Summaries are asked for on every drawing and change rarely; a trace is frozen, so its summary is too. */
export function summaries(): (trace: Trace) => Summary {
  const known = new WeakMap<Trace, Summary>();
  return (trace) => {
    const found = known.get(trace) ?? summarize(trace);
    known.set(trace, found);
    return found;
  };
}

/** A run that is taken up after it waited is resumed too, and nobody needs to be told. */
const goneOnAfterCrash = (span: SeenSpan, _: number, spans: readonly SeenSpan[]) =>
  span.kind === "run" &&
  spans.some(
    (other) =>
      other.kind === "run" && other.status === "cut" && runId(other) === runId(span) && other.epoch < span.epoch,
  );

/** Signals are journaled as `signal approved`, fallbacks are told of as `fares.quote fell back`; the kind says that already. */
export const stepName = (step: SeenSpan): string => step.name.replace(/^(signal|undo) /, "").replace(/ fell back$/, "");
export const workflowName = (run: SeenSpan): string => text(run, "trilith.workflow") ?? run.name;
export const operationName = (span: SeenSpan): string => text(span, "trilith.operation") ?? span.name;

function requestTitle(request: SeenSpan): string {
  const method = text(request, "http.request.method");
  const path = text(request, "url.path") ?? text(request, "http.route");
  return method && path ? `${method} ${path}` : request.name;
}

/** The problem nearest to the caller is the one that the caller saw. */
function codeOf(spans: readonly SeenSpan[]): string | undefined {
  for (const kind of ["run", "request", "operation"] as const) {
    const code = spans.findLast((span) => span.kind === kind && span.problem?.code)?.problem?.code;
    if (code) return code;
  }
  return undefined;
}

function poorSources(spans: readonly SeenSpan[]): string[] {
  const poor = spans.filter((span) => span.kind === "source" && span.status !== "open" && isPoor(span));
  return [...new Set(poor.map((span) => text(span, "trilith.source") ?? span.name))];
}
const isPoor = (span: SeenSpan) =>
  isFailing(text(span, "trilith.state") ?? (span.status === "failed" ? "down" : "fresh"));
