import { type Assembled, assemble, onlySourceOf, plainValueOf, type Readings } from "./assemble.ts";
import { below, degradedOf, none, toStep } from "./degraded.ts";
import { gatherEach } from "./gather-each.ts";
import { type Asker, Gathering } from "./gathering.ts";
import type { Growth } from "./growth.ts";
import type { DegradedField, FieldMeta, NestedMeta } from "./meta.ts";
import { byText } from "./order.ts";
import type { Input } from "./reading/question.ts";
import type { Reading } from "./reading/reading.ts";
import type { FieldPlan } from "./rules.ts";
import type { FieldScope } from "./scope.ts";
import type { UnionPlan } from "./union.ts";

/** The fields of a scope, as far as there is something for them, and what was said to get there. */
export interface Resolved {
  readonly values: { readonly [field: string]: unknown };
  readonly fields: { readonly [field: string]: FieldMeta };
  readonly readings: ReadonlyMap<string, Reading>;
  /** What could not be said, in lists within the fields as well. Places are seen from here. */
  readonly degraded: readonly DegradedField[];
}
interface Deepened extends Assembled {
  /** Of what is nested in its items. */
  readonly inside?: readonly DegradedField[];
}

/**
 * Asks the sources of a scope, applies each field's rule, and asks for what is nested in its lists. At once where all of
 * it is at hand.
 */
export function resolve(
  scope: FieldScope,
  input: { readonly [field: string]: unknown },
  asker: Asker,
  growth?: Growth,
): Resolved | Promise<Resolved> {
  const gathering = new Gathering(scope, input, asker);
  growth?.follow(gathering, scope);
  if (scope.deep) return resolveDeep(scope, gathering, asker, growth);
  const readings = gathering.all();
  return readings instanceof Promise ? readings.then((read) => fused(scope, read)) : fused(scope, readings);
}

/** Every field by its rule, once all sources have been read. */
const fused = (scope: FieldScope, readings: Resolved["readings"]): Resolved => ({
  ...partOf(scope, readings),
  readings,
});

function partOf({ fields: plans }: FieldScope, readings: Readings): Omit<Resolved, "readings"> {
  const values: { [field: string]: unknown } = {};
  const fields: { [field: string]: FieldMeta } = {};
  for (const name of Object.keys(plans)) {
    const { value, meta } = assemble(name, plans[name] as FieldPlan, readings); // it is one of its own names
    if (value !== undefined) values[name] = value;
    fields[name] = meta;
  }
  return { values, fields, degraded: degradedOf(fields, readings) };
}

async function resolveDeep(scope: FieldScope, gathering: Gathering, asker: Asker, growth?: Growth): Promise<Resolved> {
  const plans = Object.entries(scope.fields);
  // Each field goes on as soon as its own sources are there: what is nested in a list need not wait for a slow stranger.
  const [fields, readings] = await Promise.all([
    Promise.all(
      plans.map(async ([name, plan]): Promise<[string, Deepened]> => {
        const own = await Promise.all(plan.sources.map((source) => gathering.read(source)));
        const read = new Map(own.map((reading) => [reading.source, reading]));
        const assembled = await deepen(plan, assemble(name, plan, read), asker);
        growth?.settle(name, assembled);
        return [name, assembled];
      }),
    ),
    gathering.all(),
  ]);
  return resolved(fields, readings);
}

function resolved(assembled: readonly (readonly [string, Deepened])[], readings: Resolved["readings"]): Resolved {
  const values: { [field: string]: unknown } = {};
  const fields: { [field: string]: FieldMeta } = {};
  const deeper: DegradedField[] = [];
  for (const [name, { value, meta, inside }] of assembled) {
    if (value !== undefined) values[name] = value;
    fields[name] = meta;
    if (inside) deeper.push(...below(`/${toStep(name)}`, inside));
  }
  return { values, fields, readings, degraded: [...degradedOf(fields, readings), ...deeper] };
}

async function deepen(plan: FieldPlan, assembled: Assembled, asker: Asker): Promise<Deepened> {
  if (plan.kind !== "union" || !Array.isArray(assembled.value) || Object.keys(plan.nested).length === 0)
    return assembled;
  const { items, meta, degraded } = await enrich(assembled.value, plan.nested, asker);
  return {
    value: items,
    meta: { ...assembled.meta, nested: meta },
    inside: degraded.flatMap(([at, inside]) => below(`/${at}`, inside)),
  };
}

interface Enriched {
  readonly items: readonly unknown[];
  readonly meta: NestedMeta;
  /** By the place of the item: what of it could not be said. */
  readonly degraded: readonly (readonly [at: number, inside: readonly DegradedField[]])[];
}

/**
 * Gives every item its nested fields. All items ask in the same turn, so that keys travel together. `grown` is told of
 * the items whenever one of several fields is there.
 */
export async function enrich(
  items: readonly unknown[],
  nested: UnionPlan["nested"],
  asker: Asker,
  grown?: (items: readonly unknown[], waiting: readonly string[]) => void,
): Promise<Enriched> {
  const inputs = items.filter(isRecord);
  const tally = new Tally();
  const done = new Map<string, readonly Part[]>();
  const waiting = (): readonly string[] => Object.keys(nested).filter((field) => !done.has(field));
  await Promise.all(
    Object.entries(nested).map(async ([field, scope]) => {
      const counts = tally.of(field, scope);
      done.set(
        field,
        await (isFlat(scope)
          ? resolveEach(scope, inputs, asker, counts)
          : Promise.all(inputs.map(async (input) => counted(await resolve(scope, input, asker), counts)))),
      );
      if (grown && waiting().length > 0) grown(withNested(items, nested, done).items, waiting());
    }),
  );
  return { ...withNested(items, nested, done), meta: tally.told() };
}

/** The items with those of their nested fields that are there, in the order of declaration. */
function withNested(
  items: readonly unknown[],
  nested: UnionPlan["nested"],
  done: ReadonlyMap<string, readonly Part[]>,
): Omit<Enriched, "meta"> {
  const fields = Object.keys(nested).map((field) => ({ field, parts: done.get(field) }));
  const degraded: [number, readonly DegradedField[]][] = [];
  let at = 0;
  const richer = items.map((item, place) => {
    if (!isRecord(item)) return item;
    const whole: { [field: string]: unknown } = { ...item };
    for (const { field, parts } of fields) {
      const part = parts?.[at];
      if (!part) continue; // it is waited for
      if (!isEmpty(part.values)) whole[field] = part.values;
      if (part.degraded.length > 0) degraded.push([place, below(`/${toStep(field)}`, part.degraded)]);
    }
    at += 1;
    return whole;
  });
  return { items: richer, degraded };
}
type Part = Pick<Resolved, "values" | "degraded">;

const isRecord = (item: unknown): item is Input => typeof item === "object" && item !== null;

function isEmpty(values: Part["values"]): boolean {
  for (const _ in values) return false;
  return true;
}

/** Whether an item goes on only when all of its sources are there. */
const isFlat = ({ sources, deep }: FieldScope): boolean => !deep && sources.every(({ after }) => after === undefined);

/**
 * What each of many inputs has for the fields of a scope. Of the items of a page only counts are told, so where a field
 * is said by its only source, which is nearly always, no meta is made of it.
 */
async function resolveEach(
  scope: FieldScope,
  inputs: readonly Input[],
  asker: Asker,
  counts: ScopeCounts,
): Promise<readonly Part[]> {
  return partsOf(scope, await gatherEach(scope, inputs, asker), inputs.length, counts);
}

function partsOf(
  scope: FieldScope,
  bySource: ReadonlyMap<string, readonly Reading[]>,
  items: number,
  counts: ScopeCounts,
): readonly Part[] {
  const fields = Object.keys(scope.fields).map((name) => {
    const plan = scope.fields[name] as FieldPlan; // it is one of its own names
    const only = onlySourceOf(plan);
    return { name, plan, readings: only === undefined ? undefined : bySource.get(only) };
  });
  let at = 0;
  const ofThis: Readings = { get: (source) => bySource.get(source)?.[at] };
  const parts: Part[] = [];
  for (; at < items; at++) {
    const values: { [field: string]: unknown } = {};
    let others: { [field: string]: FieldMeta } | undefined;
    for (const { name, plan, readings } of fields) {
      const reading = readings?.[at];
      const plain = reading && plainValueOf(reading, name);
      if (reading && plain !== undefined) {
        values[name] = plain;
        counts.add(name, reading.meta.state, false);
        continue;
      }
      const { value, meta } = assemble(name, plan, ofThis);
      if (value !== undefined) values[name] = value;
      counts.add(name, meta.state, meta.conflict);
      others ??= {};
      others[name] = meta;
    }
    parts.push({ values, degraded: others ? degradedOf(others, ofThis) : none });
  }
  return parts;
}

function counted(resolved: Resolved, counts: ScopeCounts): Part {
  for (const name of Object.keys(resolved.fields)) {
    const { state, conflict } = resolved.fields[name] as FieldMeta; // it is one of its own names
    counts.add(name, state, conflict);
  }
  return resolved;
}

interface Counts {
  readonly rule: string;
  readonly states: { [state: string]: number };
  conflicts: number;
}

/** Counts how the fields of one scope came about. */
class ScopeCounts {
  readonly #plans: FieldScope["fields"];
  readonly byField = new Map<string, Counts>();
  constructor(plans: FieldScope["fields"]) {
    this.#plans = plans;
  }

  add(name: string, state: FieldMeta["state"], conflict: boolean): void {
    let counts = this.byField.get(name);
    if (!counts) {
      counts = { rule: this.#plans[name]?.rule ?? "", states: {}, conflicts: 0 };
      this.byField.set(name, counts);
    }
    counts.states[state] = (counts.states[state] ?? 0) + 1;
    if (conflict) counts.conflicts += 1;
  }
}

/** Counts how nested fields came about, over all items. */
class Tally {
  readonly #scopes = new Map<string, ScopeCounts>();

  of(field: string, { fields }: FieldScope): ScopeCounts {
    const counts = new ScopeCounts(fields);
    this.#scopes.set(field, counts);
    return counts;
  }

  /** Items come to rest in any order, and the meta must not tell. */
  told(): NestedMeta {
    const all = [...this.#scopes].flatMap(([field, { byField }]) =>
      [...byField].map(([name, counts]): [string, Counts] => [`${field}.${name}`, counts]),
    );
    return Object.fromEntries(
      all
        .sort(([a], [b]) => byText(a, b))
        .map(([at, counts]) => {
          const states = Object.entries(counts.states).sort(([a], [b]) => byText(a, b));
          return [at, { ...counts, states: Object.fromEntries(states) }] as const;
        }),
    );
  }
}
