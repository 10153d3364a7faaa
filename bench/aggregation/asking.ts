import { timed } from "../frame/closed-loop.ts";
import { startLoad } from "../frame/load.ts";
import { type Measured, type Open, type Place, type Subject, Wrong } from "../frame/subject.ts";
import type { Product } from "./product.ts";
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
      return asking(answering, upstreams, { requests, kind, like, ...(rate !== undefined && { rate }) });
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
  options: { readonly requests: string; readonly kind: Kind; readonly like: ToUpstreams; readonly rate?: number },
): Subject {
  const { requests, kind, like, rate } = options;
  const load = startLoad(origin, requests, kind);
  return {
    async round(asked) {
      const measured = await load.round({ ...asked, ...(rate !== undefined && { rate }) });
      return like.down ? [measured, await recovery(origin, upstreams, like)] : measured;
    },
    verify: async () => {}, // each answer was looked at, and nothing is kept
    async close() {
      load.close();
      await close();
      upstreams.close();
    },
    ...(pids && { pids, elsewhere: true }),
  };
}

const patienceMs = 30_000;

/** How long a dead upstream is missed after it is back. */
async function recovery(origin: string, upstreams: Upstreams, like: ToUpstreams): Promise<Measured> {
  await upstreams.be({});
  const measured = await timed(1, async () => {
    const until = performance.now() + patienceMs;
    for (let number = 0; ; number++) {
      const answer = await fetch(`${origin}/products/${number}?meta=true`);
      const { data } = (await answer.json()) as { readonly data: Product };
      if (data.stars !== undefined) return;
      if (performance.now() > until)
        throw new Wrong(`What was dead is back, and missed for ${patienceMs / 1_000} seconds.`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
  await upstreams.be(like);
  return { ...measured, work: "recovery", what: "the first whole answer after a dead upstream is back" };
}
