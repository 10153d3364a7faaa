import type { Reasons } from "../frame/suite.ts";

export const reasons: Reasons = {
  "five-steps": {
    limit:
      "The limit writes one row a step and can do nothing with it: no replay, no retries, no owner, no undo. Trilith writes the intent of a step before its action and the result after it (the result of one and the intent of the next share a commit), checks the revision of the run at each commit so that no second node can write to it, keeps a row of the run by which it is found, and checks input and output against the contract. Both have about as many commits, and many clients share each, so what is left is the processor: a third of the main thread's part is garbage, and the two writes of the run's row are a quarter of the whole (decision 69). One write of it instead of two would change it.",
    peer: "Many clients share each flush, so the processor decides, here and there. Statements and commits a run are told below the table. A cheaper append, with fewer entries in indexes, would change it.",
  },
  "five-steps, 1 client": {
    limit:
      "Both wait for six flushes, one after the other, so what decides is what is around a flush. On SQLite the limit writes and flushes in the thread that asks. Trilith asks the thread that writes, and that one flushes what comes alone and wakes the first (decision 60): two ways each time, and a thread that sleeps takes a while to wake. So most of the time is waiting (decision 69). On PostgreSQL both have a round trip a commit, and the server has several rows with their entries in indexes to write here, and one there. A row less a commit would change it.",
    peer: "With one client every system waits for one flush after the other, so how many there are in a run, and how long one takes at that moment, decides. Statements and commits a run are told below the table. A step's result has to be durable before the next begins, so fewer commits are not to be had.",
  },
  replay: {
    limit:
      "The limit reads and parses entries. Trilith acts the workflow out again: each entry is delivered to the code by itself, after what the one before set off has come to rest, and each step is compared with what the journal says it was. Rows are fetched beside it, those of a commit are one, and steps are spelled by place (decision 44); what is left is parsing, a turn of the queue of microtasks for each result, and the start of the backend.",
  },
};
