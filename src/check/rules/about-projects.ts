import type { Rule } from "./catalogue.ts";

type ProjectRule =
  | "files/layer"
  | "files/syntax"
  | "backend/loads"
  | "operations/implemented"
  | "operations/implemented-twice"
  | "operations/need"
  | "operations/stray-remote"
  | "allow/reason"
  | "allow/unknown-rule"
  | "allow/unused";

/** What makes a project whole. */
export const projectRules: { readonly [rule in ProjectRule]: Rule } = {
  "files/layer": {
    what: "Every source file belongs to a layer.",
    why: "A file that belongs nowhere is checked by no rule, and is where the layers come to meet.",
    wayOut:
      "Move it into contracts/, orchestration/, aggregation/ or storage/; or name a layer for it in trilith.check.json, or leave it out with `ignore`.",
    wrong: "utils.ts beside backend.ts",
    right: '{ "layers": { "scripts": { "files": ["ops/**"] } } }',
  },
  "files/syntax": {
    what: "Every source file can be parsed.",
    why: "What cannot be read cannot be checked.",
    wayOut: "Correct what the compiler says of it too, or leave generated files out with `ignore`.",
    wrong: "export const = 1;",
    right: "export const one = 1;",
  },
  "backend/loads": {
    what: "The contract files and the backend can be loaded, and the backend is exported by default.",
    why: "Who implements what is known only from the composed backend. What does not load here will not start either.",
    wayOut: "See the reason. A file that is loaded must start nothing by itself: `trilith start` does that.",
    wrong: "backend(…); // and not exported",
    right: 'export default backend("trips", { storage: [bookingStore] });',
  },
  "operations/implemented": {
    what: "Every operation is implemented.",
    why: "A contract is a promise. An operation that nobody implements is found out by the first caller.",
    wayOut:
      "Add its store, workflow or view to the backend. If another service implements the contract, use it in a workflow and give its address under `remote`.",
    wrong: 'backend("trips", { storage: [] }) // while contracts.ts declares Bookings',
    right: 'backend("trips", { storage: [bookingStore] })',
  },
  "operations/implemented-twice": {
    what: "Every operation is implemented once.",
    why: "Of two implementations, which one answers would be an accident; so the backend does not start.",
    wayOut: "Take one of them out of the backend, or give it an operation of its own.",
    wrong: "orchestration: [bookTrip, bookTripAgain] // both implement Trips.book",
    right: "orchestration: [bookTrip]",
  },
  "operations/need": {
    what: "What a workflow or a source uses is implemented here, or has an address.",
    why: "A need that nobody meets is found out in the middle of a run.",
    wayOut:
      "Add the store, workflow or view that implements the contract to the backend, or its address under `remote`.",
    wrong: "uses: [Payments] // which the backend neither implements nor has an address for",
    right: 'backend("trips", { orchestration: [bookTrip], remote: { payments: "https://payments.test" } })',
  },
  "operations/stray-remote": {
    what: "Every address under `remote` is of a contract that somebody here uses.",
    why: "It is a misspelt name, or what is left of a need that is gone; the backend does not start with it.",
    wayOut: "Take it out, or correct the name.",
    wrong: 'remote: { payment: "https://payments.test" } // the contract is called payments',
    right: 'remote: { payments: "https://payments.test" }',
  },
  "allow/reason": {
    what: "What is allowed says why.",
    why: "Who comes later has to know whether the reason still holds.",
    wayOut: "Write it behind a colon: // trilith-allow pure/clock: only for the log line, which nobody replays",
    wrong: "// trilith-allow pure/clock",
    right: "// trilith-allow pure/clock: the value is not kept",
  },
  "allow/unknown-rule": {
    what: "What is allowed is a rule.",
    why: "A misspelt rule allows nothing, and looks as if it did.",
    wayOut: "Correct the rule's id; `trilith check --rules` lists them.",
    wrong: "// trilith-allow pure/clok: …",
    right: "// trilith-allow pure/clock: …",
  },
  "allow/unused": {
    what: "What is allowed occurs.",
    why: "An allowance that is left behind allows the next violation, for a reason that was another's.",
    wayOut: "Remove it.",
    wrong: "// trilith-allow pure/clock: … above a line that asks no clock",
    right: "the line alone",
  },
};
