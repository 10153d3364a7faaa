import { startLoad } from "../frame/load.ts";
import type { Open, Place, Subject } from "../frame/subject.ts";
import { startUpstreams, type ToUpstreams, type Upstreams } from "./upstreams.ts";

/** Who answers for four upstreams. */
export interface Answering {
  readonly origin: string;
  close(): Promise<void>;
  /** Processes that do it, where it is not this one. */
  readonly pids?: readonly number[];
}
export type Answerer = (
  upstreams: Upstreams,
  place: Place,
  options: { readonly cached: boolean },
) => Promise<Answering>;

/** Requests a second in the works that are paced: somebody else sets the pace, and waits for nobody. */
const paces = { "slow-upstream": 200, "dead-upstream": 500, "all-up": 500 } as const;

/** The works of aggregation, by whoever answers. `requests` is the file that says how it is asked. */
export function toWorks(answerer: Answerer, requests: string): { readonly [work: string]: Open } {
  const open =
    (like: ToUpstreams, kind: Kind, rate?: number, cached = false) =>
    async (place: Place) => {
      const upstreams = await startUpstreams();
      const answering = await answerer(upstreams, place, { cached });
      await upstreams.be(like);
      return asking(answering, upstreams, { requests, kind, ...(rate !== undefined && { rate }) });
    };
  return {
    "fuse-4": open({}, "whole"),
    "fuse-4-cached": open({}, "mostly the same", undefined, true),
    "all-up": open({}, "whole", paces["all-up"]),
    "slow-upstream": open({ slow: { reviews: 2_000 } }, "without reviews", paces["slow-upstream"]),
    "dead-upstream": open({ down: ["reviews"] }, "without reviews", paces["dead-upstream"]),
  };
}

/** What is asked for, and what has to be in the answer. */
export type Kind = "whole" | "mostly the same" | "without reviews";

function asking(
  { origin, close, pids }: Answering,
  upstreams: Upstreams,
  { requests, kind, rate }: { readonly requests: string; readonly kind: Kind; readonly rate?: number },
): Subject {
  const load = startLoad(origin, requests, kind);
  return {
    round: (asked) => load.round({ ...asked, ...(rate !== undefined && { rate }) }),
    verify: async () => {}, // each answer was looked at, and nothing is kept
    async close() {
      load.close();
      await close();
      upstreams.close();
    },
    ...(pids && { pids, elsewhere: true }),
  };
}
