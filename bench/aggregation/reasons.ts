import type { Reasons } from "../frame/suite.ts";

const checked =
  "The hand-written page checks nothing, waits for as long as it takes, and loses the whole answer with one upstream. Trilith checks each of the four answers against its contract, keeps every candidate of every field to say where a value is from, has a time limit, a budget of repetitions and a place in a trace for each question, checks the fused answer once more, and sends the provenance along, which makes the body several times as large. Compiled checks for answers and a leaner trace would change it.";

export const reasons: Reasons = {
  "fuse-4": {
    limit: checked,
    peer: "What is asked and what is answered is the same. See the reason beside the limit: the checks are most of it.",
  },
  "fuse-4-cached": {
    limit: `${checked} What is in the cache is not asked for, and is fused and checked all the same.`,
  },
  "all-up": {
    limit: "The pace is set from outside, so a share below one means that answers came later than they were due.",
  },
};
