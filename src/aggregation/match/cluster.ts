import { byText } from "../order.ts";
import { toSaid } from "../said.ts";
import type { MatchingPlan } from "./matching.ts";
import { type KeyOf, keysOf, score } from "./score.ts";

/** One record, and who has it. */
export interface Sighting {
  readonly source: string;
  readonly record: unknown;
}
/** Two records that may be the same: a person decides. */
export interface Doubt {
  readonly left: Sighting;
  readonly right: Sighting;
  readonly score: number;
  readonly why: string;
}
export interface Clusters {
  /** Records that speak of the same thing, each in one group. */
  readonly groups: readonly (readonly Sighting[])[];
  /** The likeliest first. */
  readonly review: readonly Doubt[];
  /** Blocks that were too large to be compared, with the number of their records. */
  readonly crowded: readonly { readonly block: string; readonly records: number }[];
}

/**
 * Groups records: a function of their set. What shares a key is the same. What is alike is, from the likeliest pair to
 * the least, put together as long as the groups hold no two records of one source and no two that are not alike
 * themselves, so that a chain of likenesses ends in no group of strangers. The three ways to decide, and the name of
 * blocking, are those of Fellegi and Sunter, "A Theory for Record Linkage" (1969).
 */
export function cluster(plan: MatchingPlan, sightings: readonly Sighting[]): Clusters {
  // Sorted, so that nothing below depends on the order in which they came. Equal ones may be exchanged for each other.
  const sorted = sightings
    .map((sighting) => ({ sighting, text: toText(sighting) }))
    .sort((a, b) => byText(a.text, b.text))
    .map(({ sighting }) => sighting);
  const groups = new Groups(sorted);
  for (const of of plan.keys)
    for (const same of sharing(sorted, of).values()) for (const at of same) groups.join(same[0] ?? at, at);

  const { pairs, crowded } = toPairs(plan, sorted);
  const scores = new Map<string, number | undefined>();
  const scoreOf = (a: number, b: number): number | undefined => {
    const [low, high] = a < b ? [a, b] : [b, a];
    const name = `${low}:${high}`;
    if (!scores.has(name)) scores.set(name, score(plan, sorted[low]?.record, sorted[high]?.record));
    return scores.get(name);
  };
  const likely = pairs
    .filter(([a, b]) => groups.of(a) !== groups.of(b))
    .map(([a, b]) => ({ a, b, score: scoreOf(a, b) ?? 0 }))
    .filter(({ score }) => score >= plan.review)
    .sort((one, other) => other.score - one.score || one.a - other.a || one.b - other.b);

  const refused = new Map<string, string>();
  for (const { a, b, score } of likely) {
    if (score < plan.match || groups.of(a) === groups.of(b)) continue;
    const [left, right] = [groups.membersOf(a), groups.membersOf(b)];
    const sources = new Set(left.map((at) => sorted[at]?.source));
    if (right.some((at) => sources.has(sorted[at]?.source ?? "")))
      refused.set(`${a}:${b}`, "are alike, but a source would have the same thing twice");
    else if (left.some((one) => right.some((other) => (scoreOf(one, other) ?? 1) < plan.review)))
      refused.set(`${a}:${b}`, "are alike, but others of their groups are not");
    else groups.join(a, b);
  }
  const review = likely.flatMap(({ a, b, score }): readonly Doubt[] => {
    const [left, right] = [sorted[a], sorted[b]];
    if (!left || !right || groups.of(a) === groups.of(b)) return [];
    return [{ left, right, score, why: refused.get(`${a}:${b}`) ?? "are alike, but not enough to be sure" }];
  });
  return { groups: groups.list().map((members) => members.flatMap((at) => sorted[at] ?? [])), review, crowded };
}

/** Every pair that shares a block, once. */
function toPairs(plan: MatchingPlan, sorted: readonly Sighting[]) {
  const pairs = new Map<string, readonly [number, number]>();
  const crowded: Clusters["crowded"][number][] = [];
  for (const of of plan.blocks) {
    for (const [block, members] of sharing(sorted, of)) {
      if (members.length > plan.largestBlock) {
        crowded.push({ block, records: members.length });
        continue;
      }
      for (const [at, a] of members.entries())
        for (const b of members.slice(at + 1)) if (a !== b) pairs.set(`${a}:${b}`, [a, b]);
    }
  }
  crowded.sort((a, b) => b.records - a.records || byText(a.block, b.block));
  return { pairs: [...pairs.values()], crowded };
}

/** The places of the records by each key that more than one has, in their order. */
function sharing(sorted: readonly Sighting[], of: KeyOf): ReadonlyMap<string, readonly number[]> {
  const byKey = new Map<string, number[]>();
  for (const [at, { record }] of sorted.entries())
    for (const key of keysOf(of, record)) {
      const known = byKey.get(key);
      if (known) known.push(at);
      else byKey.set(key, [at]);
    }
  return new Map([...byKey].filter(([, members]) => members.length > 1));
}

/** Disjoint groups of places; each is called after its first. */
class Groups {
  readonly #members = new Map<number, number[]>();
  readonly #group: number[];
  constructor(sorted: readonly Sighting[]) {
    this.#group = sorted.map((_, at) => at);
    for (const at of this.#group) this.#members.set(at, [at]);
  }

  of(at: number): number {
    return this.#group[at] ?? at;
  }
  membersOf(at: number): readonly number[] {
    return this.#members.get(this.of(at)) ?? [];
  }
  join(a: number, b: number): void {
    const [into, from] = this.of(a) < this.of(b) ? [this.of(a), this.of(b)] : [this.of(b), this.of(a)];
    if (into === from) return;
    const moved = this.#members.get(from) ?? [];
    for (const at of moved) this.#group[at] = into;
    this.#members.set(
      into,
      [...(this.#members.get(into) ?? []), ...moved].sort((x, y) => x - y),
    );
    this.#members.delete(from);
  }
  list(): readonly (readonly number[])[] {
    return [...this.#members.values()].sort((x, y) => (x[0] ?? 0) - (y[0] ?? 0));
  }
}

const toText = ({ source, record }: Sighting): string => `${source} ${toSaid(record)}`;
