import type { Unusable } from "./normalise/unusable.ts";
import type { Candidate, FieldPlan } from "./rules.ts";
import { type FieldScope, toScope } from "./scope.ts";

/** An object whose fields come by rules of their own, asked with the fields of the item that it is part of. */
export interface Nested<Shape, P extends string> {
  readonly kind: "nested";
  readonly plan: FieldScope;
  readonly shape?: Shape;
  readonly given?: P;
}
export type AnyNested = Nested<any, any>; // whatever it is made of
type NestedShape<F> = { readonly [K in keyof F]?: SuppliedBy<F[K], K> };
type SuppliedBy<R, K> =
  R extends Candidate<infer Shape, any> // whatever it is asked with
    ? K extends keyof Shape
      ? Exclude<NonNullable<Shape[K]>, Unusable>
      : never
    : never;
type GivenBy<F> = F[keyof F] extends Candidate<any, infer P> ? P : never; // whatever it supplies

type AnyCandidate = Candidate<any, any>; // whatever it is asked with and gives

/**
 * Fields for every item of a list. All items ask at once, so the keys of a page travel together: fifty items and a
 * batched source are one request. What a source lacks costs the item that field.
 *
 * @example
 * union(departures).limit(50).with({
 *   destination: nested({ name: prefer(asking(registry, ({ to }: { to: string }) => ({ iata: to }))) }),
 * })
 */
export function nested<const F extends { readonly [field: string]: AnyCandidate }>(
  fields: F, // each field is checked against what the item's contract says of it
): Nested<NestedShape<F>, GivenBy<F>> {
  const plans = Object.fromEntries(Object.entries(fields).map(([name, { plan }]) => [name, plan as FieldPlan]));
  return Object.freeze({ kind: "nested", plan: toScope(plans, []) });
}
