/**
 * The port to what keeps the bytes. An engine knows logs, streams, documents and receipts, and nothing of contracts;
 * payloads are opaque UTF-8 JSON text that it gives back as it got it.
 */
export interface Engine {
  /** Prepares a collection: its table, its columns, its indexes. Known collections cost nothing. */
  define(collection: Collection): Promise<void>;
  /** Many appends in one transaction and one flush. Resolves when durable; each has its own outcome, none shares another's fate. */
  append(log: string, group: readonly Append[]): Promise<readonly Outcome[]>;
  /** One bounded page of events, in order. It may hold fewer than `limit`; it is empty only where there is nothing further. */
  read(log: string, query: ReadQuery): Promise<readonly StoredEvent[]>;
  /**
   * One bounded page of a stream's data, in order and alone: for whoever needs no more, at a fraction of what whole events
   * cost. It may hold fewer than `limit`; it is empty only where there is nothing further, and shorter than a `limit` of
   * up to 64 only there, or where it has 65,536 characters or more.
   */
  texts(log: string, query: TextQuery): Promise<readonly string[]>;
  /** The types of event that a log holds, each with the versions in which it was written. */
  types(log: string): Promise<readonly { readonly type: string; readonly version: number }[]>;
  /** One stream's last revision, or -1. */
  revision(log: string, stream: string): Promise<number>;
  /** Documents by key, or a bounded page of them by index. */
  find(collection: string, query: DocumentQuery): Promise<readonly Document[]>;
  /** How many documents a query finds; counts no further than its limit. */
  count(collection: string, query: Pick<DocumentQuery, "where" | "limit">): Promise<number>;
  /** What is known of a key, for who was not told what became of his append. An append looks it up by itself. */
  receipt(log: string, key: string): Promise<Receipt | undefined>;
  /** A reader's checkpoint and its documents in one commit; false where `from` or the epoch is not its checkpoint's any more. */
  commit(checkpoint: Checkpoint & { readonly from: number }, writes: readonly Write[]): Promise<boolean>;
  /** How far a reader has come: position 0 of the log's present epoch where it has not begun. */
  checkpoint(log: string, reader: string): Promise<Place>;
  /** The last position that is durable, and the epoch that it belongs to. */
  head(log: string): Promise<Place>;
  /**
   * Resolves once something may have been appended after a position, by whatever process; rejects when `aborted` fires.
   * A hint: it may come early, and it may come late by the engine's polling time, but it comes.
   */
  watch(log: string, after: number, aborted: AbortSignal): Promise<void>;
  /** Milliseconds since 1970 on the engine's own clock: one and the same for all processes that share it. Leases run on it. */
  time(): Promise<number>;
  /** Forgets receipts that have expired; says how many. Bounded by `limit`. */
  sweep(log: string, now: number, limit: number): Promise<number>;
  /** Sets columns of the documents that a query finds, atomically, and gives them back as they are now. */
  claim(collection: string, query: DocumentQuery, set: Columns): Promise<readonly Document[]>;
  /** The names of the collections that are on disk, by whatever code they were defined. */
  collections(): Promise<readonly string[]>;
  /**
   * Takes everything out of a collection, and what belongs to it out of another, and forgets its reader, in one commit: it
   * begins again, whichever processes lead it. What they had under way for the reader is not done.
   */
  empty(what: {
    readonly collection: string;
    readonly reader: { readonly log: string; readonly name: string };
    readonly beside?: { readonly collection: string; readonly column: string; readonly equals: Column };
  }): Promise<void>;
  /**
   * Removes a collection with everything in it, and forgets a reader, in one commit. What is not there is no matter.
   * Another process that has defined the collection and needs it makes it anew.
   */
  drop(what: {
    readonly collection?: string;
    readonly reader?: { readonly log: string; readonly name: string };
  }): Promise<void>;
  /** What an operator asks. */
  status(): Promise<EngineStatus>;
  /** Looks through everything that is kept: a sentence for each thing that is wrong. Takes its time. */
  check(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export type Expected = "any" | "none" | "exists" | number;
export interface Expectation {
  readonly stream: string;
  readonly revision: Expected;
  /**
   * The id of the stream's event of that revision, as whoever appends knows it. In a new epoch another event may have the
   * same revision, which is a conflict too. An engine that begins epochs only while it is closed need not look.
   */
  readonly event?: string | undefined;
}

export interface Append {
  /** UUIDv7; an event's id is this, a slash and its index. */
  readonly id: string;
  /** May name streams that are not written. A stream that is written and not named is appended to as it comes. */
  readonly expect: readonly Expectation[];
  /** May be empty: then the append is its documents and its receipt. */
  readonly events: readonly NewEvent[];
  readonly documents?: readonly Write[];
  readonly receipt?: NewReceipt;
  /**
   * Readers whose documents travel in this append, so that they have seen it: their checkpoints move with the commit.
   * One that has not come to the head before this append is `behind`, and nothing is written: moved from there it would
   * skip what other code wrote in between. Looked at after the receipt and the revisions.
   */
  readonly readers?: readonly string[];
}
export interface NewEvent {
  readonly stream: string;
  readonly type: string;
  readonly version: number;
  /** JSON text. */
  readonly data: string;
  /** JSON text. */
  readonly meta?: string;
  /**
   * How many revisions of its stream it takes, 1 unless told: for one that holds several things that are counted one by
   * one. Its own revision is the last of them, and whoever reads from any of them on is given it.
   */
  readonly spans?: number;
}
export interface NewReceipt {
  readonly key: string;
  /** Of the input; the same key with another digest is refused. */
  readonly digest: string;
  /** JSON text of the output; undefined where there is none. */
  readonly result?: string;
  /** When it may be forgotten, in ms since 1970; never, where it is missing. A voided one is never forgotten. */
  readonly expires?: number;
  /**
   * Nothing was done and nothing ever may be under this key. Where the key has a receipt already, real or voided, the
   * append is `again` with it, whatever its digest.
   */
  readonly voided?: boolean;
}
export interface Receipt {
  readonly key: string;
  readonly digest: string;
  readonly result?: string;
  readonly voided: boolean;
}

export type Outcome =
  | {
      readonly ok: true;
      /** The append's positions; without events both are the log's head. */
      readonly first: number;
      readonly last: number;
      readonly at: number;
      readonly revisions: { readonly [stream: string]: number };
    }
  /** The receipt was there already: this is what it says. */
  | { readonly ok: true; readonly again: Receipt }
  | {
      readonly ok: false;
      readonly why: "conflict";
      readonly stream: string;
      readonly expected: Expected;
      readonly actual: number;
    }
  | { readonly ok: false; readonly why: "behind"; readonly reader: string }
  | { readonly ok: false; readonly why: "voided"; readonly key: string }
  | { readonly ok: false; readonly why: "key reused"; readonly key: string }
  | { readonly ok: false; readonly why: "refused"; readonly message: string };

export interface StoredEvent {
  readonly id: string;
  readonly stream: string;
  /** The last one that it takes. */
  readonly revision: number;
  readonly position: number;
  readonly type: string;
  readonly version: number;
  /** Milliseconds since 1970; never goes back along the log. */
  readonly at: number;
  readonly data: string;
  readonly meta?: string;
}
export type ReadQuery =
  /**
   * By stream, from a revision on (inclusive); backwards with `backwards`. With `ahead` it may hold what is not on disk yet:
   * for who does nothing with it but an append that expects what was seen, and comes after it.
   */
  | ({
      readonly stream: string;
      readonly from: number;
      readonly limit: number;
      readonly backwards?: boolean;
      readonly ahead?: boolean;
    } & Until)
  /**
   * By position, from one on (exclusive). A stream's category is what stands before the first slash of its name. Where
   * little is wanted of much, no single statement goes on for long: an open one holds on to what others have written since.
   */
  | ({
      readonly after: number;
      readonly limit: number;
      readonly types?: readonly string[];
      readonly categories?: readonly string[];
      readonly streams?: readonly string[];
    } & Until);
/** From a revision on (inclusive). */
export interface TextQuery {
  readonly stream: string;
  readonly from: number;
  readonly limit: number;
}
/** As of a position or an instant (ms since 1970), both inclusive. */
interface Until {
  readonly untilPosition?: number;
  readonly untilAt?: number;
}

/**
 * A table of documents. Columns are extracted from top-level fields of the document and can be asked for: a text column
 * takes strings, a number column numbers and booleans (as 1 and 0), both take null and absence; anything else is refused.
 * Text is compared by its UTF-8 bytes, and null is less than everything.
 */
export interface Collection {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: "text" | "number" }[];
  /** Each an ordered list of columns. With `where`, only of the documents in which that column is null, or is not. */
  readonly indexes: readonly (
    | readonly string[]
    | {
        readonly columns: readonly string[];
        readonly where: { readonly column: string; readonly is: "null" | "not null" };
      }
  )[];
}
export type Column = string | number | null;
export type Columns = { readonly [name: string]: Column };
export interface Document {
  readonly key: string;
  readonly data: unknown;
  /** The last revision of this document: counts its writes from 1. */
  readonly revision: number;
}
export type Write =
  | { readonly collection: string; readonly put: string; readonly data: { readonly [field: string]: unknown } }
  /** Shallow: named fields replace their old values, undefined ones are left alone. A document that is not there stays away. */
  | {
      readonly collection: string;
      readonly patch: string;
      readonly data: { readonly [field: string]: unknown };
      /** It is small and hides no secret: what it writes over may lie in the table for a few writes more, where that is cheaper. */
      readonly lightly?: true;
    }
  /**
   * Adds to number fields, an absent one counting as 0; a document that is not there starts from `initial`. Where that is a
   * text there is nothing to start from, and the append is refused with it.
   */
  | {
      readonly collection: string;
      readonly increment: string;
      readonly by: { readonly [field: string]: number };
      readonly initial: { readonly [field: string]: unknown } | string;
    }
  | { readonly collection: string; readonly remove: string };

export interface DocumentQuery {
  readonly key?: string;
  readonly where?: { readonly [column: string]: Condition };
  /**
   * What has the same value comes in the order of the keys, and in any order with `ties: "any"`: an index that begins with
   * the column then gives the first at once, however many there are of it. No page goes on behind such a one.
   */
  readonly orderBy?: { readonly column: string; readonly descending: boolean; readonly ties?: "any" };
  readonly limit: number;
  /** Keyset: documents behind this place, in the order of `orderBy` and then of the key, both in the same direction. */
  readonly after?: After;
}
/** Where a page ended, said in values: it holds whatever has become of the document since. */
export interface After {
  readonly key: string;
  /** What the document had in the column of `orderBy`, null included; not looked at without an order. */
  readonly value?: Column;
}
/** A value is of its column's type, and no NaN; null has to be asked for with `equals` or `not`. Anything else is a TypeError. */
export type Condition =
  | { readonly equals: Column }
  /** Null is a value: `not: "a"` finds it. */
  | { readonly not: Column }
  | { readonly from?: string | number; readonly to?: string | number }
  | { readonly in: readonly (string | number)[] };

/**
 * A place in a log. A new epoch begins where positions may be given out a second time (a restore, a fail-over to a
 * replica that lagged): what somebody has seen in another epoch says nothing about this one.
 */
export interface Place {
  readonly epoch: number;
  readonly position: number;
}
export interface Checkpoint extends Place {
  readonly log: string;
  readonly reader: string;
}
export interface EngineStatus {
  /** With its version: `sqlite 3.50.4`, `postgres 18.4`. */
  readonly engine: string;
  /** Whether this process alone may write here: then whatever another node held is free. */
  readonly exclusive: boolean;
  readonly logs: { readonly [log: string]: Place };
  readonly bytes: number;
  /** Appends that wait for their turn in this process. */
  readonly queued: number;
  /** From asking to durable, over the last appends of this process. */
  readonly appendMs: { readonly p50: number; readonly p99: number };
  /** The replicas, and how far behind they are; empty where there are none, or the engine has none. */
  readonly replicas: readonly { readonly name: string; readonly state: string; readonly behindBytes: number }[];
}
