import type { Selection } from "./selection.ts";
import type { Trace } from "./trace.ts";

/** Who calls. `scopes` are what the contracts' `access` is compared with. */
export interface Principal {
  readonly id: string;
  readonly kind: "anonymous" | "key" | "token" | "run" | "system";
  readonly scopes: readonly string[];
}
export const anonymous: Principal = Object.freeze({ id: "anonymous", kind: "anonymous", scopes: Object.freeze([]) });

/** What travels beside the input of a call, in process and over the wire alike. */
export interface Call {
  readonly principal: Principal;
  readonly trace: Trace;
  /** Aborts when nobody waits for the answer any more. */
  readonly aborted: AbortSignal;
  /** One key, one effect: a command that is called again with its key gives back its first result. Unique per principal and operation. */
  readonly key?: string;
  /** On the monotonic clock, in ms: what is not answered by then is not waited for. */
  readonly deadline?: number;
  /** How long the caller waits for a command that takes its time before it is told where to look instead, in ms. */
  readonly patienceMs?: number;
  /** A command that takes its time is begun, and not waited for: the answer is the run, however it goes. */
  readonly detached?: boolean;
  /** A run begins at this instant and not before, in ms since 1970; only a workflow's command can. */
  readonly startAt?: number;
  /** The same as a time from now, in ms. */
  readonly startAfterMs?: number;
  /** Whether provenance is wanted beside the answer. */
  readonly wantsMeta?: boolean;
  /** What is wanted of the answer; all of it, where it is missing. Whoever answers may leave out the other fields. In process only. */
  readonly fields?: Selection;
  /** Is told what there is of an answer before it is whole, by whoever can. In process only. */
  readonly onPart?: (part: Part) => void;
}

/** An answer that is not whole yet. What it says may still change. */
export interface Part {
  /** The fields that there are so far, as they travel. */
  readonly wire: unknown;
  /** The sources that are still waited for. */
  readonly pending: readonly string[];
}

/** What an implementation gives back: the output as written (`In` of the output schema), or the run that will have it. */
export type Reply =
  | {
      readonly output: unknown;
      readonly meta?: unknown;
      readonly run?: string;
      /** The only parts that were worked out, because no others were wanted. */
      readonly only?: Selection;
      /**
       * Where the implementation has itself kept to the declared fields and validated them, because its answer depends on
       * the outcome: what validation made of `output`. Nobody checks it again.
       */
      readonly checked?: { readonly value: unknown };
    }
  | Accepted;

/** What a caller gets: the output as it travels (`wire`, validated JSON) and as it is read (`value`). */
export type Answer =
  | {
      readonly wire: unknown;
      readonly value: unknown;
      readonly meta?: unknown;
      readonly run?: string;
      /** `wire` has been held against the contract on its way: it says nothing that is not declared. */
      readonly declared?: true;
    }
  | Accepted;

/** It goes on as a run. `tells`: the run that called is told of its end, and need not ask. */
interface Accepted {
  readonly accepted: true;
  readonly run: string;
  readonly tells?: boolean;
}

/** How it stands with a key that may or may not have taken effect; after `void`, it never will. */
export type Voided =
  | { readonly took: true; readonly wire: unknown }
  | { readonly took: false }
  | { readonly took: "unknown" };

/** One operation, implemented by a layer. It is handed validated input and may throw `Failed` or `Fault`. */
export interface Provider {
  readonly operation: string;
  /** `input` is as it is read (`Out`); `written` is the same as JSON, for what is kept. */
  handle(input: any, call: Call, written: unknown): Promise<Reply>; // the input's type is the operation's, checked where the handler is declared
  /** Refuses the key for good, or says what it did. Where it is missing, the outcome stays unknown. */
  void?(key: string, call: Call): Promise<Voided>;
}

/** The way from one layer to another: by the operation's id, through whatever transport the runtime bound. */
export interface Dispatch {
  call(operation: string, input: unknown, call: Call): Promise<Answer>;
  void(operation: string, key: string, call: Call): Promise<Voided>;
}
