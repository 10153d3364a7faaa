import type { Selection } from "../contracts/index.ts";
import type { FieldPlan } from "./rules.ts";
import { everySource, type FieldScope, toScope } from "./scope.ts";
import type { SourcePlan } from "./source.ts";
import type { UnionPlan } from "./union.ts";
import type { AnyView } from "./view.ts";

/**
 * The same view for somebody who wants some of its fields: what none of them needs is neither asked nor required, not
 * even a source that could otherwise fail the answer.
 */
export function narrow(view: AnyView, wanted: Selection): AnyView {
  if (isAll(wanted)) return view;
  const scope = narrowScope(view.scope, wanted, [], `The view ${view.id}`);
  const require = view.require.filter((name) => scope.sources.some((source) => source.name === name));
  return { ...view, scope, sources: everySource(scope), require };
}

/**
 * The same for one key among many. Whatever is wanted of its value, or nothing (`undefined`): every source that is
 * required is asked, for without them nobody knows how it stands with the key.
 */
export function narrowKey(view: AnyView, wanted: Selection | undefined): AnyView {
  if (wanted && isAll(wanted)) return view;
  const required = view.scope.sources.filter(({ name }) => view.require.includes(name));
  const scope = narrowScope(view.scope, wanted, required, `The view ${view.id}`);
  return { ...view, scope, sources: everySource(scope) };
}

/** Of what is nested in items: what is wanted of them; nothing where none of it is. */
export function narrowNested(nested: UnionPlan["nested"], wanted: Selection): UnionPlan["nested"] {
  if (isAll(wanted)) return nested;
  return Object.fromEntries(
    chosen(nested, wanted).map(([name, scope, inside]) => [
      name,
      isAll(inside) ? scope : narrowScope(scope, inside, [], "A nested field"),
    ]),
  );
}

const isAll = (wanted: Selection): boolean => Object.keys(wanted).length === 0;

function narrowScope(
  { fields }: FieldScope,
  wanted: Selection | undefined,
  required: readonly SourcePlan[],
  where: string,
): FieldScope {
  const narrowed = chosen(fields, wanted).map(([name, plan, inside]) => [name, narrowField(plan, inside)]);
  return toScope(Object.fromEntries(narrowed), required, where);
}

const narrowField = (plan: FieldPlan, wanted: Selection): FieldPlan =>
  plan.kind === "union" ? { ...plan, nested: narrowNested(plan.nested, wanted) } : plan;

/** Those fields that are wanted, in their own order, each with what is wanted of it. */
function chosen<T>(fields: { readonly [field: string]: T }, wanted: Selection = {}): readonly [string, T, Selection][] {
  return Object.entries(fields).flatMap(([name, field]): [string, T, Selection][] => {
    const inside = Object.hasOwn(wanted, name) ? wanted[name] : undefined;
    return inside ? [[name, field, inside]] : [];
  });
}
