import { type Call, toCanonicalJson } from "../../contracts/index.ts";
import type { SourcePlan } from "../source.ts";

export type Input = { readonly [field: string]: unknown };
/** What a source is asked. Equal questions share an answer, within one scope. */
export interface Asking {
  /** The source's parameters. */
  readonly input: Input;
  /** Of the first parameter: what a record of a batch is found by. */
  readonly key: unknown;
  /** Canonical text of the whole: under this it is kept, here and on disk. Of a source that keeps nothing, the key may do. */
  readonly question: string;
}

/** Makes questions of inputs for one source, by scope; a sentence where an input cannot be asked with. */
export function toAskings(source: SourcePlan): (scope: string) => (input: Input) => Asking | string {
  const { name, fetch, from } = source;
  const [first = ""] = fetch.params;
  const before = `[${JSON.stringify(name)},[`;
  const isShort =
    fetch.params.length === 1 && source.cacheForMs + source.staleIfErrorMs + source.staleWhileRevalidateMs === 0;
  // Sources are mostly asked within one scope: there, what is a key and no canonical text needs no other name.
  let usual: string | undefined;
  return (scope) => {
    const behind = `],${JSON.stringify(scope)}]`;
    usual ??= scope;
    const isUsual = isShort && scope === usual;
    return (given) => {
      let input = given;
      try {
        if (from) input = from(given);
      } catch (error) {
        return cannotTake(error);
      }
      const key = input[first];
      if (isUsual && typeof key === "string" && !key.startsWith("[")) return { input, key, question: key };
      const words =
        fetch.params.length === 1 ? wordOf(key) : fetch.params.map((param) => wordOf(input[param])).join(",");
      return { input, key, question: before + words + behind };
    };
  };
}

/** Completes the sentence "The source … " where `from` threw. */
export const cannotTake = (error: unknown): string =>
  `was not asked: \`from\` cannot take the input (${error instanceof Error ? error.name : "something was thrown"})`;

/** What another contract says may depend on who asks, so there the caller is part of it. */
export function scopeOf(
  source: SourcePlan,
  { scope, principal }: { scope: string; principal: Call["principal"] },
): string {
  if (source.fetch.via !== "call") return scope;
  return toCanonicalJson([scope, principal.id, [...principal.scopes].sort()]);
}

const wordOf = (value: unknown): string =>
  typeof value === "string"
    ? JSON.stringify(value) // most parameters are text, which is canonical as it is
    : toCanonicalJson(typeof value === "bigint" ? String(value) : value);
