import { type AnyQuery, type Duration, type In, type Named, toMs } from "../contracts/index.ts";
import type { Intake } from "./kept/materialized.ts";
import type { ListPlan } from "./lists/list.ts";
import type { ManyPlan } from "./lists/many.ts";
import type { Candidate, FieldPlan, Rule } from "./rules.ts";
import { everySource, type FieldScope, toScope } from "./scope.ts";
import type { AnySource, SourcePlan } from "./source.ts";
import type { ListRule } from "./union.ts";

/** `shape` is inferred as const, so that literals stay literal; what it supplies is compared as read-only data. */
export type Frozen<V> = V extends string | number | boolean | bigint | null | undefined | Date
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
export interface View<Id extends string = string, Op extends AnyQuery & Named = AnyQuery & Named> {
  readonly kind: "view";
  /** Of the operation that it answers. */
  readonly id: Id;
  readonly operation: Op;
  readonly budgetMs: number;
  readonly require: readonly string[];
  /** Of an answer, of each item of a list, or of what is asked for under each of many keys. */
  readonly scope: FieldScope;
  /** Every source that is asked, lists within lists included, by the order in which it is first named. */
  readonly sources: readonly SourcePlan[];
  /** Of a materialised view: which of its sources are heard instead of asked. */
  readonly kept?: { readonly version: number; readonly intakes: readonly Intake[] };
  /** Where it answers for many keys at once: another view, asked with each. */
  readonly many?: ManyPlan;
  /** Where it answers with a page of a list. */
  readonly list?: ListPlan;
}
export type AnyView = View<string, any>; // whatever query it answers

/**
 * Declares how a query is answered. All sources are asked at once, save those that need another one's answer; what has
 * not answered when the budget (or the caller's deadline) ends is `slow`. Only a source in `require` can fail the answer.
 */
export function view<Op extends AnyQuery & Named, const R extends readonly AnySource[] = []>(
  operation: Op,
  parts: {
    readonly budget: Duration;
    readonly require?: R;
    readonly fields: NoInfer<FieldRules<In<Op["output"]>, In<Op["input"]>, R[number]["name"]>>;
  },
): View<Op["id"], Op> {
  const rules = parts.fields as { readonly [field: string]: { readonly plan: FieldPlan } }; // every rule carries its plan
  return toView(operation, parts, toPlans(rules));
}

/** Every rule's plan. */
export const toPlans = (rules: { readonly [field: string]: { readonly plan: FieldPlan } }): FieldScope["fields"] =>
  Object.fromEntries(Object.entries(rules).map(([field, { plan }]) => [field, plan]));

/** The plan that every kind of view has in common. */
export function toView<Op extends AnyQuery & Named>(
  operation: Op,
  { budget, require = [] }: { readonly budget: Duration; readonly require?: readonly AnySource[] },
  fields: FieldScope["fields"],
  list?: ListPlan,
): View<Op["id"], Op> {
  const required = require.map(({ plan }) => plan);
  const scope = toScope(fields, required, `The view ${operation.id}`);
  const nested = Object.values(list?.nested ?? {}).flatMap(everySource);
  return Object.freeze({
    kind: "view",
    id: operation.id as Op["id"],
    operation,
    budgetMs: toMs(budget),
    require: Object.freeze(required.map(({ name }) => name)),
    scope,
    sources: Object.freeze([...new Set([...everySource(scope), ...nested])]),
    ...(list && { list }),
  });
}
