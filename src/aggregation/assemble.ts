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
/** By source. */
export type Readings = Pick<ReadonlyMap<string, Reading>, "get">;

/** Applies a field's rule to what its sources said. Pure: equal readings give equal bytes, whoever answered first. */
export function assemble(field: string, plan: FieldPlan, readings: Readings): Assembled {
  return plan.kind === "choice" ? assembleChoice(field, plan, readings) : assembleUnion(plan, readings);
}

function assembleChoice(field: string, plan: ChoicePlan, readings: Readings): Assembled {
  return assembleAlone(field, plan, readings) ?? assembleAmong(field, plan, readings);
}

/** Most fields are of one source, which has a value: there is nothing to choose, and nobody to reject. */
function assembleAlone(field: string, plan: ChoicePlan, readings: Readings): Assembled | undefined {
  const source = onlySourceOf(plan);
  const reading = source === undefined ? undefined : readings.get(source);
  const value = reading && plainValueOf(reading, field);
  if (!reading || value === undefined) return undefined;
  const { state, ageMs = 0 } = reading.meta; // a plain value has an age
  return { value, meta: { state, rule: plan.rule, source: reading.source, ageMs, conflict: false, rejected: nobody } };
}

/** The source of a field that has no other, and whose rule takes whatever it says. */
export function onlySourceOf(plan: FieldPlan): string | undefined {
  if (plan.kind !== "choice") return undefined;
  const { by, names, linked } = plan;
  return names.length > 1 || by === "quorum" || by === "rule" || linked ? undefined : (names[0] ?? "");
}

/** What a source says of a field; nothing where that needs more words than its state and its age. */
export function plainValueOf({ value, asOf, meta }: Reading, field: string): unknown {
  if (asOf !== undefined || meta.ageMs === undefined) return undefined;
  const own = fieldOf(value, field);
  return isUsable(own) ? own : undefined;
}

const nobody: FieldMeta["rejected"] = Object.freeze([]);

function assembleAmong(field: string, plan: ChoicePlan, readings: Readings): Assembled {
  const { rule, names: declared } = plan;
  const all = readingsOf(declared, readings);
  const offers = offersOf(field, plan, all);
  const choice = choose(plan, declared, offers);
  const rejected = rejectedOf(field, all, offers, choice);
  const conflict = choice?.rejected.some(({ differs }) => differs) ?? false;
  // A field that its group's source lacks stays absent, or takes the default: nobody else fills it in.
  const chosen = choice?.chosen;
  const value = chosen && plan.linked ? fieldOf(chosen.value, field) : chosen?.value;
  if (!chosen || !isUsable(value)) {
    const without = choice?.broken !== undefined ? "invalid" : choice ? "missing" : absence(field, all);
    return { ...plan.otherwise, meta: { state: plan.otherwise ? "default" : without, rule, conflict, rejected } };
  }
  const { source, asOf } = chosen;
  const { state, ageMs } = readings.get(source)?.meta ?? { state: "fresh" };
  // An object that is spread together costs several times as much as one that is written down, and this is the usual one.
  if (asOf === undefined && ageMs !== undefined)
    return { value, meta: { state, rule, source, ageMs, conflict, rejected } };
  const when = {
    ...(ageMs !== undefined && { ageMs }),
    ...(asOf !== undefined && { asOf: new Date(asOf).toISOString() }),
  };
  return { value, meta: { state, rule, source, ...when, conflict, rejected } };
}

/** Of the sources that were asked, in the order of declaration. */
function readingsOf(declared: readonly string[], readings: Readings): readonly Reading[] {
  const own: Reading[] = [];
  for (const name of declared) {
    const reading = readings.get(name);
    if (reading) own.push(reading);
  }
  return own;
}

/** What each source has for the field, or for the whole group of linked fields. */
function offersOf(field: string, { linked }: ChoicePlan, readings: readonly Reading[]): readonly Offer[] {
  if (linked) return groupsOf(linked, readings);
  const offers: Offer[] = [];
  for (const reading of readings) {
    const own = fieldOf(reading.value, field);
    if (isUsable(own)) offers.push(toOffer(reading, own));
  }
  return offers;
}

function groupsOf(linked: readonly string[], readings: readonly Reading[]): readonly Offer[] {
  const offers: Offer[] = [];
  for (const reading of readings) {
    const parts = linked.map((name) => [name, fieldOf(reading.value, name)]).filter(([, part]) => isUsable(part));
    if (parts.length > 0) offers.push(toOffer(reading, Object.fromEntries(parts)));
  }
  const complete = offers.filter(({ value }) => Object.keys(value as object).length === linked.length);
  return complete.length > 0 ? complete : offers;
}

const toOffer = ({ source, asOf }: Reading, value: unknown): Offer =>
  asOf === undefined ? { source, value } : { source, value, asOf };

function rejectedOf(
  field: string,
  readings: readonly Reading[],
  offers: readonly Offer[],
  choice: Choice | undefined,
): FieldMeta["rejected"] {
  const rejected: FieldMeta["rejected"][number][] = [];
  for (const { source, meta, value } of readings) {
    if (source === choice?.chosen?.source) continue;
    const own = fieldOf(value, field);
    const loser = choice?.rejected.find(({ offer }) => offer.source === source);
    if (own instanceof Unusable) rejected.push({ source, why: own.problem, unusable: true as const });
    else if (loser) rejected.push({ source, value: own, why: loser.why });
    else if (meta.state !== "fresh" && meta.state !== "stale") rejected.push({ source, why: meta.state });
    else {
      const partial = !offers.some((offer) => offer.source === source) && isUsable(own);
      rejected.push({ source, why: partial ? "has only some of the linked fields" : "has no value for this field" });
    }
  }
  return rejected;
}

function assembleUnion(plan: UnionPlan, readings: Readings): Assembled {
  const { rule } = plan;
  const all = plan.sources.map(({ name }) => readings.get(name)).filter((reading) => reading !== undefined);
  const lists = all.filter(({ value }) => Array.isArray(value));
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

const isUsable = (value: unknown): boolean => value !== undefined && value !== null && !(value instanceof Unusable);
