import { type AnyQuery, type In, type JsonSchema, type Named, toJsonSchema } from "../../contracts/index.ts";
import type { AnyView, View } from "../view.ts";

/**
 * How it stands with one of many keys:
 * - `found`: its `value` is there
 * - `missing`: what it asks for does not exist (the view's `NotFound`)
 * - `unavailable`: a source that is required could not say
 * - `invalid`: what the sources say of it breaks the contract
 */
export type KeyState = "found" | "missing" | "unavailable" | "invalid";
/** What a contract's answer for many keys has for each of them, in the order in which they were asked for. */
export interface Keyed<Key, Value> {
  readonly key: Key;
  readonly state: KeyState;
  readonly value?: Value;
  /** A sentence, where there is no value. */
  readonly problem?: string;
}

/** One view, asked with many keys, as plain data. */
export interface ManyPlan {
  readonly view: View<string, any>; // whatever it answers
  /** The field of the view's input that takes a key. */
  readonly as: string;
  /** The field of the input that has the keys. */
  readonly keys: string;
}

type KeysIn<I> = { [K in keyof I]-?: NonNullable<I[K]> extends readonly (string | number)[] ? K : never }[keyof I] &
  string;
/** Whether a contract has room for what is said of each key. */
type AnyKeyed<Value> = Keyed<any, Value>; // whatever its key is called
type Fits<Answer, Value> = { items: Mutable<AnyKeyed<Value>>[] } extends Answer
  ? unknown
  : { "an answer for many keys has items with": Keyed<string, Value> };
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Declares one query that answers for many keys: the view is asked with each, all at once, so what its batched sources
 * are asked for travels together. Each key has its own state; one that fails takes nothing from the others. The
 * contract must say how many keys may be asked for at most.
 *
 * @example
 * many(Airports.pages, airportPage, { keys: "codes", as: "iata" })
 */
export function many<Op extends AnyQuery & Named, V extends AnyView>(
  operation: Op & NoInfer<Fits<In<Op["output"]>, In<V["operation"]["output"]>>>,
  view: V,
  how: { readonly keys: KeysIn<In<Op["input"]>>; readonly as: keyof In<V["operation"]["input"]> & string },
): View<Op["id"], Op> {
  const { budgetMs, require, scope, sources, list, many } = view;
  if (list || many)
    throw new TypeError(`${operation.id} asks ${view.id} with each key, but that answers about many things itself.`);
  const keys = (toJsonSchema(operation.input).properties as JsonSchema | undefined)?.[how.keys];
  if ((keys as JsonSchema | undefined)?.maxItems === undefined)
    throw new TypeError(
      `${operation.id} must say how many keys may be asked for, as in \`${how.keys}: z.array(z.string()).max(50)\`.`,
    );
  return Object.freeze({
    kind: "view",
    id: operation.id as Op["id"],
    operation: operation as Op,
    budgetMs,
    require,
    scope,
    sources,
    many: Object.freeze({ view, keys: how.keys, as: how.as }),
  });
}
