import { Unusable } from "../normalise/unusable.ts";
import type { MatchingPlan } from "./matching.ts";

/**
 * How alike two records are, 0 to 1: the weighted mean of what both have. Nothing where they share nothing that could
 * be compared. Where less than half of the weight could be compared, the score stays below `match`: likely is not known.
 */
export function score(plan: MatchingPlan, left: unknown, right: unknown): number | undefined {
  let weights = 0;
  let compared = 0;
  let sum = 0;
  for (const { of, by, weight } of plan.compare) {
    weights += weight;
    const likeness = attempt(() => {
      const [a, b] = [of(left), of(right)];
      return [a, b].some(isNothing) ? undefined : by(a, b);
    });
    if (likeness === undefined || Number.isNaN(likeness)) continue;
    compared += weight;
    sum += weight * Math.min(1, Math.max(0, likeness));
  }
  if (compared === 0) return undefined;
  // Rounded, so that a sum that differs in its last bit decides nothing.
  const mean = Math.round((sum / compared) * 1e9) / 1e9;
  return compared * 2 < weights ? Math.min(mean, plan.match - 1e-9) : mean;
}

export type KeyOf = (record: any) => unknown; // records are as whoever declared the key knows them

/** The keys of a record as text, each once. What cannot be read has none. */
export function keysOf(of: KeyOf, record: unknown): readonly string[] {
  const said = attempt(() => of(record));
  const keys = Array.isArray(said) ? said : [said];
  return [
    ...new Set(keys.filter((key) => typeof key === "number" || (typeof key === "string" && key !== "")).map(String)),
  ];
}

const isNothing = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || value instanceof Unusable;

/** What somebody's own function throws makes the one record harder to match, and the list no worse. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
