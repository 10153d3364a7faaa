import type { Ranges } from "./ranges.ts";

/**
 * A regular language as an expression over sets of characters. `all` and `not` make lookaheads and differences sayable,
 * so two patterns can be compared without an automaton of either being complemented first.
 */
export type Language =
  | { readonly kind: "never" }
  | { readonly kind: "empty" }
  | { readonly kind: "chars"; readonly key: string; readonly ranges: Ranges }
  | { readonly kind: "then"; readonly key: string; readonly first: Language; readonly rest: Language }
  | { readonly kind: "any"; readonly key: string; readonly parts: readonly Language[] }
  | { readonly kind: "all"; readonly key: string; readonly parts: readonly Language[] }
  | { readonly kind: "not"; readonly key: string; readonly part: Language }
  | {
      readonly kind: "repeat";
      readonly key: string;
      readonly part: Language;
      readonly min: number;
      readonly max: number;
    };

export const never: Language = { kind: "never" };
export const empty: Language = { kind: "empty" };
/** What an expression is called: equal expressions have equal keys, which keeps the number of derivatives finite. */
export const keyOf = (language: Language): string =>
  language.kind === "never" ? "∅" : language.kind === "empty" ? "ε" : language.key;

export function chars(ranges: Ranges): Language {
  if (ranges.length === 0) return never;
  return { kind: "chars", key: `[${ranges.map(([from, to]) => `${from}-${to}`).join()}]`, ranges };
}

export function sequence(first: Language, rest: Language): Language {
  if (first.kind === "never" || rest.kind === "never") return never;
  if (first.kind === "empty") return rest;
  if (rest.kind === "empty") return first;
  if (first.kind === "then") return sequence(first.first, sequence(first.rest, rest));
  return { kind: "then", key: `(${keyOf(first)}${keyOf(rest)})`, first, rest };
}

export function anyOf(parts: readonly Language[]): Language {
  const flat = new Map<string, Language>();
  for (const part of parts)
    for (const one of part.kind === "any" ? part.parts : [part]) if (one.kind !== "never") flat.set(keyOf(one), one);
  if ([...flat.values()].some(isEverything)) return everything;
  const sorted = [...flat].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
  const [only] = sorted;
  if (!only) return never;
  return sorted.length === 1 ? only : { kind: "any", key: `(${sorted.map(keyOf).join("|")})`, parts: sorted };
}

export function allOf(parts: readonly Language[]): Language {
  const flat = new Map<string, Language>();
  for (const part of parts)
    for (const one of part.kind === "all" ? part.parts : [part]) if (!isEverything(one)) flat.set(keyOf(one), one);
  const found = [...flat.values()];
  if (found.some(({ kind }) => kind === "never")) return never;
  if (found.some((one) => one.kind === "not" && flat.has(keyOf(one.part)))) return never;
  if (flat.has("ε")) return found.every(isNullable) ? empty : never;
  const sorted = [...flat].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
  const [only] = sorted;
  if (!only) return everything;
  return sorted.length === 1 ? only : { kind: "all", key: `(${sorted.map(keyOf).join("&")})`, parts: sorted };
}

export function not(part: Language): Language {
  if (part.kind === "not") return part.part;
  return { kind: "not", key: `!${keyOf(part)}`, part };
}

export function repeat(part: Language, min: number, max: number): Language {
  if (max === 0 || part.kind === "empty") return empty;
  if (part.kind === "never") return min === 0 ? empty : never;
  if (min === 1 && max === 1) return part;
  // What may be empty can stand in for any of the repetitions that are asked for.
  const least = isNullable(part) ? 0 : min;
  return { kind: "repeat", key: `${keyOf(part)}{${least},${max}}`, part, min: least, max };
}

/** Whether the empty text belongs to it. */
export function isNullable(language: Language): boolean {
  switch (language.kind) {
    case "never":
    case "chars":
      return false;
    case "empty":
      return true;
    case "then":
      return isNullable(language.first) && isNullable(language.rest);
    case "any":
      return language.parts.some(isNullable);
    case "all":
      return language.parts.every(isNullable);
    case "not":
      return !isNullable(language.part);
    case "repeat":
      return language.min === 0 || isNullable(language.part);
  }
}

/** What may follow after one character (Brzozowski, "Derivatives of Regular Expressions", 1964). */
export function derive(language: Language, char: number): Language {
  switch (language.kind) {
    case "never":
    case "empty":
      return never;
    case "chars":
      return language.ranges.some(([from, to]) => from <= char && char <= to) ? empty : never;
    case "then": {
      const first = sequence(derive(language.first, char), language.rest);
      return isNullable(language.first) ? anyOf([first, derive(language.rest, char)]) : first;
    }
    case "any":
      return anyOf(language.parts.map((part) => derive(part, char)));
    case "all":
      return allOf(language.parts.map((part) => derive(part, char)));
    case "not":
      return not(derive(language.part, char));
    case "repeat": {
      const { part, min, max } = language;
      return sequence(derive(part, char), repeat(part, Math.max(0, min - 1), max - 1));
    }
  }
}

/** Every text. */
export const everything: Language = not(never);
const isEverything = (language: Language): boolean =>
  (language.kind === "not" && language.part.kind === "never") ||
  (language.kind === "repeat" &&
    language.min === 0 &&
    language.max === Number.POSITIVE_INFINITY &&
    language.part.kind === "chars" &&
    language.part.key === "[0-55295,57344-1114111]");
