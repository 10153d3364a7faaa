import { toCanonicalJson } from "../../contracts/index.ts";
import type { SourcePlan } from "../source.ts";
import type { AnyView } from "../view.ts";

/** Where the candidates of one question to one source are; nothing where a parameter of it is missing. */
export function placeOf(
  view: Pick<AnyView, "id" | "kept">,
  { name, fetch }: SourcePlan,
  key: { readonly [param: string]: unknown },
): string | undefined {
  const said = fetch.params.map((param) => (Object.hasOwn(key, param) ? key[param] : undefined));
  if (said.some((value) => value === undefined || value === null)) return undefined;
  return toCanonicalJson([view.id, view.kept?.version ?? 0, name, said.map(String)]);
}
