import type { Logger } from "pino";
import type { AttemptEvent, RunnerEvent } from "../orchestration/host.ts";

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

/** Warns of an attempt that failed. What it failed with is told in its sentence alone: details may be anybody's. */
export function tellAttempt(log: Logger, { operation, traceparent, ...about }: AttemptEvent): void {
  const next = about.retryInMs === undefined ? "It is not tried again." : "It is tried again.";
  const told = { ...about, operation, trace: traceparent.split("-")[1] };
  log.warn(told, `Attempt ${about.attempt} of the step "${about.step}" of ${operation} failed. ${next}`);
}
