import type { Selection } from "../contracts/index.ts";
import type { AnyView } from "./view.ts";

/**
 * The same view for somebody who wants some of its fields: what none of them needs is neither asked nor required, not
 * even a source that could otherwise fail the answer.
 */
export function narrow(view: AnyView, wanted: Selection): AnyView {
  if (Object.keys(wanted).length === 0) return view;
  const fields = Object.fromEntries(Object.entries(view.fields).filter(([name]) => Object.hasOwn(wanted, name)));
  const needed = new Set(Object.values(fields).flatMap(({ sources }) => sources));
  const sources = view.sources.filter((source) => needed.has(source));
  const require = view.require.filter((name) => sources.some((source) => source.name === name));
  return { ...view, fields, sources, require };
}
