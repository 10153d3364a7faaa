import { type Assembled, assemble } from "./assemble.ts";
import { type Asker, Gathering } from "./gathering.ts";
import type { Growth } from "./growth.ts";
import type { FieldMeta, NestedMeta } from "./meta.ts";
import { byText } from "./order.ts";
import type { Reading } from "./reading/reader.ts";
import type { FieldPlan } from "./rules.ts";
import type { FieldScope } from "./scope.ts";
import type { UnionPlan } from "./union.ts";

/** The fields of a scope, as far as there is something for them, and what was said to get there. */
export interface Resolved {
  readonly values: { readonly [field: string]: unknown };
  readonly fields: { readonly [field: string]: FieldMeta };
  readonly readings: ReadonlyMap<string, Reading>;
}

/** Asks the sources of a scope, applies each field's rule, and asks for what is nested in its lists. */
export async function resolve(
  scope: FieldScope,
  input: { readonly [field: string]: unknown },
  asker: Asker,
  growth?: Growth,
): Promise<Resolved> {
  const gathering = new Gathering(scope, input, asker);
  if (growth) for (const source of scope.sources) void gathering.read(source).then((reading) => growth.add(reading));
  const plans = Object.entries(scope.fields);
  if (!scope.deep) {
    const readings = await gathering.all();
    return resolved(
      plans.map(([name, plan]) => [name, assemble(name, plan, readings)]),
      readings,
    );
  }
  // Each field goes on as soon as its own sources are there: what is nested in a list need not wait for a slow stranger.
  const [fields, readings] = await Promise.all([
    Promise.all(
      plans.map(async ([name, plan]): Promise<[string, Assembled]> => {
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

const resolved = (fields: readonly [string, Assembled][], readings: Resolved["readings"]): Resolved => ({
  values: Object.fromEntries(fields.flatMap(([name, { value }]) => (value === undefined ? [] : [[name, value]]))),
  fields: Object.fromEntries(fields.map(([name, { meta }]) => [name, meta])),
  readings,
});

async function deepen(plan: FieldPlan, assembled: Assembled, asker: Asker): Promise<Assembled> {
  if (plan.kind !== "union" || !Array.isArray(assembled.value) || Object.keys(plan.nested).length === 0)
    return assembled;
  const { items, meta } = await enrich(assembled.value, plan.nested, asker);
  return { value: items, meta: { ...assembled.meta, nested: meta } };
}

/** Gives every item its nested fields. All items ask in the same turn, so that keys travel together. */
export async function enrich(
  items: readonly unknown[],
  nested: UnionPlan["nested"],
  asker: Asker,
): Promise<{ readonly items: readonly unknown[]; readonly meta: NestedMeta }> {
  const tally = new Map<string, { rule: string; states: { [state: string]: number }; conflicts: number }>();
  const richer = await Promise.all(
    items.map(async (item) => {
      if (typeof item !== "object" || item === null) return item;
      const parts = await Promise.all(
        Object.entries(nested).map(
          async ([field, scope]) => [field, await resolve(scope, item as { [field: string]: unknown }, asker)] as const,
        ),
      );
      for (const [field, { fields }] of parts)
        for (const [name, { rule, state, conflict }] of Object.entries(fields)) {
          const at = `${field}.${name}`;
          const counts = tally.get(at) ?? { rule, states: {}, conflicts: 0 };
          counts.states[state] = (counts.states[state] ?? 0) + 1;
          counts.conflicts += Number(conflict);
          tally.set(at, counts);
        }
      const found = parts.filter(([, { values }]) => Object.keys(values).length > 0);
      return { ...item, ...Object.fromEntries(found.map(([field, { values }]) => [field, values])) };
    }),
  );
  // Items come to rest in any order, and the meta must not tell.
  const sorted = [...tally].sort(([a], [b]) => byText(a, b));
  const meta = sorted.map(([at, counts]) => {
    const states = Object.entries(counts.states).sort(([a], [b]) => byText(a, b));
    return [at, { ...counts, states: Object.fromEntries(states) }] as const;
  });
  return { items: richer, meta: Object.fromEntries(meta) };
}
