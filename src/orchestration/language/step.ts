import type { UndoneOutcome } from "../journal/journal.ts";

export interface StepContext {
  /** The same for every attempt, whatever crashes: hand it to an outside service, so that it can tell a repetition. */
  readonly key: string;
  readonly attempt: number;
  readonly aborted: AbortSignal;
}

/** What an undo is told about the step that it undoes. */
export interface Undone<T> {
  /** Missing where the outcome is not known. */
  readonly result: T | undefined;
  /** `unknown`: an outside service may have done it, or may yet do it. A step that did nothing and never will is not undone. */
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
