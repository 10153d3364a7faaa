import { join } from "node:path";
import { timed } from "../frame/closed-loop.ts";
import { type Load, startLoad } from "../frame/load.ts";
import { type Asked, type Measured, type Notes, type Open, type Place, type Subject, Wrong } from "../frame/subject.ts";
import { watchGrowth } from "./growth.ts";
import { callsOfPage } from "./page.ts";
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

/** The files that say how whoever answers is asked for a product, and for a page of them. */
export interface RequestFiles {
  readonly product: string;
  readonly page: string;
}
/** As it is asked over plain HTTP. */
export const requests: RequestFiles = {
  product: join(import.meta.dirname, "requests.ts"),
  page: join(import.meta.dirname, "page-requests.ts"),
};

/** The works of aggregation over HTTP, by whoever answers. */
export function toWorks(answerer: Answerer, files: RequestFiles): { readonly [work: string]: Open } {
  const open =
    (like: ToUpstreams, kind: Kind, rate?: number, cached = false) =>
    async (place: Place) => {
      const upstreams = await startUpstreams();
      const answering = await answerer(upstreams, place, { cached });
      await upstreams.be(like);
      const load = startLoad(answering.origin, files.product, kind);
      const healthy = like.down && startLoad(answering.origin, files.product, "whole" satisfies Kind);
      return asking(answering, upstreams, {
        load,
        like,
        ...(rate !== undefined && { rate }),
        ...(healthy && { healthy }),
      });
    };
  return {
    async page(place) {
      const upstreams = await startUpstreams();
      const answering = await answerer(upstreams, place, { cached: false });
      const load = startLoad(answering.origin, files.page, String(place.size));
      return counting(asking(answering, upstreams, { load, like: {} }), upstreams);
    },
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
  options: {
    readonly load: Load;
    readonly like: ToUpstreams;
    readonly rate?: number;
    /** Who asks while all upstreams are up, where that is what is compared with. */
    readonly healthy?: Load;
  },
): Subject {
  const { load, like, rate, healthy } = options;
  return {
    async round(asked) {
      const paced = { ...asked, ...(rate !== undefined && { rate }) };
      const before = healthy && (await whileUp(healthy, upstreams, paced));
      await upstreams.be(like);
      const growth = rate === undefined ? undefined : await watchGrowth(asked.forMs);
      const measured = await load.round(paced);
      const grown = await growth?.();
      if (!healthy || !before) return grown ? { ...measured, notes: grown } : measured;
      const recovered = await recovery(origin, upstreams);
      const after = await whileUp(healthy, upstreams, paced);
      return [{ ...measured, notes: { ...grown, ...besideHealthy(measured, [before, after]) } }, recovered];
    },
    verify: async () => {}, // each answer was looked at, and nothing is kept
    async close() {
      load.close();
      healthy?.close();
      await close();
      upstreams.close();
    },
    ...(pids && { pids, elsewhere: true }),
  };
}

/**
 * The same asked while all upstreams are up: what the time of an answer is held against. Half of the time before and half
 * of it after, so that both are asked for as long, and what machine and process become meanwhile falls to both alike.
 */
async function whileUp(load: Load, upstreams: Upstreams, asked: Asked): Promise<Measured> {
  await upstreams.be({});
  return load.round({ ...asked, forMs: asked.forMs / 2 });
}

function besideHealthy(measured: Measured, healthy: readonly [Measured, Measured]): Notes {
  const [before, after] = healthy;
  const p99Ms = (before.p99Ms + after.p99Ms) / 2;
  return { "p99 with all up, ms": p99Ms, "p99 of that": measured.p99Ms / p99Ms };
}

/** Counts what a page costs upstream, and ends the run where that is more than it may. */
function counting(subject: Subject, upstreams: Upstreams): Subject {
  return {
    ...subject,
    async round(asked) {
      await upstreams.be({});
      const measured = [await subject.round(asked)].flat();
      const calls = await upstreams.be({});
      const pages = measured.reduce((sum, { operations, errors }) => sum + operations + errors, 0);
      if (calls > callsOfPage * pages)
        throw new Wrong(`${pages} pages cost ${calls} upstream calls, and may cost ${callsOfPage} each.`);
      const notes = { "upstream calls a page": calls / pages };
      return measured.map((one) => ({ ...one, notes }));
    },
  };
}

const patienceMs = 30_000;

/** How long a dead upstream is missed after it is back. It stays up from then on. */
async function recovery(origin: string, upstreams: Upstreams): Promise<Measured> {
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
  return { ...measured, work: "recovery", what: "the first whole answer after a dead upstream is back" };
}
