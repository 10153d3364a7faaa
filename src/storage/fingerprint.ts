import { createHash } from "node:crypto";
import { type AnyContract, type AnySchema, eventsOf, toCanonicalJson, toJsonSchema } from "../contracts/index.ts";
import type { Evolve } from "./entity.ts";

/**
 * What a folded state depends on, as one short text: two that are the same fold the same events to the same state. It
 * sees the text of `evolve` and the schemas, not the functions that `evolve` calls; that is what `evolveVersion` is for.
 */
export function toFingerprint(parts: {
  readonly events: AnyContract;
  readonly state: AnySchema;
  readonly initial: unknown;
  readonly evolve: { readonly [event: string]: Evolve };
  readonly evolveVersion: number;
}): string {
  const events = [...eventsOf(parts.events)].map(([name, { schema, version, from }]) => [
    name,
    version,
    toJsonSchema(schema),
    String(parts.evolve[name]),
    from.map(({ schema: old, up }) => [toJsonSchema(old), String(up)]),
  ]);
  const text = toCanonicalJson([events, toJsonSchema(parts.state), parts.initial, parts.evolveVersion]);
  return createHash("sha256").update(text).digest("base64url");
}
