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
export interface Upcast<
  S extends AnySchema = AnySchema,
  Up = unknown,
  Now = any, // of any version, in a list of steps
> {
  readonly schema: S;
  readonly up: (old: any) => Up; // each step has its own old type, forgotten in the list
  readonly down?: ((now: Now) => In<S> | undefined) | undefined;
}

/**
 * The schema of an older version, and the pure function that leads to the next one. `down` leads an event of the next
 * version back: it is written so while processes run whose code reads nothing newer. It gives nothing for a payload that
 * cannot be said in the older version; such an event is not written until those processes have ended.
 *
 * What `down` begins with is, in the last step within `event(…)`, what is read of the present schema. Elsewhere it is what
 * `up` gives, unless the parameter of `down` has a type of its own.
 */
export function upcast<S extends AnySchema, T>(schema: S, up: (old: Out<S>) => T): Upcast<S, T>;
export function upcast<S extends AnySchema, T, N = T>(
  schema: S,
  up: (old: Out<S>) => T,
  down: ((now: N) => In<S> | undefined) | undefined,
): Upcast<S, T, N>;
export function upcast(schema: AnySchema, up: Upcast["up"], down?: Upcast["down"]): Upcast {
  return Object.freeze({ schema, up, ...(down && { down }) });
}

/**
 * Declares an event. With a history, `from[0]` is version 1 and the last entry leads to the present version. Each step has
 * to give what the next schema takes, and to lead down from what it reads, or it does not compile.
 */
export function event<
  S extends AnySchema,
  const Before extends readonly Step[] = readonly [],
  L extends AnySchema = AnySchema,
>(
  schema: S,
  history?: {
    readonly version: number;
    readonly from: readonly [] | readonly [...Before, Upcast<L, In<S>, Out<S>>];
  } & LeadingTo<Before, L>,
): Event<Schema<In<S>, Out<S>>>;
export function event(
  schema: AnySchema,
  { version, from }: { readonly version: number; readonly from: readonly Upcast[] } = { version: 1, from: [] },
): AnyEvent {
  if (from.length !== version - 1) {
    throw new TypeError(
      `An event of version ${version} needs ${version - 1} upcasters, one from each earlier version; there are ${from.length}.`,
    );
  }
  return Object.freeze({ kind: "event", schema, version, from: Object.freeze([...from]) });
}

type Step = Pick<Upcast, "schema">;
/** Demands something only of steps that do not fit: what it demands would be taken for what a step's functions are handed. */
type LeadingTo<Steps extends readonly Step[], Next extends AnySchema> =
  Steps extends Led<Steps, Next> ? unknown : { readonly from: readonly [...Led<Steps, Next>, Step] };
type Led<Steps extends readonly Step[], Next extends AnySchema> = Steps extends readonly [
  ...infer Earlier extends readonly Step[],
  infer Last extends Step,
]
  ? readonly [...Led<Earlier, Last["schema"]>, Upcast<AnySchema, Wide<In<Next>>, Out<Next>>]
  : Steps extends readonly []
    ? readonly []
    : readonly Step[]; // a list of which the compiler does not know how many there are
/** Constants count as any text or number: nothing tells the compiler to keep those that an earlier step gives. */
type Wide<T> = 0 extends 1 & T
  ? T
  : T extends string
    ? string
    : T extends number
      ? number
      : T extends boolean
        ? boolean
        : T extends object
          ? { readonly [K in keyof T]: Wide<T[K]> }
          : T;
