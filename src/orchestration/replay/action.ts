import type { Call, Clock, Principal, Span, Trace } from "../../contracts/index.ts";
import type { ActionOutcome, Note, Result, StepKind } from "../journal/journal.ts";
import { type Pauses, pauseMs } from "../language/policy.ts";
import { Attempt } from "./attempt.ts";
import type { Scope } from "./scope.ts";
import { canRetry, outcomeOf, sentenceOf, toThrown } from "./thrown.ts";

/** A step's action: what is done outside the journal, attempt by attempt. */
export interface Action {
  readonly path: string;
  readonly name: string;
  readonly kind: StepKind | "undo";
  readonly key: string;
  readonly timeoutMs: number;
  /** When all attempts together are given up, in ms since 1970. */
  readonly deadlineAt?: number | undefined;
  readonly attempts: number;
  readonly pauses: Pauses;
  /** Attempts that failed in earlier activations, and whether one that nobody knows of may have taken effect. */
  readonly failed: number;
  readonly unknown: boolean;
  /** At once where there is nothing to wait for. */
  attempt(context: AttemptContext): Done | Promise<Done | Asleep>;
}
/** What one attempt is told. */
export interface AttemptContext {
  readonly key: string;
  readonly attempt: number;
  readonly aborted: AbortSignal;
  readonly call: Omit<Call, "principal">;
  /** It is under way elsewhere and will be: begins the attempt's time anew. */
  extend(): void;
}
/** It goes on in a run of its own, which tells this one when it has ended: nobody need stay awake for it. */
export interface Asleep {
  readonly asleep: true;
  readonly run: string;
}
export interface Done {
  /** The result as JSON, for the journal. */
  readonly wire: unknown;
  /** The result as the code reads it. */
  readonly value: unknown;
}
/** A result; of an action that is done, beside what the code reads. */
export type Settled = { readonly result: Result & { readonly type: "StepDone" }; readonly live: Done } | Failing;
interface Failing {
  readonly result: Result & { readonly type: "StepFailed" };
  readonly error: Error;
}

/** What the actions of one activation have around them. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly trace: () => Trace;
  /** The node is letting go: what fails now is not the step's end. */
  readonly parking: () => boolean;
  /** Told when that begins; gives back how to be told no more. */
  readonly onParking: (wake: () => void) => () => void;
  note(note: Note): void;
  /** Told of what an operator may want to look into: a declared failure is an answer, and what was given up has not failed. */
  readonly failed: (attempt: FailedAttempt) => void;
}
export interface FailedAttempt {
  /** The step's path. */
  readonly step: string;
  readonly attempt: number;
  readonly reason: string;
  readonly outcome: ActionOutcome;
  /** When the next attempt follows; missing after the last. */
  readonly retryInMs?: number;
}

/**
 * Tries until it is done, cannot be helped by another attempt, or attempts run out; `scope` is the part of the run that it
 * belongs to, and when that is closed it is given up. At once where the first attempt is done at once: most local steps
 * are, and promises would be most of what they cost. Never throws.
 */
export function act(action: Action, scope: Scope, around: Surroundings): Settled | Promise<Settled | Asleep> {
  const { name, path, kind } = action;
  let failed: Failing | undefined;
  const about = { "trilith.step": path, "trilith.step.kind": kind };
  const settled = around.trace().span("step", name, about, (span) => {
    const first = attempt(action, action.failed + 1, scope, around, span);
    if (!(first instanceof Promise)) return toSettled(path, first);
    return attempts(first, action, scope, around, span, (given) => {
      failed = given;
      throw given.error; // through the span, so that it ends as failed
    });
  });
  if (!(settled instanceof Promise)) return settled;
  return settled.catch((error: unknown) => {
    if (failed) return failed;
    throw error;
  });
}

function attempt(
  action: Action,
  number: number,
  scope: Scope,
  around: Surroundings,
  span: Span,
): Done | Promise<Done | Asleep> {
  span.set({ "trilith.attempt": number });
  try {
    return new Attempt(action, number, scope, around, span).run();
  } catch (error) {
    return Promise.reject(error);
  }
}

function toSettled(path: string, live: Done): Settled {
  const { wire } = live;
  return { result: wire === undefined ? { type: "StepDone", path } : { type: "StepDone", path, wire }, live };
}

async function attempts(
  first: Promise<Done | Asleep>,
  action: Action,
  scope: Scope,
  around: Surroundings,
  span: Span,
  fail: (failed: Failing) => never,
): Promise<Settled | Asleep> {
  const { path } = action;
  let { failed, unknown } = action;
  for (let next: Done | Promise<Done | Asleep> = first; ; next = attempt(action, failed + 1, scope, around, span)) {
    try {
      const done = await next;
      return "asleep" in done ? done : toSettled(path, done);
    } catch (error) {
      failed++;
      unknown ||= outcomeOf(error) === "unknown";
      const thrown = toThrown(error);
      const outcome: ActionOutcome = unknown ? "unknown" : "not done";
      const pauseFor = pauseMs(failed, action.pauses, around.random());
      const late = action.deadlineAt !== undefined && around.clock.now() + pauseFor >= action.deadlineAt;
      const failing: Failing = {
        result: { type: "StepFailed", path, thrown, outcome },
        error: error instanceof Error ? error : new Error(String(error)),
      };
      const gone = scope.closed || around.parking();
      const last = gone || late || failed >= action.attempts || !canRetry(error);
      if (!gone && thrown.kind !== "failed") {
        const about = { step: path, attempt: failed, reason: sentenceOf(thrown), outcome: outcomeOf(error) };
        around.failed({ ...about, ...(!last && { retryInMs: pauseFor }) });
      }
      if (last) fail(failing);
      span.event("attempt failed", { attempt: failed, problem: sentenceOf(thrown) });
      around.note({ type: "AttemptFailed", path, attempt: failed, thrown, outcome: outcomeOf(error) });
      await pause(pauseFor, scope, around);
      if (around.parking()) fail(failing);
    }
  }
}

function pause(ms: number, scope: Scope, { clock, onParking }: Surroundings): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      disarm();
      stay();
      forget();
      resolve();
    };
    const disarm = clock.after(ms, end);
    const stay = scope.onClose(end);
    const forget = onParking(end);
  });
}

/** As whom a run calls: its keys are its own. */
export const principalOf = (run: string): Principal => ({ id: `run:${run}`, kind: "run", scopes: [] });
