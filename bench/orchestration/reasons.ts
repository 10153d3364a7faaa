import type { Reasons } from "../frame/suite.ts";

export const reasons: Reasons = {
  "five-steps": {
    limit:
      "The limit writes one row a step and can do nothing with it: no replay, no retries, no owner, no undo. Trilith writes the intent of a step before its action and the result after it (the result of one and the intent of the next share a commit), checks the revision of the run at each commit so that no second node can write to it, keeps a row of the run by which it is found, and checks input and output against the contract. Both have about as many commits, so what is left is CPU, a third of it for garbage; fewer promises between a result and its commit would change it.",
    peer: "With one client every system waits for one flush after the other, so how many there are in a run, and how long one takes at that moment, decides. Statements and commits a run are told below the table. A cheaper append, with fewer looks at indexes before its insert, would change it.",
  },
  replay: {
    limit:
      "The limit reads and parses entries. Trilith acts the workflow out again: each entry is delivered to the code by itself, after what the one before set off has come to rest, and each step is compared with what the journal says it was. Entries are read as text alone, those of a commit as one row; what is left goes into fetching rows, parsing them, and the garbage that both leave. A shorter spelling of entries would change it.",
  },
};
