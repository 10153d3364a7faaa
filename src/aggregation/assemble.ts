import { type Choice, choose, type Item, type Offer, unite } from "./fuse.ts";
import type { FieldMeta, SourceState } from "./meta.ts";
import type { Reading } from "./reading/reader.ts";
import type { ChoicePlan, FieldPlan, UnionPlan } from "./rules.ts";

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
  const choice = choose(plan.by, declared, offers);
  const rule = describe(plan);
  const rejected = rejectedOf(field, all, offers, choice);
  const conflict = choice?.rejected.some(({ differs }) => differs) ?? false;
  if (!choice) {
    const state = plan.otherwise ? "default" : absence(all);
    return { ...plan.otherwise, meta: { state, rule, conflict, rejected } };
  }
  const { chosen } = choice;
  const { state, ageMs } = readings.get(chosen.source)?.meta ?? { state: "fresh" };
  // A field that its group's source lacks stays absent, or takes the default: nobody else fills it in.
  const value = plan.linked ? fieldOf(chosen.value, field) : chosen.value;
  if (isAbsent(value))
    return { ...plan.otherwise, meta: { state: plan.otherwise ? "default" : "missing", rule, conflict, rejected } };
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
      ? Object.fromEntries(linked.map((name) => [name, fieldOf(value, name)]).filter(([, part]) => !isAbsent(part)))
      : fieldOf(value, field);
    const empty = linked ? Object.keys(own as object).length === 0 : isAbsent(own);
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
    if (source === choice?.chosen.source) return [];
    const loser = choice?.rejected.find(({ offer }) => offer.source === source);
    if (loser) return [{ source, value: fieldOf(value, field), why: loser.why }];
    if (meta.state !== "fresh" && meta.state !== "stale") return [{ source, why: meta.state }];
    const partial = !offers.some((offer) => offer.source === source) && !isAbsent(fieldOf(value, field));
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
  if (lists.length === 0) return { meta: { state: absence(all), rule, conflict: false, rejected } };
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

/** Why there is no value: what the first source that could not say has met; `missing` only where all of them said so. */
function absence(readings: readonly Reading[]): SourceState {
  const silent = readings.find(({ meta }) => !["missing", "fresh", "stale"].includes(meta.state));
  return silent?.meta.state ?? "missing";
}

function describe(plan: FieldPlan): string {
  const names = plan.sources.map(({ name }) => name).join(", ");
  if (plan.kind === "union") {
    const dedupe = plan.dedupeBy.length > 0 ? `.dedupeBy(${plan.dedupeBy.join(", ")})` : "";
    const order = plan.orderBy.map(({ field, descending }) => `${descending ? "-" : ""}${field}`).join(", ");
    const limit = plan.limit === undefined ? "" : `.limit(${plan.limit})`;
    return `union(${names})${dedupe}${order && `.orderBy(${order})`}${limit}`;
  }
  const rule = `${plan.by}(${names})${plan.otherwise ? ".or(…)" : ""}`;
  return plan.linked ? `linked(${rule}, ${plan.linked.join(", ")})` : rule;
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;
const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, field)
    ? (value as { readonly [name: string]: unknown })[field]
    : undefined;
