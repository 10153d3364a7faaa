import type { Duration } from "../contracts/index.ts";
import type { UndoneOutcome } from "./journal.ts";

export interface StepPolicy {
  /** For each attempt; by default the operation's own timeout, else 30 seconds. */
  readonly timeout?: Duration;
  /** Attempts in all, the first one included; by default 5. Undo tries 20 times and then pauses the run. */
  readonly attempts?: number;
  /** The name in the journal, where the operation's own does not say enough. */
  readonly name?: string;
}
export interface StepContext {
  /** The same for every attempt, whatever crashes: hand it to an outside service, so that it can tell a repetition. */
  readonly key: string;
  readonly attempt: number;
  readonly aborted: AbortSignal;
}

/** What an undo is told about the step that it undoes. */
export interface Undone<T> {
  /** Missing where the outcome is not known, or is known to be nothing. */
  readonly result: T | undefined;
  /** `void`: the step did nothing and never will; `unknown`: an outside service may have done it, or may yet do it. */
  readonly outcome: UndoneOutcome;
  /** The key of the step that is undone. */
  readonly of: string;
  /** This undo's own key. */
  readonly key: string;
}

/** Lazy: it runs when it is awaited, once, and its result is on disk before the next action. */
export interface Step<T> extends PromiseLike<T> {
  /** Journaled before the action; runs, in reverse order, if the run fails. */
  undo(action: (done: Undone<T>) => PromiseLike<unknown> | void): Step<T>;
  /** A durable, visible fallback. */
  or<U = never>(fallback: (failure: unknown) => T | U | PromiseLike<T | U>): Step<T | U>;
}
