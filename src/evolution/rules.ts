import type { BreakKind } from "./breaks.ts";
import type { Level } from "./level.ts";

/** One thing that changed between two versions of a contract, and how much of a change it is. */
export interface Finding {
  /** Stable: `input.missing-field`. */
  readonly rule: string;
  readonly level: Level;
  /** Where in the contract: `bookings.hold`, `bookings.SeatHeld`, or the contract itself. */
  readonly subject: string;
  /** A JSON Pointer into the value in question; empty for the whole of it. */
  readonly path: string;
  readonly sentence: string;
  readonly counterexample?: Counterexample;
}
/** A value that worked and no longer does. Schemas' verdicts were confirmed by Ajv, on both sides. */
export interface Counterexample {
  readonly value: unknown;
  /** Who gives it and who does not take it, in words. */
  readonly from: string;
  readonly to: string;
}

/** The parts of a contract whose schemas are judged, and which of both sides writes. */
export type Part =
  | "input"
  | "output"
  | "failure"
  | "signal"
  | "progress"
  | "stored-event"
  | "new-event"
  | "stored-input"
  | "journaled-result";

/** What each kind of break means, in words that follow the place: "/traveller is demanded and was not". */
export const kindsInWords: { readonly [K in BreakKind]: string } = {
  "missing-field": "is demanded by the reader, and the writer may leave it out",
  "unknown-field": "is not known to the reader",
  type: "may have a type that the reader does not take",
  value: "may have a value that the reader does not take",
  range: "may lie outside the range that the reader takes",
  length: "may be longer or shorter than the reader takes",
  pattern: "may be written in a way that the reader does not take",
  format: "may not have the format that the reader takes",
  items: "may hold items that the reader does not take together",
  union: "fits none of the shapes that the reader takes",
  excluded: "is something that the reader does not take",
  "cannot-tell": "cannot be compared, which counts as breaking",
};

/** Every rule with what it says, for `--rules` and the guide. The rules about schemas are these times the kinds above. */
export const rules: { readonly [rule: string]: { readonly level: Level; readonly says: string } } = {
  "contract.added": { level: "minor", says: "A contract is there that was never published." },
  "contract.removed": {
    level: "major",
    says: "A published contract is gone. Retire it: trilith contracts publish --retire <name>.",
  },
  "contract.described": {
    level: "patch",
    says: "Owner, summary, migration note, or something that no other rule speaks of changed.",
  },
  "operation.added": { level: "minor", says: "There is a new operation." },
  "operation.removed": { level: "major", says: "An operation is gone." },
  "operation.renamed": { level: "major", says: "An operation is gone, and a new one is the same in all but its name." },
  "operation.kind": { level: "major", says: "A query became a command, or a command a query." },
  "operation.described": { level: "patch", says: "The summary of an operation changed." },
  "operation.deprecated": {
    level: "minor",
    says: "An operation is announced as deprecated, or differently than before.",
  },
  "operation.undeprecated": { level: "patch", says: "An operation is no longer deprecated." },
  "progress.added": { level: "minor", says: "A run tells of itself while it is under way." },
  "progress.removed": { level: "major", says: "A run no longer tells of itself while it is under way." },
  "route.added": { level: "minor", says: "An operation can be called from outside that could not be." },
  "route.removed": { level: "major", says: "An operation has no route any more." },
  "route.changed": { level: "major", says: "Verb or path of an operation changed." },
  "route.parameter-renamed": {
    level: "patch",
    says: "A parameter of a path has another name; the addresses are the same.",
  },
  "access.demanded": { level: "major", says: "A scope is demanded that was not." },
  "access.opened": { level: "minor", says: "What needed a scope is open to everybody." },
  "timeout.lowered": { level: "major", says: "An operation gives up earlier than it promised, or at all." },
  "timeout.raised": { level: "minor", says: "An operation takes longer to give up, or never does." },
  "idempotency.dropped": {
    level: "major",
    says: "Repeating a command under its key is no longer promised to be harmless.",
  },
  "idempotency.promised": { level: "minor", says: "Repeating a command under its key is promised to be harmless." },
  "failure.added": { level: "major", says: "An operation may end with a failure that its callers do not know." },
  "failure.removed": { level: "minor", says: "An operation no longer ends with a failure." },
  "failure.status": { level: "major", says: "The HTTP status of a failure changed." },
  "failure.retry": { level: "minor", says: "What a failure says of repeating changed." },
  "failure.details-removed": { level: "major", says: "A failure no longer carries details." },
  "failure.details-added": { level: "minor", says: "A failure carries details." },
  "failure.described": { level: "patch", says: "The sentence of a failure changed." },
  "signal.added": { level: "minor", says: "A run takes a new signal." },
  "signal.removed": { level: "major", says: "A run no longer takes a signal." },
  "signal.closed": { level: "major", says: "A signal can no longer be sent from outside." },
  "event.added": { level: "minor", says: "There is a new event." },
  "event.removed": { level: "major", says: "An event is gone; those that are stored cannot be read." },
  "event.version-raised": {
    level: "major",
    says: "Events are written in a version that older readers do not know, and do not lead down to one that they do.",
  },
  "event.led-down": {
    level: "minor",
    says: "Events have a new version, and are led down to the one that older readers know while those run.",
  },
  "event.version-lowered": { level: "major", says: "Events of a later version are stored already." },
  "event.upcaster-missing": {
    level: "major",
    says: "The payload changed and its version did not, so stored events cannot be read.",
  },
  "event.history-changed": {
    level: "major",
    says: "An upcaster reads another payload than was published for its version.",
  },
  "event.upcaster-fails": {
    level: "major",
    says: "An upcaster throws, or makes something else than the next version.",
  },
  "stored-input.upcaster-fails": { level: "major", says: "The way from an earlier input throws, or leads elsewhere." },
  "run.workflow-missing": {
    level: "major",
    says: "Runs are under way of a workflow version that is not there (deployable).",
  },
  "stored-input.upcaster-missing": {
    level: "major",
    says: "Inputs of runs under way are stored, and no upcaster leads from them to the present input.",
  },
  "migration.note-missing": {
    level: "major",
    says: "A new major version has no note that tells callers how to get there.",
  },
  "default.changed": { level: "major", says: "A field that is left out means another value than before." },
  "default.added": { level: "minor", says: "A field that is left out has a value." },
  "default.removed": { level: "minor", says: "A field that is left out has no value any more." },
  "personal.dropped": { level: "major", says: "A field that was marked as personal no longer is." },
  "personal.marked": { level: "minor", says: "A field is marked as personal." },
  "subject.changed": { level: "major", says: "Another field than before says whose data it is." },
  "schema.access-mark": { level: "patch", says: "readOnly or writeOnly changed. Nothing of Trilith acts on them." },
  "schema.described": { level: "patch", says: "A schema says the same in other words." },
  "schema.widened": { level: "minor", says: "More is accepted than before." },
  "schema.narrowed": { level: "minor", says: "Less is returned than before, or more that readers need not know." },
};
