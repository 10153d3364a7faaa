import type { Principal } from "../../contracts/index.ts";
import type { Tags } from "../language/tags.ts";
import type { Bulks } from "../steering/bulk.ts";
import type { Entries } from "./entries.ts";
import type { Line, Ticket } from "./line.ts";
import type { Nodes } from "./nodes.ts";
import type { RunCount, RunFilter, RunPage, RunQuery } from "./search.ts";

/** Entries, and how large they are together, in characters of JSON. */
export interface Loaded {
  readonly entries: Entries;
  readonly size: number;
}

/**
 * The port to where runs are kept. A run is a stream of entries that only its owner writes; what others want to tell it
 * goes to its inbox. Beside them stands one row a run, which changes at start, suspend, claim and end, never per step.
 */
export interface Journal {
  /** Who else has runs of this journal. */
  readonly nodes: Nodes;
  /** Where runs wait for their turn; without it the limits of workflows are not held. */
  readonly line?: Line;
  /** Orders to many runs at once. */
  readonly bulks: Bulks;
  /** Appends to a run after its `revision`-th entry (-1: a new run); the row changes in the same commit. Resolves when durable. */
  append(run: string, revision: number, entries: readonly Entry[], change: Change): Promise<Appended>;
  /** A run's entries, all of them or from a revision on (inclusive), and so many at most. Throws `Unreadable` past `sizeToRead`. */
  read(run: string, from?: number, limit?: number): Promise<readonly Entry[]>;
  /** A run's entries from a revision on, and how large they are together, in characters of JSON. */
  load(run: string, from?: number): Promise<Loaded>;
  /** A run's last entry, or its last one of a type; nothing where there is none from a revision on (inclusive). */
  last(run: string, type?: Entry["type"], from?: number): Promise<Entry | undefined>;
  /** The revision of a run's last entry, whatever stands in its journal; -1 where there is none. */
  revision(run: string): Promise<number>;
  find(run: string): Promise<RunRow | undefined>;
  /** Adds to a run's inbox and makes the run due; not where its journal still ends as this row says: there it waits for others. */
  post(run: string, item: NewItem, asleep?: Pick<RunRow, "asleepAt" | "asleepEntry">): Promise<void>;
  /** What a run was told, all of it or from a revision on (inclusive). */
  inbox(run: string, from?: number): Promise<readonly Item[]>;
  /** Makes `node` the owner of runs that are due and whose workflow, in its version, it knows. */
  claimDue(node: string, knows: readonly string[], now: number, limit: number): Promise<readonly RunRow[]>;
  /** Gives a run back, to be claimed again at a time, if it is this owner's still. */
  putBack(run: string, owner: string, wakeAt: number): Promise<void>;
  /** Takes a run from its owner that nobody can go on with, without a word to its journal; nothing where it is not the owner's. */
  strand(run: string, owner: string, reason: string): Promise<void>;
  /** The runs that an owner has according to their rows; not all of them where they are more than `limit`. */
  heldBy(owner: string, limit: number): Promise<readonly string[]>;
  /** Makes runs due that an owner holds and that is gone; says how many. */
  release(owner: string, now: number, limit: number): Promise<number>;
  /** Workflows that waiting runs are of and that are not among the known ones; a hundred of them at the most. */
  strangers(knows: readonly string[]): Promise<readonly string[]>;
  /** When the next run of a known workflow is due, in ms since 1970. */
  nextDue(knows: readonly string[]): Promise<number | undefined>;
  /** Makes a paused run due; false where it is not paused. */
  wake(run: string, now: number): Promise<boolean>;
  /** Makes `node` the owner of a run that has not ended, stands in no line and is nobody's, whatever its workflow; undefined where it is not such a run. */
  seize(run: string, node: string): Promise<RunRow | undefined>;
  /** One page of the runs that a filter finds. */
  search(filter: RunFilter, query: RunQuery): Promise<RunPage>;
  /** How many runs of each workflow are in each state; counts no further than `most`. */
  count(filter: Pick<RunFilter, "operation" | "workflow">, most: number): Promise<readonly RunCount[]>;
}

/** What is kept of a run is not what was written: no time heals that. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

/** `queued`: accepted, and waiting until the limits of its workflow let it in. */
export type RunState = "queued" | "running" | "waiting" | "undoing" | "paused" | EndState;
/** `failed`: it came to a failure and was undone. `cancelled`: so somebody wanted it. `terminated`: so, and nothing was undone. */
export type EndState = "done" | "failed" | "cancelled" | "terminated";
export interface RunRow {
  readonly run: string;
  readonly operation: string;
  /** The workflow in its version: `trips.book@1`. */
  readonly workflow: string;
  readonly state: RunState;
  /** The node that has the run in memory, or null. */
  readonly owner: string | null;
  /** When the run wants to go on, in ms since 1970; null while it waits for a signal alone, is active, or has ended. */
  readonly wakeAt: number | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly startedBy: string;
  /** Under which its caller began it; missing where there was none, and of a child, whose key is its step's. */
  readonly key?: string;
  readonly traceparent: string;
  /** Why it is paused, or is being undone, for a person. */
  readonly reason: string | null;
  /** How often it was claimed in succession by nodes that did not let go of it properly. */
  readonly claims?: number;
  /** How often it was claimed in all. */
  readonly term?: number;
  /** How large its journal was, in characters of JSON, when the row changed last; missing where that is not known. */
  readonly size?: number;
  /**
   * Of one that has left memory and waits: the names of the signals that its code waits for, as the node knew it that let go
   * of it, and the revision at which its journal ends.
   */
  readonly awaits?: readonly string[];
  readonly asleepBy?: string | null;
  readonly asleepAt?: number;
  /** Which entry has that revision, where the journal knows it and another one may come to have it. */
  readonly asleepEntry?: string | null;
  /**
   * Signals that it has not taken; how many, and how large in characters of JSON. Exact of one that has left memory; of one
   * in memory it may be too much by a small part of what may be unread.
   */
  readonly unread?: number;
  readonly unreadSize?: number;
  /** Of a workflow with limits: what it stands in line with, and holds once it was let in. */
  readonly ticket?: Ticket;
  /** Whether it was let in and has not ended since: then, and only then, its end frees what it was let in with. */
  readonly holds?: boolean;
  /** When it begins, of one that was asked for earlier. */
  readonly startsAt?: number;
  /** The revision of the first entry of its present stretch; 0 where it has never continued as new. */
  readonly from?: number;
  /** By which it is found. */
  readonly tags?: Tags;
  /** Of a run that failed: which failure of its contract it came to; missing where no contract foresees it. */
  readonly failure?: string | null;
}
export interface Change {
  /** The whole row, with a run's first entries. */
  readonly begin?: RunRow;
  readonly row?: Partial<Omit<RunRow, "run" | "operation" | "ticket" | "asleepEntry">>;
  /** Of a run that ends: what it was let in with is free again. */
  readonly frees?: Ticket;
  /** Takes its place in a line, with so many entries written. */
  readonly queues?: { readonly ticket: Ticket; readonly startedAt: number; readonly revision: number };
  /** Gives up its place in a line. */
  readonly leaves?: Ticket;
  /** How large the journal was before: the row keeps how large it is now. */
  readonly size?: number;
  /** Written only if the inbox ends with this item: otherwise a signal could slip between a look and a suspension. */
  readonly inboxSeen?: Seen;
  /** Told in the same commit: the run that waits for this one's end. */
  readonly tell?: { readonly run: string; readonly item: NewItem };
}
/**
 * The log's position after the append and how large what it wrote is, or why nothing was written. `refused`: it cannot be kept, as the sentence says;
 * `fenced`: somebody else has written to the run, so it is theirs now.
 */
export type Appended =
  | { readonly position: number; readonly size: number }
  | { readonly refused: string }
  | "fenced"
  | "inbox moved";

export interface NewItem {
  readonly signal: string;
  readonly payload: unknown;
  readonly by: string;
  readonly at: number;
  /** The same key is posted once. */
  readonly key?: string;
  /** Of what an operator wants of the run; its `signal` is empty. */
  readonly control?: Control;
}
/** What an operator wants of a run. */
export interface Control {
  readonly to: "cancel" | "terminate" | "pause" | "resume";
  /** For whoever reads the journal. */
  readonly reason?: string;
}
/** The last item of an inbox that was seen; revision -1: there was none. */
export interface Seen {
  readonly revision: number;
  /** Which one it is, where another one may come to have its revision. */
  readonly event?: string;
}
export interface Item extends NewItem, Seen {
  /** In characters of JSON. */
  readonly size: number;
}

/** What was thrown, so that it can be thrown again in replay. */
export type Thrown =
  | { readonly kind: "failed"; readonly operation: string; readonly code: string; readonly details?: unknown }
  | { readonly kind: "fault"; readonly code: string; readonly message: string }
  | { readonly kind: "error"; readonly name: string; readonly message: string };

/** Whether an action took effect. Only `not done` is a promise. */
export type ActionOutcome = "not done" | "unknown";

/** What the workflow's code asked for, in the order in which it asked. Replay must ask the same. */
export type Request =
  | {
      readonly type: "StepStarted";
      readonly path: string;
      readonly name: string;
      readonly kind: StepKind;
      readonly digest: string;
      readonly undo: boolean;
      /** It was done by the run that this one was forked from, which answers for it. */
      readonly copied?: true;
    }
  | { readonly type: "TimerSet"; readonly path: string; readonly wakeAt: number }
  | { readonly type: "SignalAwaited"; readonly path: string; readonly name: string; readonly until?: number }
  | { readonly type: "FellBack"; readonly path: string; readonly value?: unknown }
  | { readonly type: "FellBackTo"; readonly path: string; readonly value?: unknown }
  | { readonly type: "UndoBegan"; readonly path: string; readonly why: Thrown }
  | { readonly type: "VoidAsked"; readonly path: string; readonly of: string }
  | { readonly type: "UndoStarted"; readonly path: string; readonly of: string; readonly outcome: UndoneOutcome }
  | { readonly type: "UndoDone"; readonly path: string };
export type StepKind = "operation" | "local" | "child" | "event";
/** Of a step that is undone: what is known to have done nothing is not. */
export type UndoneOutcome = "done" | "unknown";

/** What came of it. Results are delivered to the code one at a time, in the order in which they stand here. */
export type Result =
  | { readonly type: "StepDone"; readonly path: string; readonly wire?: unknown }
  | { readonly type: "StepFailed"; readonly path: string; readonly thrown: Thrown; readonly outcome: ActionOutcome }
  | { readonly type: "TimerFired"; readonly path: string }
  | {
      readonly type: "SignalTaken";
      readonly path: string;
      readonly payload: unknown;
      readonly item: number;
      readonly by: string;
      /** Its name, where the code waited for any of several. */
      readonly signal?: string;
    }
  | { readonly type: "SignalTimedOut"; readonly path: string }
  /** The code waits, and has not begun a step that it made: `path` is the step's name. */
  | { readonly type: "StepForgotten"; readonly path: string }
  /** The code gets no further answers: what was done is undone. */
  | {
      readonly type: "Cancelled";
      readonly path: string;
      readonly item: number;
      readonly by: string;
      readonly reason?: string;
    }
  | { readonly type: "VoidKnown"; readonly path: string; readonly took: boolean | "unknown"; readonly wire?: unknown };

/** What is written for people and for those who adopt the run; replay passes over it. */
export type Note =
  | {
      readonly type: "Started";
      readonly operation: string;
      readonly version: number;
      readonly input: unknown;
      readonly digest: string;
      readonly principal: Principal;
      readonly traceparent: string;
      readonly forked?: Forked;
    }
  /** Its time has come, and it takes its place in line. */
  | { readonly type: "Queued" }
  | { readonly type: "Admitted" }
  /** What an operator wanted was taken note of. `asked` is when, in ms since 1970; `item` the revision in the inbox. */
  | {
      readonly type: "Steered";
      readonly to: Control["to"];
      readonly by: string;
      readonly asked: number;
      readonly item?: number;
      readonly reason?: string;
    }
  /**
   * An ended run goes on: entries from revision `back` up to here are not replayed any more. What operators wanted of it
   * before, up to this revision of its inbox, is `over`.
   */
  | {
      readonly type: "Retried";
      readonly by: string;
      readonly back: number;
      readonly reason?: string;
      readonly over?: number;
      /** The order to many runs that it was part of. */
      readonly bulk?: string;
    }
  /** In memory only: what stands in the journal here was taken back later. */
  | { readonly type: "TakenBack"; readonly was: Entry }
  | { readonly type: "Claimed"; readonly node: string; readonly term: number }
  | {
      readonly type: "AttemptFailed";
      readonly path: string;
      readonly attempt: number;
      readonly thrown: Thrown;
      readonly outcome: ActionOutcome;
    }
  | { readonly type: "Paused"; readonly reason: string }
  | { readonly type: "Progress"; readonly value: unknown }
  /** The run has come to a change of its code, and goes the new way. */
  | { readonly type: "Changed"; readonly name: string }
  /** The first entry of a further stretch: what came before is not replayed any more. */
  | {
      readonly type: "Continued";
      readonly operation: string;
      readonly version: number;
      readonly input: unknown;
      /** Which stretch begins; a run's first one is 1. */
      readonly stretch: number;
      readonly inbox: InboxSeen;
      /** What the stretch before has handed on beside its input. */
      readonly carried?: unknown;
    }
  | { readonly type: "Ended"; readonly state: "done"; readonly output?: unknown }
  | { readonly type: "Ended"; readonly state: Exclude<EndState, "done">; readonly thrown: Thrown };

/** Where a run's first entries were copied from. */
export interface Forked {
  readonly run: string;
  /** What the keys and draws of the copied part began with. */
  readonly root: string;
  /** The step that is done anew, and with it all that came after it; nothing where all is. */
  readonly step?: string;
  /** How many entries after the first are copies. */
  readonly copied: number;
}

/** What a run has seen of its inbox: everything up to a revision, and what of it was not taken. */
export interface InboxSeen {
  readonly upTo: number;
  readonly left: readonly number[];
}

export type NewEntry = Request | Result | Note;
export type Entry = NewEntry & { readonly at: number };

const results: ReadonlySet<string> = new Set([
  "StepDone",
  "StepFailed",
  "TimerFired",
  "SignalTaken",
  "SignalTimedOut",
  "StepForgotten",
  "Cancelled",
  "VoidKnown",
]);
const notes: ReadonlySet<string> = new Set([
  "Started",
  "Continued",
  "Queued",
  "Admitted",
  "Claimed",
  "AttemptFailed",
  "Paused",
  "Progress",
  "Changed",
  "Steered",
  "Retried",
  "TakenBack",
  "Ended",
]);
export const isResult = (entry: Entry): entry is Result & { readonly at: number } => results.has(entry.type);
export const isNote = (entry: Entry): entry is Note & { readonly at: number } => notes.has(entry.type);
/** The first item of the inbox that a stretch may still take, by its first entry. */
export const inboxFrom = (first: Entry | undefined): number =>
  first?.type === "Continued" ? Math.min(first.inbox.upTo + 1, ...first.inbox.left) : 0;

/** What is expected of an inbox in which this item was the last one. */
export const toSeen = (last: Item | undefined): Seen =>
  last ? { revision: last.revision, ...(last.event !== undefined && { event: last.event }) } : { revision: -1 };

export const hasEnded = ({ state }: Pick<RunRow, "state">): boolean => endStates.has(state);
const endStates: ReadonlySet<string> = new Set(["done", "failed", "cancelled", "terminated"] satisfies EndState[]);
