import { join } from "node:path";
import type { Scope, Suite, Work } from "../frame/suite.ts";
import { reasons } from "./reasons.ts";

const file = (name: string): string => join(import.meta.dirname, name);
const sqlite = ["trilith-sqlite", "limit-sqlite"];
const postgres = ["trilith-postgres", "emmett", "limit-postgres", "limit-postgres-single"];

/** Events on disk, and what follows from them. */
export const storage: Suite = {
  name: "storage",
  reasons,
  systems: {
    "trilith-sqlite": { file: file("trilith-sqlite.ts"), role: "trilith", limit: ["limit-sqlite"] },
    "trilith-postgres": {
      file: file("trilith-postgres.ts"),
      role: "trilith",
      limit: ["limit-postgres"],
      postgres: true,
    },
    emmett: { file: file("peers/emmett.ts"), role: "peer", installed: true, limit: ["limit-postgres"], postgres: true },
    "limit-sqlite": { file: file("limit-sqlite.ts"), role: "limit" },
    "limit-postgres": { file: file("limit-postgres.ts"), role: "limit", postgres: true },
    "limit-postgres-single": { file: file("limit-postgres-single.ts"), role: "limit", postgres: true },
  },
  works: (scope) => (scope === "scale" ? grown() : usual(scope)),
};

function usual(scope: Scope): readonly Work[] {
  const quick = scope === "quick";
  const pace = quick ? { rounds: 3, forMs: 200, warmUpMs: 120 } : { rounds: 5, forMs: 1_500, warmUpMs: 1_500 };
  const once = { rounds: 2, forMs: 0, warmUpMs: 0 };
  const append = "one event, appended to a new stream and durable";
  return [
    { work: "append-1", what: append, systems: sqlite, clients: [128, 1], ...pace },
    { work: "append-1", what: append, systems: postgres, clients: [32, 1], ...pace },
    {
      work: "append-100",
      what: "one event, in appends of a hundred",
      systems: [...sqlite, ...postgres.slice(0, 3)],
      clients: [8],
      ...pace,
    },
    {
      work: "entity-command",
      what: "one command to one of 10,000 entities, which decides over its state and appends",
      systems: ["trilith-sqlite", "trilith-postgres", "emmett"],
      clients: [128],
      ...pace,
    },
    {
      work: "rebuild",
      what: "one event, taken into an async read model that is built from the beginning",
      systems: ["trilith-sqlite", "limit-sqlite", "trilith-postgres", "emmett", "limit-postgres"],
      clients: [1],
      size: quick ? 50_000 : 1_000_000,
      sizes: { emmett: quick ? 1_000 : 50_000 },
      ...once,
    },
    ...(quick ? [50_000] : [10_000, 100_000, 1_000_000]).map((size) => reopening(size, pace)),
  ];
}

/** How cost grows with the log, with clients and with the size of an event. */
function grown(): readonly Work[] {
  const pace = { rounds: 3, forMs: 1_000, warmUpMs: 500 };
  const both = [...sqlite, "trilith-postgres", "emmett", "limit-postgres"];
  const what = "one event, appended to a new stream and durable";
  return [
    { work: "append-1", what, systems: both, clients: [1, 4, 16, 64, 128, 256, 512], ...pace },
    ...[1, 10, 100, 1_000].map(
      (kilobytes): Work => ({
        work: `append-1-of-${kilobytes}kb`,
        as: "append-1",
        what: `one event of ${kilobytes} KB, appended to a new stream and durable`,
        systems: both,
        clients: [32],
        size: kilobytes * 1_000,
        ...pace,
      }),
    ),
    ...[10_000, 100_000, 1_000_000, 10_000_000].map((size) => reopening(size, pace)),
  ];
}

function reopening(size: number, pace: Pick<Work, "rounds" | "forMs" | "warmUpMs">): Work {
  return {
    work: "reopen",
    what: "opening a log that has grown, until its last event is read; and one event appended to it",
    systems: size > 1e6 ? ["trilith-sqlite"] : ["trilith-sqlite", "trilith-postgres"],
    clients: [128],
    size,
    ...pace,
  };
}
