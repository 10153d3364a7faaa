import { toCanonicalJson } from "../../contracts/index.ts";
import { lackingIn } from "../reading/request.ts";
import type { SourcePlan } from "../source.ts";
import type { AnyView } from "../view.ts";

/** Where the candidates of one question to one source are; nothing where a parameter of it is missing. */
export function placeOf(
  view: Pick<AnyView, "id" | "kept">,
  { name, fetch }: SourcePlan,
  key: { readonly [param: string]: unknown },
): string | undefined {
  const said = fetch.params.map((param) => (Object.hasOwn(key, param) ? key[param] : undefined));
  const isLacking = (value: unknown): boolean => value === undefined || value === null;
  // As where it is asked: over HTTP some may be left out.
  if (fetch.via === "http" ? lackingIn(fetch, key) !== undefined : said.some(isLacking)) return undefined;
  const words = said.map((value) => (isLacking(value) ? null : String(value)));
  return toCanonicalJson([view.id, view.kept?.version ?? 0, name, words]);
}
