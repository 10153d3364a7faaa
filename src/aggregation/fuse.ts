import { toCanonicalJson } from "../contracts/index.ts";
import type { ChoicePlan, UnionPlan } from "./rules.ts";

/** One source's value for a field. A rule is a function of the set of them; the order in which they came is not in it. */
export interface Offer {
  readonly source: string;
  readonly value: unknown;
  /** The instant of which it speaks, in ms since 1970. */
  readonly asOf?: number;
}
export interface Choice {
  readonly chosen: Offer;
  /** The others, in the order of declaration, each with what spoke against it. */
  readonly rejected: readonly { readonly offer: Offer; readonly why: string; readonly differs: boolean }[];
}

/** Chooses one offer, or none where there are none. `declared` is the order of the sources in the rule. */
export function choose(
  by: ChoicePlan["by"],
  declared: readonly string[],
  offers: readonly Offer[],
): Choice | undefined {
  const inOrder = declared.flatMap((source) => offers.filter((offer) => offer.source === source));
  const [first, ...others] = inOrder;
  if (!first) return undefined;
  if (others.length === 0) return { chosen: first, rejected: [] };
  const { chosen, why } = chooseBy[by](inOrder, first);
  const said = toCanonicalJson(chosen.value);
  const rejected = inOrder
    .filter((offer) => offer !== chosen)
    .map((offer) => ({ offer, why: why(offer), differs: toCanonicalJson(offer.value) !== said }));
  return { chosen, rejected };
}

interface Verdict {
  readonly chosen: Offer;
  readonly why: (rejected: Offer) => string;
}

const chooseBy: { readonly [B in ChoicePlan["by"]]: (inOrder: readonly Offer[], first: Offer) => Verdict } = {
  prefer: (_, first) => ({ chosen: first, why: () => `${first.source} is preferred` }),
  latest: (inOrder, first) => {
    const instantOf = ({ asOf }: Offer): number => asOf ?? Number.NEGATIVE_INFINITY;
    const chosen = inOrder.reduce((best, offer) => (instantOf(offer) > instantOf(best) ? offer : best), first);
    const why = (offer: Offer): string => {
      if (offer.asOf === undefined) return "does not say of which instant it speaks";
      return offer.asOf === chosen.asOf
        ? `is of the same instant as ${chosen.source}`
        : `is older than ${chosen.source}`;
    };
    return { chosen, why };
  },
  majority: (inOrder, first) => {
    const votes = new Map<string, Offer[]>();
    for (const offer of inOrder) {
      const said = toCanonicalJson(offer.value);
      votes.set(said, [...(votes.get(said) ?? []), offer]);
    }
    // Insertion follows the declaration, so the first of the largest groups is the one that was named first.
    const winners = [...votes.values()].reduce((most, group) => (group.length > most.length ? group : most));
    const why = (offer: Offer): string => {
      const group = votes.get(toCanonicalJson(offer.value)) ?? [];
      return group === winners ? "agrees" : `is outvoted ${winners.length} to ${group.length}`;
    };
    return { chosen: winners[0] ?? first, why };
  },
};

/** One item of one source's list. `revision` is its place there: what comes later is newer. */
export interface Item {
  readonly source: string;
  readonly revision: number;
  readonly value: unknown;
}

/** Merges, deduplicates, orders, limits: a function of the set of items. */
export function unite(plan: UnionPlan, items: readonly Item[]): readonly unknown[] {
  const rank = new Map(plan.sources.map(({ name }, at) => [name, at]));
  const ordered = items.map((item) => ({ item, rank: rank.get(item.source) ?? 0, said: toCanonicalJson(item.value) }));
  type Ranked = (typeof ordered)[number];
  const bySource = (a: Ranked, b: Ranked): number => a.rank - b.rank;
  // With an order, the list's own order says nothing, so equal places are settled by the values themselves.
  const byPlace = (a: Ranked, b: Ranked): number =>
    plan.orderBy.length > 0 ? byText(a.said, b.said) : a.item.revision - b.item.revision;
  const byOrder = (a: Ranked, b: Ranked): number => {
    for (const { field, descending } of plan.orderBy) {
      const difference = compare(fieldOf(a.item.value, field), fieldOf(b.item.value, field), descending);
      if (difference !== 0) return difference;
    }
    return 0;
  };
  const kept = plan.dedupeBy.length > 0 ? new Map<string, Ranked>() : undefined;
  for (const ranked of ordered) {
    if (!kept) break;
    const key = toCanonicalJson(plan.dedupeBy.map((field) => fieldOf(ranked.item.value, field)));
    const rival = kept.get(key);
    const newest = plan.orderBy.length > 0 ? byPlace : (a: Ranked, b: Ranked) => -byPlace(a, b);
    const against = rival && (bySource(ranked, rival) || byOrder(ranked, rival) || newest(ranked, rival));
    if (against === undefined || against < 0) kept.set(key, ranked);
  }
  const merged = kept ? [...kept.values()] : ordered;
  merged.sort((a, b) => byOrder(a, b) || bySource(a, b) || byPlace(a, b));
  return merged.slice(0, plan.limit).map(({ item }) => item.value);
}

const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === "object" && value !== null ? (value as { readonly [name: string]: unknown })[field] : undefined;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
/** What can be compared; `undefined` for what is absent or no number after all. */
function plain(value: unknown): unknown {
  const said = value instanceof Date ? value.getTime() : value;
  return said === null || Number.isNaN(said) ? undefined : said;
}

// What is absent comes last both ways round: nobody who asks for the newest wants to begin with those without a date.
function compare(left: unknown, right: unknown, descending: boolean): number {
  const [a, b] = [plain(left), plain(right)];
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  const upwards = order(a, b);
  return descending ? -upwards : upwards;
}

function order(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === "string" && typeof b === "string") return byText(a, b);
  return byText(`${typeof a}${toCanonicalJson(a)}`, `${typeof b}${toCanonicalJson(b)}`);
}
