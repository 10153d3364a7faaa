import type { FastifyInstance } from "fastify";
import { Fault, operationsOf } from "../contracts/index.ts";
import type { EnterConsole } from "./console.ts";
import { createEventStream } from "./event-stream.ts";
import type { Gate } from "./gate.ts";
import { isLocal } from "./loopback.ts";
import type { GatewayParts } from "./ports.ts";

/** The first event of the feed, `hello`: who speaks, and what it is made of. */
export interface Hello {
  readonly name: string;
  readonly version: string;
  /** Of the process: another one after a restart. */
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Whether the page may offer to kill the process. */
  readonly canCrash: boolean;
  readonly contracts: readonly {
    readonly name: string;
    readonly version: string;
    readonly operations: readonly {
      /** Inside its contract: `book`. */
      readonly name: string;
      readonly kind: "command" | "query";
      readonly layer?: string;
    }[];
  }[];
}

const mostWatchers = 32;

/** `/console/feed`: `hello`, then a `span` event for each span that is remembered, then each that begins, changes and ends. */
export function addFeed(app: FastifyInstance, parts: GatewayParts, gate: Gate, onRequest: EnterConsole): void {
  const startedAt = new Date(performance.timeOrigin).toISOString();
  let watchers = 0;
  app.get(
    "/console/feed",
    { config: { path: "/console/feed", quiet: true }, exposeHeadRoute: false, onRequest },
    async (request, reply) => {
      if (watchers >= mostWatchers) {
        throw new Fault("TooManyRequests", `${mostWatchers} pages watch already. Close one of them.`);
      }
      watchers += 1;
      const canCrash = parts.settings.supervised && isLocal(request);
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) reply.raw.setHeader(name, value);
      const stream = createEventStream(reply.raw);
      stream.send("hello", helloOf(parts, startedAt, canCrash));
      for (const record of parts.feed.recent()) stream.sendLatest("span", record.span, record);
      const unsubscribe = parts.feed.subscribe((record) => stream.sendLatest("span", record.span, record));
      const end = (): void => stream.end();
      gate.closing.addEventListener("abort", end, { once: true });
      reply.raw.once("close", () => {
        watchers -= 1;
        unsubscribe();
        gate.closing.removeEventListener("abort", end);
      });
    },
  );
}

function helloOf({ name, version, contracts, layerOf }: GatewayParts, startedAt: string, canCrash: boolean): Hello {
  return {
    name,
    version,
    pid: process.pid,
    startedAt,
    canCrash,
    contracts: contracts.map((contract) => {
      const about = contract["~contract"];
      const operations = operationsOf(contract).map(({ id, kind }) => {
        const layer = layerOf?.(id);
        return { name: id.slice(about.name.length + 1), kind, ...(layer !== undefined && { layer }) };
      });
      return { name: about.name, version: about.version, operations };
    }),
  };
}
