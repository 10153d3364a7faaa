import { byFields, byText, fieldOf } from "./order.ts";
import { toSaid } from "./said.ts";
import type { UnionPlan } from "./union.ts";

/** One item of one source's list. `revision` is its place there: what comes later is newer. */
export interface Item {
  readonly source: string;
  readonly revision: number;
  readonly value: unknown;
}

/** Merges, deduplicates, orders, limits: a function of the set of items. */
export function unite(plan: UnionPlan, items: readonly Item[]): readonly unknown[] {
  const rank = new Map(plan.sources.map(({ name }, at) => [name, at]));
  interface Ranked {
    readonly item: Item;
    readonly rank: number;
    said?: string;
  }
  const ordered = items.map((item): Ranked => ({ item, rank: rank.get(item.source) ?? 0 }));
  // Only what is equal in everything else is compared by its text.
  const saidOf = (ranked: Ranked): string => {
    ranked.said ??= toSaid(ranked.item.value);
    return ranked.said;
  };
  const isOrdered = plan.orderBy.length > 0;
  const bySource = (a: Ranked, b: Ranked): number => a.rank - b.rank;
  const byRevision = (a: Ranked, b: Ranked): number => a.item.revision - b.item.revision;
  const bySaid = (a: Ranked, b: Ranked): number => byText(saidOf(a), saidOf(b));
  // With an order, the list's own order says nothing, so equal places are settled by the values themselves.
  const byPlace = (a: Ranked, b: Ranked): number => (isOrdered ? 0 : byRevision(a, b)) || bySaid(a, b);
  const byOrder = (a: Ranked, b: Ranked): number => byFields(plan.orderBy, a.item.value, b.item.value);
  const byNewest = (a: Ranked, b: Ranked): number => (isOrdered ? 0 : -byRevision(a, b)) || bySaid(a, b);
  const kept = plan.dedupeBy.length > 0 ? new Map<string, Ranked>() : undefined;
  for (const ranked of ordered) {
    if (!kept) break;
    const key = toSaid(plan.dedupeBy.map((field) => fieldOf(ranked.item.value, field)));
    const rival = kept.get(key);
    const against = rival && (bySource(ranked, rival) || byOrder(ranked, rival) || byNewest(ranked, rival));
    if (against === undefined || against < 0) kept.set(key, ranked);
  }
  const merged = kept ? [...kept.values()] : ordered;
  merged.sort((a, b) => byOrder(a, b) || bySource(a, b) || byPlace(a, b));
  return merged.slice(0, plan.limit).map(({ item }) => item.value);
}
