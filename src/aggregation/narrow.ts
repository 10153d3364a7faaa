import type { Selection } from "../contracts/index.ts";
import { everySource, toScope } from "./scope.ts";
import type { AnyView } from "./view.ts";

/**
 * The same view for somebody who wants some of its fields: what none of them needs is neither asked nor required, not
 * even a source that could otherwise fail the answer.
 */
export function narrow(view: AnyView, wanted: Selection): AnyView {
  if (Object.keys(wanted).length === 0) return view;
  const fields = Object.fromEntries(Object.entries(view.scope.fields).filter(([name]) => Object.hasOwn(wanted, name)));
  const scope = toScope(fields, [], `The view ${view.id}`);
  const require = view.require.filter((name) => scope.sources.some((source) => source.name === name));
  return { ...view, scope, sources: everySource(scope), require };
}
