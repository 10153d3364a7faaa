import { join } from "node:path";
import type { Scope, Suite, Work } from "../frame/suite.ts";
import { reasons } from "./reasons.ts";

const file = (name: string): string => join(import.meta.dirname, name);

/** One answer from four upstreams over JSON. */
export const aggregation: Suite = {
  name: "aggregation",
  reasons,
  systems: {
    "trilith-sqlite": { file: file("trilith.ts"), role: "trilith", limit: ["hand-written", "limit-loop"] },
    "hand-written": { file: file("hand-written.ts"), role: "limit" },
    "limit-loop": { file: file("limit-loop.ts"), role: "limit" },
    "hive-gateway": { file: file("peers/hive-gateway.ts"), role: "peer", installed: true, limit: ["hand-written"] },
  },
  works: (scope) => (scope === "scale" ? grown() : usual(scope)),
};

const everybody = ["trilith-sqlite", "hand-written", "hive-gateway"];
const fused = "one answer fused from four upstreams; Trilith's is checked, and says where each field is from";

function usual(scope: Scope): readonly Work[] {
  const quick = scope === "quick";
  const pace = quick ? { rounds: 3, forMs: 500, warmUpMs: 700 } : { rounds: 5, forMs: 4_000, warmUpMs: 4_000 };
  const long = quick ? { rounds: 1, forMs: 2_000, warmUpMs: 500 } : { rounds: 1, forMs: 60_000, warmUpMs: 2_000 };
  return [
    { work: "fuse-4", what: fused, systems: everybody, clients: [32], ...pace },
    {
      work: "fuse-4-cached",
      what: "the same, nine in ten times for one of a hundred products; only Trilith has a cache here",
      systems: ["trilith-sqlite", "hand-written"],
      clients: [32],
      ...pace,
    },
    page(50, pace),
    {
      work: "slow-upstream",
      what: "one answer at 200 a second, where one upstream takes 2 seconds and the budget is 250 ms",
      systems: ["trilith-sqlite"],
      clients: [512],
      ...long,
    },
    {
      work: "all-up",
      what: "one answer at 500 a second, with all upstreams up",
      systems: ["trilith-sqlite", "hand-written"],
      clients: [128],
      ...long,
    },
    {
      work: "dead-upstream",
      what: "one answer at 500 a second, with one upstream dead",
      systems: ["trilith-sqlite"],
      clients: [128],
      ...long,
    },
    {
      work: "feed",
      what: "one record of two inputs out of order, merged and added up by key and hour",
      systems: ["trilith-sqlite", "limit-loop"],
      clients: [1],
      size: quick ? 400_000 : 2_000_000,
      rounds: quick ? 3 : 5,
      forMs: 0,
      warmUpMs: 1,
    },
  ];
}

/** How cost grows with clients, and with the items of a page. */
function grown(): readonly Work[] {
  const pace = { rounds: 3, forMs: 2_000, warmUpMs: 1_500 };
  return [
    { work: "fuse-4", what: fused, systems: everybody, clients: [1, 4, 16, 64, 128, 256, 512], ...pace },
    ...[1, 5, 10, 25, 50].map((items) => page(items, pace)),
  ];
}

function page(items: number, pace: Pick<Work, "rounds" | "forMs" | "warmUpMs">): Work {
  return {
    work: `page-${items}`,
    as: "page",
    what: `a page of ${items} item${items === 1 ? "" : "s"} from three upstreams, asked once each for all of them`,
    systems: everybody,
    clients: [32],
    size: items,
    ...pace,
  };
}
