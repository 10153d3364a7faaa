import { createHash } from "node:crypto";
import { type AnyEvent, Fault, type Named, type Trace, toCanonicalJson } from "../contracts/index.ts";
import { appendWithRows } from "./append-with-rows.ts";
import type { CommandPorts } from "./commands.ts";
import type { Outcome } from "./engine.ts";
import { toStreamName } from "./stream-name.ts";

/** An event that no entity decides on, from outside of the stores. */
export interface Emission {
  /** Its stream: no entity's. */
  readonly category: string;
  readonly id: string;
  /** The same key is written once. */
  readonly key: string;
  readonly trace: Trace;
}
export type Emit = (event: AnyEvent & Named, payload: unknown, emission: Emission) => Promise<void>;

const mostAttempts = 20;

/** Appends single events with their rows and a receipt, as commands append theirs. */
export function toEmit(ports: CommandPorts): Emit {
  const { log, codec, versions, clock, receiptsMs, appended } = ports;

  return async (event, payload, { category, id, key, trace }) => {
    codec.learn(event);
    const { type, version, json, value } = await versions.encode(event.id, payload);
    const stream = toStreamName(category, id);
    const digest = createHash("sha256")
      .update(toCanonicalJson(JSON.parse(json)))
      .digest("base64url");
    const receipt = { key: `@run:${event.id}:${key}`, digest, expires: clock.now() + receiptsMs };
    const append = async (): Promise<Outcome> => {
      const revision = (await log.revision(stream)) + 1;
      const append = log.nextId();
      const expect = { [stream]: revision === 0 ? "none" : revision - 1 } as const;
      const going = { type, value, id: `${append}/0`, revision };
      return appendWithRows({ id: append, expect, events: [{ stream, type, version, json }], receipt }, [going], ports);
    };
    await trace.span("append", `append ${log.name}`, { "trilith.log": log.name, "trilith.events": 1 }, async (span) => {
      for (let attempt = 1; attempt <= mostAttempts; attempt++) {
        const outcome = await append();
        if (outcome.ok) {
          span.set({ "trilith.position": "last" in outcome ? outcome.last : undefined });
          return appended();
        }
        if (outcome.why === "key reused")
          throw new Fault("KeyReused", `The key of this event ${event.id} was used before with another payload.`);
        if (outcome.why !== "conflict")
          throw new TypeError(
            `The event ${event.id} cannot be written: ${outcome.why === "refused" ? outcome.message : outcome.why}`,
          );
      }
      const message = `${event.id} lost the race for its stream ${mostAttempts} times in a row. Nothing was written.`;
      throw new Fault("Unavailable", message, { outcome: "not done" });
    });
  };
}
