import type { Reasons } from "../frame/suite.ts";

const append =
  "The limit inserts into one table without an index and knows no streams; on SQLite it does so in the thread that asks. Trilith looks at the revision of each stream, keeps an index over stream and revision, gives each event an id, and says which positions it got; on SQLite what is asked for travels to the thread that writes and back, so that a flush holds no request up. A leaner message between the two threads, and fewer statements an append, would bring it closer.";

export const reasons: Reasons = {
  "append-1": {
    limit: append,
    peer: "Both wait for one flush an append; what is left is the round trip and the statement. Fewer round trips would change it.",
  },
  "append-100": {
    limit: append,
    peer: "Both write a hundred events with one flush; what is left is the work of the server for each event.",
  },
  "loop-delay": {
    limit:
      "The operations are those of `append-1`, and so is the reason. The limit on SQLite flushes in the thread that answers requests, which its 99th percentile shows.",
  },
  "entity-command": {
    peer: "Both read the entity, decide and append. What Trilith does besides: it checks input and output against the contract, and traces the call.",
  },
  rebuild: {
    limit:
      "The limit folds a page of a thousand events in memory and writes each row once. Trilith checks each event against its contract and hands it to the handler of the read model, whose writes are data; what those of up to four thousand events make of a row is worked out first, and each row is written once, in one commit with the checkpoint. Compiled checks, and reading the next page while one is written, would change it.",
    peer: "Both write a page and its checkpoint in one commit.",
  },
};
