import type { AnyNested, Nested } from "./nested.ts";
import { ruleInWords, type Unworded } from "./rule-words.ts";
import { plansOf } from "./rules.ts";
import type { FieldScope } from "./scope.ts";
import type { ItemOf, ListSource, ParamsOf, SourcePlan } from "./source.ts";

type Asked<P extends string> = Nested<any, P>; // of any shape
/** A list fused from the lists of several sources. */
export interface ListRule<Item, Names extends string, P extends string> {
  readonly kind: "list rule";
  readonly plan: UnionPlan;
  readonly items?: Item;
  readonly given?: P;
  readonly "one of its sources is required"?: (name: Names) => void;
  /**
   * Keeps one of the items that have these fields in common: that of the source named first; of one source, the item
   * that `orderBy` puts first, and without an order the later one in its list.
   */
  dedupeBy(...fields: readonly (keyof Item & string)[]): ListRule<Item, Names, P>;
  /** Numbers by size, text by code unit, `-` for the other way round; what lacks the field comes last. */
  orderBy(...fields: readonly `${"" | "-"}${keyof Item & string}`[]): ListRule<Item, Names, P>;
  /** Counts last, whatever the order of the calls. */
  limit(most: number): ListRule<Item, Names, P>;
  /** Gives every item that is left fields from other sources, asked with the item's own. */
  with<const W extends { readonly [field: string]: Asked<keyof Item & string> }>(
    fields: W, // each is checked where the list is used
  ): ListRule<Item & WithNested<W>, Names, P>;
}
export type WithNested<W> = { readonly [K in keyof W]?: W[K] extends Nested<infer Shape, any> ? Shape : never }; // whatever it asks

/** A rule that merges lists, as plain data. */
export interface UnionPlan {
  readonly kind: "union";
  readonly sources: readonly SourcePlan[];
  /** As the meta shows it. */
  readonly rule: string;
  readonly dedupeBy: readonly string[];
  readonly orderBy: readonly Order[];
  readonly limit?: number;
  /** Fields that every item gets once the list is limited. */
  readonly nested: { readonly [field: string]: FieldScope };
}
export interface Order {
  readonly field: string;
  readonly descending: boolean;
}

/** The items of all sources: merged, then deduplicated, then ordered, then limited. */
export function union<const S extends readonly [ListSource, ...ListSource[]]>(
  ...sources: S
): ListRule<ItemOf<S[number]>, S[number]["name"], ParamsOf<S[number]>> {
  return toListRule({ kind: "union", sources: plansOf(sources), dedupeBy: [], orderBy: [], nested: {} });
}

// The items' type is lost with each step and said again by the caller's signature.
type AnyListRule = ListRule<any, any, any>; // its types are those of whoever made the list

function toListRule(unworded: Unworded<UnionPlan>): AnyListRule {
  const plan: UnionPlan = { ...unworded, rule: ruleInWords(unworded) };
  const so = (more: Partial<UnionPlan>) => toListRule({ ...plan, ...more });
  return Object.freeze({
    kind: "list rule",
    plan: Object.freeze(plan),
    dedupeBy: (...fields: readonly string[]) => so({ dedupeBy: fields }),
    orderBy: (...fields: readonly string[]) => so({ orderBy: fields.map(toOrder) }),
    limit: (most: number) => {
      if (!Number.isInteger(most) || most < 0)
        throw new TypeError(`A list is limited to a whole number of items; ${most} is not one.`);
      return so({ limit: most });
    },
    with: (fields: { readonly [field: string]: AnyNested }) => so({ nested: { ...plan.nested, ...plansIn(fields) } }),
  });
}

export const plansIn = (fields: { readonly [field: string]: { readonly plan: FieldScope } }): UnionPlan["nested"] =>
  Object.freeze(Object.fromEntries(Object.entries(fields).map(([name, { plan }]) => [name, plan])));

/** `"-at"` as data. */
export const toOrder = (text: string): Order =>
  Object.freeze({ field: text.replace(/^-/, ""), descending: text.startsWith("-") });
