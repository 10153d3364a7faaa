import { type AnyQuery, type Duration, type In, type Named, toMs } from "../contracts/index.ts";
import type { Candidate, FieldPlan, Rule } from "./rules.ts";
import type { AnySource, SourcePlan } from "./source.ts";
import type { ListRule } from "./union.ts";

/** `shape` is inferred as const, so that literals stay literal; what it supplies is compared as read-only data. */
type Frozen<V> = V extends string | number | boolean | bigint | null | undefined | Date
  ? V
  : V extends readonly (infer Item)[]
    ? readonly Frozen<Item>[]
    : { readonly [K in keyof V]: Frozen<V[K]> };
type Items<V> = V extends readonly (infer Item)[] ? Frozen<Item> : never;
/** An optional field may come from anywhere; the others must have a required source among theirs, or a default. */
type Supplied<K extends PropertyKey, V, Required extends string, P extends string> =
  | ([Extract<V, null | undefined>] extends [never]
      ? Total<{ readonly [F in K]: Frozen<V> }, Required, P>
      : Candidate<{ readonly [F in K]: Frozen<NonNullable<V>> }, P>)
  | ([Items<V>] extends [never]
      ? never
      : ListRule<Items<V>, [Extract<V, null | undefined>] extends [never] ? Required : never, P>);
type Total<Shape, Required extends string, P extends string> = [Required] extends [never]
  ? Rule<Shape, "none is required", P>
  : Required extends string
    ? Rule<Shape, Required, P>
    : never;
/** One rule a field of the output. */
export type FieldRules<Output, Input, Required extends string> = {
  readonly [K in keyof Output]: Supplied<K, Output[K], Required, keyof Input & string>;
};

/** A query answered by fusing sources, as plain data. */
export interface View<Id extends string = string> {
  readonly kind: "view";
  /** Of the operation that it answers. */
  readonly id: Id;
  readonly operation: AnyQuery & Named;
  readonly budgetMs: number;
  readonly require: readonly string[];
  readonly fields: { readonly [field: string]: FieldPlan };
  /** Every source that is asked, by the order in which it is first named. */
  readonly sources: readonly SourcePlan[];
}
export type AnyView = View;

/**
 * Declares how a query is answered. All sources are asked at once; what has not answered when the budget (or the
 * caller's deadline) ends is `slow`. Only a source in `require` can fail the answer.
 */
export function view<Op extends AnyQuery & Named, const R extends readonly AnySource[] = []>(
  operation: Op,
  parts: {
    readonly budget: Duration;
    readonly require?: R;
    readonly fields: NoInfer<FieldRules<In<Op["output"]>, In<Op["input"]>, R[number]["name"]>>;
  },
): View<Op["id"]> {
  const rules = parts.fields as { readonly [field: string]: { readonly plan: FieldPlan } }; // every rule carries its plan
  const fields = Object.fromEntries(Object.entries(rules).map(([field, { plan }]) => [field, plan]));
  const required = (parts.require ?? []).map(({ plan }) => plan);
  const sources = [...new Set([...required, ...Object.values(fields).flatMap((plan) => plan.sources)])];
  const names = new Set<string>();
  for (const { name } of sources) {
    if (names.has(name))
      throw new TypeError(`The view ${operation.id} has two sources called "${name}"; give one another name.`);
    names.add(name);
  }
  return Object.freeze({
    kind: "view",
    id: operation.id as Op["id"],
    operation,
    budgetMs: toMs(parts.budget),
    require: Object.freeze(required.map(({ name }) => name)),
    fields: Object.freeze(fields),
    sources: Object.freeze(sources),
  });
}
