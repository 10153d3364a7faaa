import type { AnySource, DatedSource, ItemOf, ListSource, ParamsOf, ShapeOf, SourcePlan } from "./source.ts";

/** May supply a field of `Shape`, given `P`: an absent value (`null`, `undefined`) is no candidate. */
export interface Candidate<Shape, P extends string> {
  readonly kind: "rule";
  readonly plan: ChoicePlan;
  readonly given?: P;
  readonly "may supply"?: { readonly [K in keyof Shape]-?: NonNullable<Shape[K]> };
}
/** Supplies a field of `Shape` whenever one of its sources is up. */
export interface Rule<Shape, Names extends string, P extends string> extends Candidate<Shape, P> {
  readonly supplies?: Shape;
  readonly "one of its sources is required"?: (name: Names) => void;
}
/** A rule with a default always has an answer. */
export interface FieldRule<Shape, Names extends string, P extends string> extends Rule<Shape, Names, P> {
  or<V>(value: V): Rule<{ readonly [K in keyof Shape]-?: NonNullable<Shape[K]> | V }, string, P>;
}
type Chosen<S extends readonly AnySource[]> = FieldRule<ShapeOf<S[number]>, S[number]["name"], ParamsOf<S[number]>>;

/** A rule that takes one candidate, as plain data. */
export interface ChoicePlan {
  readonly kind: "choice";
  readonly by: "prefer" | "latest" | "majority";
  readonly sources: readonly SourcePlan[];
  /** Fields that come from one source together. */
  readonly linked?: readonly string[];
  readonly otherwise?: { readonly value: unknown };
}

/** The first of the sources that has a value. */
export function prefer<const S extends readonly [AnySource, ...AnySource[]]>(...sources: S): Chosen<S> {
  return toRule("prefer", sources);
}

/** The value that speaks of the latest instant. Between equal instants the source named first; one without an instant comes last. */
export function latest<const S extends readonly [DatedSource, ...DatedSource[]]>(...sources: S): Chosen<S> {
  return toRule("latest", sources);
}

/** The value that most sources have. Between equal numbers, the one that the source named first has. */
export function majority<const S extends readonly [AnySource, ...AnySource[]]>(...sources: S): Chosen<S> {
  return toRule("majority", sources);
}

/**
 * Several fields, all from the one source that the rule chose: what it lacks stays absent and is never filled in from
 * another. A source that has all of the fields goes before those that have only some.
 */
export function linked<Shape, N extends string, P extends string, const F extends keyof Shape>(
  rule: Rule<Shape, N, P>,
  ...fields: readonly F[]
): { readonly [K in F]: Rule<Pick<Shape, K>, N, P> } {
  const together: ChoicePlan = Object.freeze({ ...rule.plan, linked: Object.freeze(fields.map(String)) });
  const one = Object.freeze({ kind: "rule", plan: together } as const);
  return Object.freeze(Object.fromEntries(fields.map((field) => [field, one]))) as {
    readonly [K in F]: Rule<Pick<Shape, K>, N, P>;
  }; // fromEntries forgets its keys
}

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
}

/** A rule that merges lists, as plain data. */
export interface UnionPlan {
  readonly kind: "union";
  readonly sources: readonly SourcePlan[];
  readonly dedupeBy: readonly string[];
  readonly orderBy: readonly { readonly field: string; readonly descending: boolean }[];
  readonly limit?: number;
}
export type FieldPlan = ChoicePlan | UnionPlan;

/** The items of all sources: merged, then deduplicated, then ordered, then limited. */
export function union<const S extends readonly [ListSource, ...ListSource[]]>(
  ...sources: S
): ListRule<ItemOf<S[number]>, S[number]["name"], ParamsOf<S[number]>> {
  return toListRule({ kind: "union", sources: plansOf(sources), dedupeBy: [], orderBy: [] });
}

// A rule's types live in its signature alone: at run time it knows its plan and nothing of them.
function toRule<R>(by: ChoicePlan["by"], sources: readonly AnySource[]): R {
  const plan: ChoicePlan = Object.freeze({ kind: "choice", by, sources: plansOf(sources) });
  return Object.freeze({
    kind: "rule",
    plan,
    or: (value: unknown) =>
      Object.freeze({ kind: "rule", plan: Object.freeze({ ...plan, otherwise: Object.freeze({ value }) }) } as const),
  }) as R;
}

// The items' type is lost with each step and said again by the caller's signature.
function toListRule(plan: UnionPlan): ListRule<any, any, any> {
  const so = (more: Partial<UnionPlan>) => toListRule({ ...plan, ...more });
  return Object.freeze({
    kind: "list rule",
    plan: Object.freeze(plan),
    dedupeBy: (...fields: readonly string[]) => so({ dedupeBy: fields }),
    orderBy: (...fields: readonly string[]) =>
      so({
        orderBy: fields.map((text) => ({ field: text.replace(/^-/, ""), descending: text.startsWith("-") })),
      }),
    limit: (most: number) => {
      if (!Number.isInteger(most) || most < 0)
        throw new TypeError(`A list is limited to a whole number of items; ${most} is not one.`);
      return so({ limit: most });
    },
  });
}

function plansOf(sources: readonly AnySource[]): readonly SourcePlan[] {
  const plans = sources.map(({ plan }) => plan);
  const twice = plans.find((plan, at) => plans.indexOf(plan) !== at);
  if (twice) throw new TypeError(`The source "${twice.name}" is named twice in one rule; once is enough.`);
  return Object.freeze(plans);
}
