import { type Choice, choose, type Offer } from "./fuse.ts";
import type { FieldMeta, SourceState } from "./meta.ts";
import { Unusable } from "./normalise/unusable.ts";
import { fieldOf } from "./order.ts";
import type { Reading } from "./reading/reading.ts";
import type { ChoicePlan, FieldPlan } from "./rules.ts";
import type { UnionPlan } from "./union.ts";
import { type Item, unite } from "./unite.ts";

/** One field of the answer: its value, where there is one, and where it comes from. */
export interface Assembled {
  readonly value?: unknown;
  readonly meta: FieldMeta;
}
export type Readings = ReadonlyMap<string, Reading>;

/** Applies a field's rule to what its sources said. Pure: equal readings give equal bytes, whoever answered first. */
export function assemble(field: string, plan: FieldPlan, readings: Readings): Assembled {
  return plan.kind === "choice" ? assembleChoice(field, plan, readings) : assembleUnion(plan, readings);
}

function assembleChoice(field: string, plan: ChoicePlan, readings: Readings): Assembled {
  const declared = plan.sources.map(({ name }) => name);
  const all = declared.map((name) => readings.get(name)).filter((reading) => reading !== undefined);
  const offers = offersOf(field, plan, all);
  const choice = choose(plan, declared, offers);
  const rule = describe(plan);
  const rejected = rejectedOf(field, all, offers, choice);
  const conflict = choice?.rejected.some(({ differs }) => differs) ?? false;
  // A field that its group's source lacks stays absent, or takes the default: nobody else fills it in.
  const chosen = choice?.chosen;
  const value = chosen && plan.linked ? fieldOf(chosen.value, field) : chosen?.value;
  if (!chosen || !isUsable(value)) {
    const without = choice?.broken !== undefined ? "invalid" : choice ? "missing" : absence(field, all);
    return { ...plan.otherwise, meta: { state: plan.otherwise ? "default" : without, rule, conflict, rejected } };
  }
  const { state, ageMs } = readings.get(chosen.source)?.meta ?? { state: "fresh" };
  const meta: FieldMeta = {
    state,
    rule,
    source: chosen.source,
    ...(ageMs !== undefined && { ageMs }),
    ...(chosen.asOf !== undefined && { asOf: new Date(chosen.asOf).toISOString() }),
    conflict,
    rejected,
  };
  return { value, meta };
}

/** What each source has for the field, or for the whole group of linked fields. */
function offersOf(field: string, { linked }: ChoicePlan, readings: readonly Reading[]): readonly Offer[] {
  const offers = readings.flatMap(({ source, value, asOf }): readonly Offer[] => {
    const own = linked
      ? Object.fromEntries(linked.map((name) => [name, fieldOf(value, name)]).filter(([, part]) => isUsable(part)))
      : fieldOf(value, field);
    const empty = linked ? Object.keys(own as object).length === 0 : !isUsable(own);
    return empty ? [] : [{ source, value: own, ...(asOf !== undefined && { asOf }) }];
  });
  const complete = offers.filter(({ value }) => !linked || Object.keys(value as object).length === linked.length);
  return complete.length > 0 ? complete : offers;
}

function rejectedOf(
  field: string,
  readings: readonly Reading[],
  offers: readonly Offer[],
  choice: Choice | undefined,
): FieldMeta["rejected"] {
  return readings.flatMap(({ source, meta, value }) => {
    const own = fieldOf(value, field);
    if (source === choice?.chosen?.source) return [];
    if (own instanceof Unusable) return [{ source, why: own.problem, unusable: true as const }];
    const loser = choice?.rejected.find(({ offer }) => offer.source === source);
    if (loser) return [{ source, value: own, why: loser.why }];
    if (meta.state !== "fresh" && meta.state !== "stale") return [{ source, why: meta.state }];
    const partial = !offers.some((offer) => offer.source === source) && isUsable(own);
    return [{ source, why: partial ? "has only some of the linked fields" : "has no value for this field" }];
  });
}

function assembleUnion(plan: UnionPlan, readings: Readings): Assembled {
  const all = plan.sources.map(({ name }) => readings.get(name)).filter((reading) => reading !== undefined);
  const lists = all.filter(({ value }) => Array.isArray(value));
  const rule = describe(plan);
  const rejected = all
    .filter((reading) => !lists.includes(reading))
    .map(({ source, meta }) => ({
      source,
      why: meta.state === "fresh" || meta.state === "stale" ? "has no list" : meta.state,
    }));
  if (lists.length === 0) return { meta: { state: absence(undefined, all), rule, conflict: false, rejected } };
  const items = lists.flatMap(({ source, value }): readonly Item[] =>
    (value as readonly unknown[]).map((item, revision) => ({ source, revision, value: item })),
  );
  const ages = lists.map(({ meta }) => meta.ageMs ?? 0);
  const state = lists.some(({ meta }) => meta.state === "stale") ? "stale" : "fresh";
  const sources = lists.map(({ source }) => source);
  const complete = lists.some(({ meta }) => meta.complete === false) && { complete: false as const };
  return {
    value: unite(plan, items),
    meta: { state, rule, sources, ageMs: Math.max(...ages), ...complete, conflict: false, rejected },
  };
}

/**
 * Why there is no value: what the first source that could not say has met, then that what was said could not be used;
 * `missing` only where all of them said so.
 */
function absence(field: string | undefined, readings: readonly Reading[]): SourceState {
  const silent = readings.find(({ meta }) => !["missing", "fresh", "stale"].includes(meta.state));
  if (silent) return silent.meta.state;
  const isInvalid = field !== undefined && readings.some(({ value }) => fieldOf(value, field) instanceof Unusable);
  return isInvalid ? "invalid" : "missing";
}

function describe(plan: FieldPlan): string {
  const names = plan.sources.map(({ name }) => name).join(", ");
  if (plan.kind === "union") {
    const dedupe = plan.dedupeBy.length > 0 ? `.dedupeBy(${plan.dedupeBy.join(", ")})` : "";
    const order = plan.orderBy.map(({ field, descending }) => `${descending ? "-" : ""}${field}`).join(", ");
    const limit = plan.limit === undefined ? "" : `.limit(${plan.limit})`;
    return `union(${names})${dedupe}${order && `.orderBy(${order})`}${limit}`;
  }
  const least = plan.least === undefined ? "" : `${plan.least}, `;
  const own = plan.own ? `"${plan.own.name}", ` : "";
  const compared = plan.comparing ? ".comparing(…)" : "";
  const rule = `${plan.by}(${own}${least}${names})${compared}${plan.otherwise ? ".or(…)" : ""}`;
  return plan.linked ? `linked(${rule}, ${plan.linked.join(", ")})` : rule;
}

const isUsable = (value: unknown): boolean => value !== undefined && value !== null && !(value instanceof Unusable);
