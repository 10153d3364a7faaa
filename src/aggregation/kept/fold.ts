import type { Candidate } from "./candidates.ts";

/** What a source says in all, as its upstream would answer if it were asked. */
export type Folded =
  | { readonly state: "nothing" }
  | { readonly state: "whole"; readonly value: unknown; readonly counted: readonly Candidate[] }
  | { readonly state: "list"; readonly records: readonly unknown[]; readonly counted: readonly Candidate[] }
  | { readonly state: "unclear"; readonly problem: string };

/**
 * Puts the candidates of one place together: a function of their set. What was said of the whole counts, and what was
 * said of single items since then is applied to it, from the oldest to the newest; in a list, what comes later is newer.
 * Of one revision, the whole is older than the items. A list that is empty in the end is an empty list, and not nothing.
 */
export function fold(candidates: readonly Candidate[]): Folded {
  const whole = candidates.find(({ item }) => item === "");
  const items = candidates
    .filter(({ item, revision }) => item !== "" && revision >= (whole?.revision ?? Number.NEGATIVE_INFINITY))
    .sort((a, b) => a.revision - b.revision || (a.item < b.item ? -1 : 1));
  const value: unknown = whole?.said === undefined ? undefined : JSON.parse(whole.said);
  if (items.length === 0)
    return whole && value !== undefined ? { state: "whole", value, counted: [whole] } : { state: "nothing" };
  const records = new Map<string, unknown>();
  if (whole && value !== undefined) {
    const { items: names } = whole;
    if (!Array.isArray(value) || names?.length !== value.length) return { state: "unclear", problem: nameless };
    for (const [at, name] of names.entries()) records.set(name, value[at]);
  }
  for (const { item, said } of items) {
    records.delete(item);
    if (said !== undefined) records.set(item, JSON.parse(said));
  }
  return { state: "list", records: [...records.values()], counted: [...(whole ? [whole] : []), ...items] };
}

const nameless =
  "has said something of one item of a list that does not say which items it has: name them with put(…, { items })";
