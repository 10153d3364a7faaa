import type { Logger } from "pino";
import type { RunnerEvent } from "../orchestration/host.ts";

/** Tells whoever reads the log of runs that need a person, or that failed in a way that no contract declares. */
export function tellOperator(log: Logger, { run, operation, traceparent, verdict }: RunnerEvent): void {
  const about = { run, operation, trace: traceparent.split("-")[1] };
  if (verdict.kind === "paused") log.error({ ...about, reason: verdict.reason }, `A run of ${operation} is paused.`);
  else if (verdict.kind === "failed")
    log.error({ ...about, thrown: verdict.thrown, err: verdict.cause }, `A run of ${operation} failed and was undone.`);
  else if (verdict.kind === "lost") {
    const what = run ? `A run of ${operation} cannot go on with its journal.` : "Due runs could not be looked for.";
    log.error({ ...about, err: verdict.error }, what);
  } else log.warn({ ...about, verdict: verdict.kind }, `A run of ${operation} is ${verdict.kind}.`);
}
