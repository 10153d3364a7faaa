import { toCanonicalJson } from "../../contracts/index.ts";

/**
 * Where the candidates of a materialised view are kept. A candidate is known by its place (view, source, key), its item
 * in a list, and its revision; of those that differ in nothing but the revision only the newest counts.
 */
export interface Candidates {
  /** Everything at a place that may count, tombstones included, in no particular order. */
  load(place: string): Promise<readonly Candidate[]>;
  /**
   * Keeps each, unless what is there already `outranks` it. Resolves when that is durable; whatever happens at once elsewhere, none gets lost.
   * An item that is older than the whole answer at its place counts for nothing, now or later, and need not be kept.
   */
  keep(candidates: readonly Candidate[]): Promise<void>;
}
export interface Candidate {
  readonly place: string;
  /** Of a list that comes record by record: which record; otherwise empty. */
  readonly item: string;
  readonly revision: number;
  /** JSON text of what the source said. Missing where it took back what it had said: a tombstone, which is kept like the rest. */
  readonly said?: string;
  /** Of a whole list: which item each of its records is, where single items of it may change. */
  readonly items?: readonly string[];
  /** When it came, in ms since 1970. */
  readonly at: number;
}

/**
 * Whether one candidate counts rather than another of the same place and item: the newer one. Two that claim one
 * revision are told apart by what they say, so that the order in which they came makes no difference.
 */
export function outranks(one: Omit<Candidate, "at">, other: Omit<Candidate, "at">): boolean {
  if (one.revision !== other.revision) return one.revision > other.revision;
  if (one.said === undefined || other.said === undefined) return one.said === undefined && other.said !== undefined;
  if (one.said !== other.said) return one.said > other.said;
  return toCanonicalJson(one.items ?? null) > toCanonicalJson(other.items ?? null);
}
