import type { AnySource, ParamsOf, ShapeOf, Source, SourcePlan } from "./source.ts";

/** What a source is asked with; nothing where there is nothing to ask. */
type Asked<S> = { readonly [K in ParamsOf<S>]: unknown } | undefined;
type AsOfOf<S> = S extends Source<string, any, any, infer AsOf> ? AsOf : never; // only the instant is asked for

/**
 * The same source, asked in other words: with what `map` makes of the view's input or, within `nested`, of the item.
 * Pure. It is still one upstream, with one cache, one breaker and one batch.
 */
export function asking<const S extends AnySource, Given extends object>(
  source: S,
  map: (input: Given) => Asked<S>,
): Source<S["name"], keyof Given & string, ShapeOf<S>, AsOfOf<S>> {
  return derived(source, { asks: map });
}

/**
 * The same source, asked with what another one answers: first `first`, then `source`. Pure. Without an answer of the
 * first the second is not asked, and stands as the first one does. The first gets what is left of the budget once the
 * second has what it usually takes.
 */
export function after<const F extends AnySource, const S extends AnySource, Given extends object = {}>(
  first: F,
  source: S,
  map: (record: ShapeOf<F>, input: Given) => Asked<S>,
): Source<S["name"], ParamsOf<F> | (keyof Given & string), ShapeOf<S>, AsOfOf<S>> {
  return derived(source, { after: Object.freeze({ source: first.plan, asks: map }) });
}

type Derived = Source<any, any, any, any>; // what it is asked with is said by the signatures above
function derived(source: AnySource, more: Partial<SourcePlan>): Derived {
  const { base = source.plan } = source.plan;
  if (source.plan !== base)
    throw new TypeError(`The source "${base.name}" is already asked in other words; begin with the source itself.`);
  return Object.freeze({ ...source, plan: Object.freeze({ ...base, ...more, base }) });
}
