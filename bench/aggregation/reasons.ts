import type { Reasons } from "../frame/suite.ts";

const checked =
  "The hand-written page checks nothing, waits for as long as it takes, and loses the whole answer with one upstream. Trilith checks each of the four answers against its contract, keeps every candidate of every field to say where a value is from, has a time limit, a budget of repetitions and a place in a trace for each question, checks the fused answer as well, and sends the provenance along, which makes the body several times as large. Half of the difference is spent outside of the layer that fuses: on the headers, the request's name and its trace in the gateway, and on the garbage of all that is held until an answer is whole. A process that has just begun shows more of it, for there is more to compile.";

export const reasons: Reasons = {
  "fuse-4": {
    limit: checked,
    peer: "What is asked and what is answered is the same. See the reason beside the limit: the checks are most of it.",
  },
  "fuse-4-cached": {
    limit: `${checked} What is in the cache is not asked for, and is fused and checked all the same.`,
  },
  "page-50": {
    limit: `${checked} A page reads each source once for all of its items, but each item still has its own key, place in the cache, state and provenance in it.`,
    peer: "What is asked upstream is the same or less: Trilith lets the keys of pages that are under way at the same moment travel together. What costs more is its own: every key has a state and an age, and every answer is checked. Compiled checks would change it.",
  },
  feed: {
    limit:
      "The limit runs over what is in memory and adds up. Trilith reads two inputs in batches, looks at the event time of each record, knows by it which windows are over and gives those out, and notices what is late. It can keep its state as it goes; here nothing is saved, so what that costs is not in the figure. Fewer calls of functions a record would change it.",
  },
  "all-up": {
    limit:
      "Both answer as often as they are asked, so what is compared is how long an answer takes. The process is idle for the most part at this pace, and an answer takes what it costs: see `fuse-4`. The slowest hundredth are those that met the collector, which has more to do here, or whoever else had the cores.",
  },
};
