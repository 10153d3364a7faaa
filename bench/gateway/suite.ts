import { join } from "node:path";
import type { Suite } from "../frame/suite.ts";
import { reasons } from "./reasons.ts";

const file = (name: string): string => join(import.meta.dirname, name);

/** What a contract's operation costs beside what it does: in the same process, and over HTTP. */
export const gateway: Suite = {
  name: "gateway",
  reasons,
  systems: {
    "trilith-sqlite": { file: file("trilith.ts"), role: "trilith", limit: ["hand-written", "fastify"] },
    "hand-written": { file: file("hand-written.ts"), role: "limit" },
    fastify: { file: file("fastify.ts"), role: "peer" },
  },
  works(scope) {
    const pace =
      scope === "quick" ? { rounds: 3, forMs: 600, warmUpMs: 700 } : { rounds: 5, forMs: 4_000, warmUpMs: 3_000 };
    return [
      {
        work: "operation-call",
        what: "one call of an operation in the same process: the function itself, or by a client through the dispatcher",
        systems: ["trilith-sqlite", "hand-written"],
        clients: [1],
        ...pace,
      },
      {
        work: "operation-http",
        what: "one request for an operation over HTTP, from clients in another process",
        systems: ["trilith-sqlite", "fastify"],
        clients: scope === "scale" ? [1, 4, 16, 64, 128, 256, 512] : [1, 32],
        ...pace,
      },
    ];
  },
};
