import type { Reasons } from "../frame/suite.ts";

const append =
  "The limit inserts into one table, with no index but that of its positions, and knows no streams; on SQLite it does so in the thread that asks. Trilith looks at the revision of each stream, keeps an index over stream and revision, gives each event an id, and says which positions it got; on SQLite what is asked for travels to the thread that writes and back, so that a flush holds no request up. A leaner message between the two threads, and fewer rows and entries in indexes an append, would bring it closer.";

export const reasons: Reasons = {
  "append-1": {
    limit: append,
    peer: "Both wait for one flush an append; what is left is the round trip and the statement. Fewer round trips would change it.",
  },
  "append-1, 1 client": {
    limit:
      "Both wait for one flush an append, so what decides is what is around it. On SQLite the limit writes and flushes in the thread that asks; Trilith's append goes to the thread that writes, which flushes a lone one by itself, and back, so that a flush holds no request up, and a thread that sleeps takes a while to wake. On PostgreSQL both have one round trip, and the server writes two rows with four entries in indexes where the limit has one of each. Nothing of that is shared with anybody while there is one client. Fewer rows an append would change it.",
    peer: "Both wait for one flush an append; what is left is the round trip and the statement. Fewer rows an append would change it.",
  },
  "append-100": {
    limit:
      "The limit inserts into one table, with no index but that of its positions, and knows no streams; on SQLite it does so in the thread that asks. Trilith looks at the revision of each stream, gives each event an id, and says which positions it got. On SQLite each event is a row with entries in two indexes, and what is asked for travels to the thread that writes and back: a leaner message, and events that share a row, would bring it closer. On PostgreSQL events of an append share rows already.",
    peer: "Both write a hundred events with one flush; what is left is the work of the server for each event.",
  },
  "loop-delay": {
    limit:
      "How late the event loop is comes from what a process does between two of its turns: here appends of a turn are packed together and answers of a batch are told together, each with its own promises; the limit does little in this thread but to queue a row. On SQLite it also flushes in it, which its 99th percentile shows. Smaller batches would change it, and cost speed.",
    peer: "Emmett does a fraction of the appends in the same time and waits for the server in between, so its event loop has little to do. Smaller batches would change it, and cost speed.",
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
