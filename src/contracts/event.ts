import type { AnySchema, In, Out, Schema } from "./schema.ts";

/** A fact of the past. `version` is that of the stored payload; `from` leads there from every earlier one. */
export interface Event<S extends AnySchema> {
  readonly kind: "event";
  readonly schema: S;
  readonly version: number;
  readonly from: readonly Upcast[];
}
export type AnyEvent = Event<AnySchema>;

/** One step from an older payload to the next version's, and perhaps back. */
export interface Upcast {
  readonly schema: AnySchema;
  readonly up: (old: any) => unknown; // each step has its own old type, forgotten in the list
  readonly down?: (now: any) => unknown; // as above
}

/**
 * The schema of an older version, and the pure function that leads to the next one. `down` leads an event of the next
 * version back: it is written so while processes run whose code reads nothing newer. It gives nothing for a payload that
 * cannot be said in the older version; such an event is not written until those processes have ended.
 */
export function upcast<S extends AnySchema, T, N = T>(
  schema: S,
  up: (old: Out<S>) => T,
  down?: (now: N) => In<S> | undefined,
): {
  readonly schema: S;
  readonly up: (old: any) => T; // see Upcast.up
  readonly down?: (now: any) => In<S> | undefined; // as above
} {
  return Object.freeze({ schema, up, ...(down && { down }) });
}

/** Declares an event. With a history, `from[0]` is version 1 and the last entry leads to the present version. */
export function event<S extends AnySchema>(
  schema: S,
  history: { readonly version: number; readonly from: readonly Upcast[] } = { version: 1, from: [] },
): Event<Schema<In<S>, Out<S>>> {
  const { version, from } = history;
  if (from.length !== version - 1) {
    throw new TypeError(
      `An event of version ${version} needs ${version - 1} upcasters, one from each earlier version; there are ${from.length}.`,
    );
  }
  return Object.freeze({ kind: "event", schema, version, from: Object.freeze([...from]) });
}
