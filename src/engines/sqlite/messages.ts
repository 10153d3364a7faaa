import type { MessagePort } from "node:worker_threads";
import type { Collection, Column, Columns, DocumentQuery, Expected } from "../../storage/host.ts";
import type { Packed } from "./packed.ts";

/**
 * What travels between the engine and its writer's thread. Documents travel as JSON text: text is copied, objects are
 * cloned field by field, and what cannot be written fails in the caller's own hands.
 */
export type WriteMessage =
  | { readonly kind: "put"; readonly collection: string; readonly key: string; readonly data: string }
  | { readonly kind: "patch"; readonly collection: string; readonly key: string; readonly data: string }
  | {
      readonly kind: "increment";
      readonly collection: string;
      readonly key: string;
      readonly by: string;
      readonly initial: string;
    }
  | { readonly kind: "remove"; readonly collection: string; readonly key: string };

export interface AppendMessage {
  readonly id: string;
  readonly expect: readonly { readonly stream: string; readonly revision: Expected }[];
  readonly events: readonly EventMessage[];
  readonly documents: readonly WriteMessage[];
  readonly receipt: ReceiptMessage | undefined;
  readonly readers: readonly string[];
}
export interface EventMessage {
  readonly stream: string;
  readonly type: string;
  readonly version: number;
  readonly data: string;
  readonly meta: string | null;
  readonly spans: number;
}
export interface ReceiptMessage {
  readonly key: string;
  readonly digest: string;
  readonly result: string | null;
  readonly expires: number | null;
  readonly voided: boolean;
}

export type Command =
  /** A packed group of appends. */
  | Packed
  | {
      readonly kind: "commit";
      readonly log: string;
      readonly reader: string;
      readonly epoch: number;
      readonly from: number;
      readonly position: number;
      readonly writes: Packed;
    }
  | { readonly kind: "claim"; readonly collection: string; readonly query: DocumentQuery; readonly set: Columns }
  | { readonly kind: "define"; readonly collection: Collection }
  | { readonly kind: "sweep"; readonly log: string; readonly now: number; readonly limit: number }
  | {
      readonly kind: "empty";
      readonly collection: string;
      readonly reader: { readonly log: string; readonly name: string };
      readonly beside: { readonly collection: string; readonly column: string; readonly equals: Column } | undefined;
    }
  | {
      readonly kind: "drop";
      readonly collection: string | undefined;
      readonly reader: { readonly log: string; readonly name: string } | undefined;
    };

export interface FoundRow {
  readonly key: string;
  readonly revision: number;
  readonly data: string;
}
/** By the kind of the command: packed outcomes, whether the checkpoint moved, the claimed rows, how many went, nothing. */
export type Result = Packed | boolean | readonly FoundRow[] | number | undefined;

export interface Failure {
  readonly message: string;
  /** `refused` is the caller's own mistake; after `broken` the writer has stopped. */
  readonly why: "refused" | "failed" | "broken";
  readonly outcome: "not done" | "unknown";
}
/** Packed outcomes go as they are: nearly all replies are some, and nothing around them is less to clone. */
export type Reply = Packed | { readonly done: Result } | { readonly failed: Failure };

/**
 * To the writer: commands for one transaction, with the time on the engine's clock; or the end. Nobody else waits where the
 * transaction is `alone`: then the writer flushes it by itself, for to wake the flusher would take longer than it saves.
 */
export type ToWriter =
  | { readonly now: number; readonly commands: readonly Command[]; readonly alone: boolean }
  | "close";
/**
 * From the writer: that it is ready, why it is not, or that it has closed; and what the flusher would say, of what it has
 * flushed by itself. At `replies` lies what it has to say to the commands of a batch, in the order in which they were sent,
 * before the flusher is told of the batch; nobody is woken for that. `flusher` is where the flusher speaks.
 */
export type FromWriter =
  | {
      readonly ready: true;
      readonly replies: MessagePort;
      readonly flusher: MessagePort;
      readonly progress: Int32Array;
    }
  | { readonly notReady: string }
  | { readonly closed: true }
  | FromFlusher;
/** From the flusher: that something more is on disk; or why nothing more will be. */
export type FromFlusher = "flushed" | { readonly notFlushed: string };

/**
 * What the main thread, the writer and the flusher share: the numbers of the last batch, counted from 1 and modulo 2^32,
 * whose commit has begun (it is seen by the main thread before the writer can say anything), that is done, and that is on
 * disk.
 */
export const progressOf = { begun: 0, committed: 1, flushed: 2 } as const;

/**
 * What the writer and the checkpointer share is one number: what the second is to do, that it does nothing, or that a flush
 * of the database file has failed.
 */
export const checkpointerIs = { idle: 0, asked: 1, ending: 2, ended: 3, failed: 4 } as const;

export interface FlusherOptions {
  readonly wal: string;
  readonly progress: Int32Array;
  readonly said: MessagePort;
}
export interface CheckpointerOptions {
  readonly file: string;
  readonly state: Int32Array;
}
export interface WriterOptions {
  readonly file: string;
  readonly now: number;
  readonly maxBytes: number | undefined;
}
