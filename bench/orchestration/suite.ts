import { join } from "node:path";
import type { Suite, Work } from "../frame/suite.ts";
import { reasons } from "./reasons.ts";

const file = (name: string): string => join(import.meta.dirname, name);
const trilith = ["trilith-sqlite", "trilith-postgres"];

/** Durable workflows. */
export const orchestration: Suite = {
  name: "orchestration",
  reasons,
  systems: {
    "trilith-sqlite": { file: file("trilith-sqlite.ts"), role: "trilith", limit: ["limit-sqlite"] },
    "trilith-postgres": {
      file: file("trilith-postgres.ts"),
      role: "trilith",
      limit: ["limit-postgres"],
      postgres: true,
    },
    "trilith-postgres-two": {
      file: file("trilith-postgres-two.ts"),
      role: "trilith",
      limit: ["limit-postgres"],
      postgres: true,
    },
    dbos: { file: file("peers/dbos.ts"), role: "peer", installed: true, limit: ["limit-postgres"], postgres: true },
    restate: { file: file("peers/restate.ts"), role: "peer", installed: true },
    "limit-sqlite": { file: file("limit-sqlite.ts"), role: "limit" },
    "limit-postgres": { file: file("limit-postgres.ts"), role: "limit", postgres: true },
  },
  works(scope) {
    const quick = scope === "quick";
    const pace = quick ? { rounds: 3, forMs: 220, warmUpMs: 150 } : { rounds: 5, forMs: 4_000, warmUpMs: 3_000 };
    const once = { rounds: quick ? 1 : 3, forMs: 0, warmUpMs: 0 };
    const five: Work = {
      work: "five-steps",
      what: "one run of five steps, each result durable before the next step begins",
      systems: [...trilith, "dbos", "restate", "limit-sqlite", "limit-postgres"],
      clients: [1, 32, 128],
      ...pace,
    };
    const nodes: readonly Work[] = [
      {
        ...five,
        work: "five-steps-processes",
        as: "five-steps",
        what: "one run of five steps, of one process and of two on one PostgreSQL",
        systems: ["trilith-postgres", "trilith-postgres-two"],
        clients: [128],
      },
      {
        ...five,
        work: "five-steps-slow-flush",
        what: "the same where every flush of PostgreSQL takes 2 ms longer",
        systems: ["trilith-postgres", "trilith-postgres-two"],
        clients: [128],
      },
    ];
    const replay: Work = {
      work: "replay",
      what: "one journal entry, read and acted out again",
      systems: [...trilith, "limit-sqlite"],
      clients: [1],
      size: quick ? 10_000 : 200_000,
      ...once,
    };
    const sleeping: Work = {
      work: "sleeping-runs",
      what: "one run that sleeps: started over HTTP, its process started again, woken",
      systems: quick ? ["trilith-sqlite"] : trilith,
      clients: [1],
      size: quick ? 500 : 100_000,
      ...once,
      rounds: 1,
    };
    if (scope !== "scale") return [five, ...nodes, replay, sleeping];
    return [
      { ...five, clients: [1, 4, 16, 64, 128, 256, 512], rounds: 3, forMs: 2_000, warmUpMs: 1_000 },
      { ...replay, size: 1_000_000, rounds: 1 },
      ...[1, 10, 100, 1_000].map(
        (steps): Work => ({
          work: `steps-${steps}`,
          as: "steps",
          what: `one step, in runs of ${steps}`,
          systems: trilith,
          clients: [32],
          size: steps,
          rounds: 3,
          forMs: 3_000,
          warmUpMs: 1_000,
        }),
      ),
      { ...sleeping, systems: ["trilith-sqlite"], size: 1_000_000 },
    ];
  },
};
