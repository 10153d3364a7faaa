import type { Unusable } from "./normalise/unusable.ts";
import { ruleInWords, type Unworded } from "./rule-words.ts";
import type { AnySource, DatedSource, ListSource, ParamsOf, ShapeOf, SourcePlan } from "./source.ts";
import type { UnionPlan } from "./union.ts";

/** What there is of a value beside its absence and beside what could not be normalised. */
type Usable<V> = Exclude<NonNullable<V>, Unusable>;
/** May supply a field of `Shape`, given `P`: an absent value (`null`, `undefined`) is no candidate, an unusable one is rejected. */
export interface Candidate<Shape, P extends string> {
  readonly kind: "rule";
  readonly plan: ChoicePlan;
  readonly given?: P;
  readonly "may supply"?: { readonly [K in keyof Shape]-?: Usable<Shape[K]> };
}
/** Supplies a field of `Shape` whenever one of its sources is up. */
export interface Rule<Shape, Names extends string, P extends string> extends Candidate<Shape, P> {
  readonly supplies?: Shape;
  readonly "one of its sources is required"?: (name: Names) => void;
}
interface OrAndComparing<Shape, P extends string, Self> {
  /** What stands in where there is no value. A rule with a default always has an answer. */
  or<V>(value: V): Rule<{ readonly [K in keyof Shape]-?: Usable<Shape[K]> | V }, string, P>;
  /**
   * What two values are compared by, where equal meaning has different words: two candidates agree where this gives
   * the same for both. It decides votes and what counts as a conflict, never what is shown. Pure.
   */
  comparing(by: (value: any) => unknown): Self; // whatever type the field has where the rule is used
}
/** A rule that has an answer whenever one of its sources is up. */
export interface FieldRule<Shape, Names extends string, P extends string>
  extends Rule<Shape, Names, P>,
    OrAndComparing<Shape, P, FieldRule<Shape, Names, P>> {}
/** A rule that may find none of its candidates good enough: for optional fields, or with a default. */
export interface DoubtfulRule<Shape, P extends string>
  extends Candidate<Shape, P>,
    OrAndComparing<Shape, P, DoubtfulRule<Shape, P>> {
  readonly supplies?: { readonly [K in keyof Shape]: Shape[K] | undefined };
}
type Chosen<S extends readonly AnySource[]> = FieldRule<ShapeOf<S[number]>, S[number]["name"], ParamsOf<S[number]>>;
type Doubted<S extends readonly AnySource[]> = DoubtfulRule<ShapeOf<S[number]>, ParamsOf<S[number]>>;
type Sources = readonly [AnySource, ...AnySource[]];

/** One source's value, as a rule of one's own is shown it. */
export interface Offered {
  readonly source: string;
  readonly value: unknown;
  /** The instant of which it speaks, in ms since 1970. */
  readonly asOf?: number;
}
/** Takes one of the candidates, or none. Pure; they come in the order in which the rule names their sources. */
export type PickOne = (candidates: readonly Offered[]) => Offered | undefined;

/** A rule that takes one candidate, as plain data. */
export interface ChoicePlan {
  readonly kind: "choice";
  readonly by: "prefer" | "latest" | "majority" | "quorum" | "mostComplete" | "longest" | "min" | "max" | "rule";
  readonly sources: readonly SourcePlan[];
  /** Their names, in the order in which the rule names them. */
  readonly names: readonly string[];
  /** As the meta shows it. */
  readonly rule: string;
  /** Of a quorum: how many must agree. */
  readonly least?: number;
  /** Of a rule of one's own. */
  readonly own?: { readonly name: string; readonly pick: PickOne };
  /** What values are compared by, unless by themselves. */
  readonly comparing?: (value: unknown) => unknown;
  /** Fields that come from one source together. */
  readonly linked?: readonly string[];
  readonly otherwise?: { readonly value: unknown };
}
export type FieldPlan = ChoicePlan | UnionPlan;

/** The first of the sources that has a value. */
export function prefer<const S extends Sources>(...sources: S): Chosen<S> {
  return toRule({ by: "prefer" }, sources);
}

/** The value that speaks of the latest instant. Between equal instants the source named first; one without an instant comes last. */
export function latest<const S extends readonly [DatedSource | ListSource, ...(DatedSource | ListSource)[]]>(
  ...sources: S
): Chosen<S> {
  return toRule({ by: "latest" }, sources);
}

/** The value that most sources have. Between equal numbers, the one that the source named first has. */
export function majority<const S extends Sources>(...sources: S): Chosen<S> {
  return toRule({ by: "majority" }, sources);
}

/**
 * The value that at least so many sources have, or none. Where two values have enough, the one with more; between equal
 * numbers, the one that the source named first has.
 */
export function quorum<const S extends Sources>(least: number, ...sources: S): Doubted<S> {
  if (!Number.isInteger(least) || least < 1 || least > sources.length)
    throw new TypeError(
      `A quorum among ${sources.length} sources is a whole number from 1 to ${sources.length}; ${least} is not one.`,
    );
  return toRule({ by: "quorum", least }, sources);
}

/** The value with the most that is filled in, at every depth; blank text is not. Between equal ones, the source named first. */
export function mostComplete<const S extends Sources>(...sources: S): Chosen<S> {
  return toRule({ by: "mostComplete" }, sources);
}

/** The longest text, in characters, or the longest list. What is neither comes last; between equal ones, the source named first. */
export function longest<const S extends Sources>(...sources: S): Chosen<S> {
  return toRule({ by: "longest" }, sources);
}

/** The least: numbers by size, dates by time, text by code unit. Between equal ones, the source named first. */
export function min<const S extends Sources>(...sources: S): Chosen<S> {
  return toRule({ by: "min" }, sources);
}

/** The greatest: numbers by size, dates by time, text by code unit. Between equal ones, the source named first. */
export function max<const S extends Sources>(...sources: S): Chosen<S> {
  return toRule({ by: "max" }, sources);
}

/**
 * A rule of one's own, under the name that the meta shows. Where `pick` throws, or takes what it was not shown, the
 * field is `invalid` and takes its default.
 */
export function rule<const S extends Sources>(name: string, pick: PickOne, ...sources: S): Doubted<S> {
  return toRule({ by: "rule", own: Object.freeze({ name, pick }) }, sources);
}

/**
 * Several fields, all from the one source that the rule chose: what it lacks stays absent and is never filled in from
 * another. A source that has all of the fields goes before those that have only some.
 */
export function linked<Shape, N extends string, P extends string, const F extends keyof Shape>(
  rule: Rule<Shape, N, P>,
  ...fields: readonly F[]
): { readonly [K in F]: Rule<Pick<Shape, K>, N, P> } {
  const together = worded({ ...rule.plan, linked: Object.freeze(fields.map(String)) });
  const one = Object.freeze({ kind: "rule", plan: together } as const);
  return Object.freeze(Object.fromEntries(fields.map((field) => [field, one]))) as {
    readonly [K in F]: Rule<Pick<Shape, K>, N, P>;
  }; // fromEntries forgets its keys
}

// A rule's types live in its signature alone: at run time it knows its plan and nothing of them.
function toRule<R>(how: Omit<Unworded<ChoicePlan>, "kind" | "sources">, sources: readonly AnySource[]): R {
  return build(worded({ kind: "choice", ...how, sources: plansOf(sources) })) as R;
}
function worded(plan: Unworded<ChoicePlan>): ChoicePlan {
  const names = Object.freeze(plan.sources.map(({ name }) => name));
  return Object.freeze({ ...plan, names, rule: ruleInWords(plan) });
}
function build(plan: ChoicePlan): object {
  const so = (more: Partial<ChoicePlan>): ChoicePlan => worded({ ...plan, ...more });
  return Object.freeze({
    kind: "rule",
    plan,
    or: (value: unknown) => Object.freeze({ kind: "rule", plan: so({ otherwise: Object.freeze({ value }) }) } as const),
    comparing: (by: (value: unknown) => unknown) => build(so({ comparing: by })),
  });
}

/** The plans of the sources that a rule names. Throws where one is named twice. */
export function plansOf(sources: readonly AnySource[]): readonly SourcePlan[] {
  const plans = sources.map(({ plan }) => plan);
  const twice = plans.find((plan, at) => plans.indexOf(plan) !== at);
  if (twice) throw new TypeError(`The source "${twice.name}" is named twice in one rule; once is enough.`);
  return Object.freeze(plans);
}
