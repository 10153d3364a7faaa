import {
  Fault,
  type Reply,
  type Selection,
  toJsonSchema,
  toProjection,
  validate,
  validateParts,
} from "../../contracts/index.ts";
import { type Answer, nobodyWaits, refuseWithout, toAsker, type ViewParts } from "../answering.ts";
import { declaredOnly } from "../declared-only.ts";
import { below, degradedOf } from "../degraded.ts";
import { Gathering, toSources } from "../gathering.ts";
import type { DegradedField, ListMeta, ViewMeta } from "../meta.ts";
import { narrowNested } from "../narrow.ts";
import { nullsOf } from "../nulls.ts";
import type { Reading } from "../reading/reading.ts";
import { enrich } from "../resolve.ts";
import { everySource } from "../scope.ts";
import { type Order, toOrder } from "../union.ts";
import type { AnyView } from "../view.ts";
import { byPlace, fromCursor, type Place, placeOf, toCursor } from "./cursor.ts";
import { type Around, type Begun, GrowingList, isPartial } from "./growing-list.ts";
import { itemSchema, type ListPlan } from "./list.ts";
import { type Merged, type MergedList, merge, metaOf } from "./merge.ts";

const mostDoubts = 20;

/** Makes the function that answers with a page of a list. Throws what `toAnswer` throws, and `Fault` InvalidInput for a cursor or an order that this list does not know. */
export function toListAnswer({ view, readers, clock }: ViewParts, plan: ListPlan): Answer {
  const output = toJsonSchema(view.operation.output);
  const project = toProjection(output);
  const nulls = nullsOf(itemSchema(output), Object.keys(view.scope.fields));
  const mergeAll = (readings: ReadonlyMap<string, Reading>): MergedList => merge(view.scope, plan, readings);
  const merged = remembered(mergeAll);
  /** The items that keep the contract, with what is said around them; nothing where that breaks it. */
  const sounded = async (around: Around, items: readonly unknown[], only: Selection | undefined) => {
    const projected = (some: readonly unknown[]): unknown => project({ ...around, items: some }).value;
    const { output } = view.operation;
    const places = await keepSound(items, (some) =>
      only ? validateParts(output, projected(some), only) : validate(output, projected(some)),
    );
    return places && { places, value: projected(places.map((at) => items[at])) };
  };

  return (input, call) =>
    call.trace.span("view", view.id, {}, async (span): Promise<Reply> => {
      const asker = toAsker({ view, readers, clock }, call, span);
      const orders = ordersOf(plan, input.sort);
      const { after, limit, ...question } = input;
      const start = typeof after === "string" ? fromCursor(after, orders, question) : undefined;
      const size = Math.min(plan.size.most, typeof limit === "number" && limit > 0 ? limit : plan.size.usual);
      const pageOf = (whole: MergedList): Page => {
        const found = whole.items.filter(({ value }) => isWanted(plan, value, input));
        const { page, last } = cut(orders, found, start, size);
        const items = page.map(({ value }) => ({ ...nulls, ...value }));
        return { found: found.length, page, items, ...(last && { next: toCursor(last, question) }) };
      };
      const nested = wantedOf(plan.nested, call.fields);
      const only = nested === plan.nested ? undefined : call.fields;
      const growth =
        call.onPart &&
        new GrowingList(
          view,
          nested,
          {
            begin: (readings) => pageOf(mergeAll(readings)),
            check: async (around, items) => (await sounded(around, items, only))?.value,
          },
          call.onPart,
        );
      const gathering = new Gathering(view.scope, input, asker, Object.values(nested).flatMap(everySource));
      if (growth)
        for (const source of view.scope.sources)
          void Promise.resolve(gathering.read(source)).then((one) => growth.add(one));
      using _telling = growth; // whatever comes of it, nothing is told afterwards
      const readings = await gathering.all();
      if (call.aborted.aborted) throw nobodyWaits(view.id);
      refuseWithout(view, readings);

      const whole = merged(readings);
      const page = pageOf(whole);
      const around = toAround(readings, page);
      growth?.enriching(around, page.items);
      const enriched = await enrich(
        page.items,
        nested,
        asker,
        growth && ((some, waiting) => growth.enriched(some, waiting)),
      );
      const { items } = enriched;
      if (call.aborted.aborted) throw nobodyWaits(view.id);
      const sound = await sounded(around, items, only);
      if (!sound)
        throw new Fault("InvalidOutput", `The list that ${view.id} makes of its sources breaks its contract.`, {
          outcome: "not done",
        });
      const { places, value } = sound;
      const listMeta = toListMeta(whole, page.found, items.length - places.length, around.missing);
      const itemProjection = (item: unknown): unknown =>
        (project({ ...around, items: [item] }).value as { readonly items: readonly unknown[] }).items[0];
      const inside = new Map(enriched.degraded);
      const told = places.map((at) => toItemTold(view, page.page[at] as Merged, inside.get(at))); // a sound item has its place on the page
      const degraded = told.flatMap((one, at) => below(`/items/${at}`, one.degraded));
      const meta: ViewMeta = {
        fields:
          Object.keys(nested).length === 0
            ? {}
            : { items: { state: "fresh", rule: "list", conflict: false, rejected: [], nested: enriched.meta } },
        sources: toSources(view.sources, asker),
        items: told.map(({ fields }) => ({ fields: declaredOnly(fields, itemProjection) })),
        list: reviewed(listMeta, whole, itemProjection),
        ...(degraded.length > 0 && { degraded }),
      };
      span.set({ "trilith.found": page.found, "trilith.degraded": around.missing.length });
      return { output: value, meta, ...(only && { only }) };
    });
}

interface Page extends Begun {
  readonly page: readonly Merged[];
}

/** What a list says around its items. */
function toAround(readings: ReadonlyMap<string, Reading>, { found, next }: Begun): Around {
  const missing = [...readings.values()].filter(isPartial).map(({ source }) => source);
  return { complete: missing.length === 0, missing, found, ...(next !== undefined && { next }) };
}

/** Of what is nested: what somebody wants to see. The records themselves are read whole, for matching and order need them. */
function wantedOf(nested: ListPlan["nested"], fields: Selection | undefined): ListPlan["nested"] {
  if (!fields || Object.keys(fields).length === 0 || Object.keys(nested).length === 0) return nested;
  const items = Object.hasOwn(fields, "items") ? fields.items : undefined;
  return items ? narrowNested(nested, items) : {};
}

/** Where the fields of one item come from, and which of them could not be said. */
function toItemTold(view: AnyView, merged: Merged, inside: readonly DegradedField[] = []) {
  const fields = metaOf(view.scope, merged);
  return { fields, degraded: [...degradedOf(fields, merged.readings), ...inside] };
}

/** A cut that begins behind a place and ends with a further one only where there is more. */
function cut(orders: readonly Order[], items: readonly Merged[], start: Place | undefined, size: number) {
  const placed = items
    .map((item) => ({ item, place: placeOf(orders, item.value, item.tie) }))
    .filter(({ place }) => !start || byPlace(orders, place, start) > 0)
    .sort((a, b) => byPlace(orders, a.place, b.place));
  const page = placed.slice(0, size);
  return { page: page.map(({ item }) => item), last: placed.length > size ? page.at(-1)?.place : undefined };
}

const isWanted = ({ where }: ListPlan, value: unknown, input: { readonly [field: string]: unknown }): boolean =>
  Object.entries(where).every(([field, matches]) => {
    const wanted = input[field];
    return wanted === undefined || wanted === null || matches(value, wanted);
  });

function ordersOf({ orderBy, sortable }: ListPlan, sort: unknown): readonly Order[] {
  if (typeof sort !== "string" || sort === "") return orderBy;
  const orders = sort.split(",").map((text) => toOrder(text.trim()));
  const unknown = orders.find(({ field }) => !sortable.includes(field));
  if (!unknown) return orders;
  const message = `This list is not ordered by "${unknown.field}". It may be by: ${sortable.join(", ") || "nothing"}.`;
  throw new Fault("InvalidInput", message, { issues: [{ path: "/sort", message }], outcome: "not done" });
}

/** The places of those items that keep the contract. One that does not costs itself and no other; nothing where it is not the items. */
async function keepSound(
  items: readonly unknown[],
  check: (some: readonly unknown[]) => Promise<{ readonly ok: boolean }>,
): Promise<readonly number[] | undefined> {
  const places = items.map((_, at) => at);
  if ((await check(items)).ok) return places;
  const verdicts = await Promise.all(items.map((item) => check([item])));
  const sound = places.filter((at) => verdicts[at]?.ok);
  return (await check(sound.map((at) => items[at]))).ok ? sound : undefined;
}

function toListMeta(
  { duplicates, keyless }: MergedList,
  found: number,
  broken: number,
  missing: readonly string[],
): ListMeta {
  return { found, duplicates, leftOut: keyless + broken, missing };
}

function reviewed(meta: ListMeta, { review, crowded }: MergedList, show: (record: unknown) => unknown): ListMeta {
  if (review.length === 0 && crowded === 0) return meta;
  const pairs = review.slice(0, mostDoubts).map(({ left, right, score, why }) => ({
    sources: [left.source, right.source] as const,
    score,
    why,
    left: show(left.record),
    right: show(right.record),
  }));
  return { ...meta, review: pairs, doubts: review.length, crowded };
}

/** Merges anew only where a source says something else than last time: a cached list is merged once for all of its pages. */
function remembered(
  make: (readings: ReadonlyMap<string, Reading>) => MergedList,
): (readings: ReadonlyMap<string, Reading>) => MergedList {
  let last: { readonly key: readonly unknown[]; readonly merged: MergedList } | undefined;
  return (readings) => {
    const key = [...readings.values()].flatMap(({ source, value, meta }) => [source, value, meta.state]);
    if (last && last.key.length === key.length && last.key.every((part, at) => Object.is(part, key[at])))
      return last.merged;
    const merged = make(readings);
    last = { key, merged };
    return merged;
  };
}
