import type { FieldPlan } from "./rules.ts";
import type { SourcePlan } from "./source.ts";

/** Fields that are answered together, and whom that takes to ask. */
export interface FieldScope {
  readonly fields: { readonly [field: string]: FieldPlan };
  /** Every source that is asked for them, each after those that it needs. Names are unique here. */
  readonly sources: readonly SourcePlan[];
  /** By source: those that can only be asked once it has answered, in lists within lists as well. */
  readonly waiting: ReadonlyMap<SourcePlan, readonly SourcePlan[]>;
  /** Whether a list among the fields has items that are asked for more. */
  readonly deep: boolean;
}

/** Collects the sources of fields. `where` names the place in a sentence for whoever gave two sources one name. */
export function toScope(
  fields: { readonly [field: string]: FieldPlan },
  required: readonly SourcePlan[],
  where = "A nested field",
): FieldScope {
  const sources = new Set<SourcePlan>();
  const add = (source: SourcePlan): void => {
    if (source.after) add(source.after.source);
    sources.add(source);
  };
  for (const source of [...required, ...Object.values(fields).flatMap(({ sources }) => sources)]) add(source);
  const names = new Set<string>();
  for (const { name } of sources) {
    if (names.has(name)) throw new TypeError(`${where} has two sources called "${name}"; give one another name.`);
    names.add(name);
  }
  return Object.freeze({
    fields: Object.freeze(fields),
    sources: Object.freeze([...sources]),
    waiting: waitingFor([...sources], fields),
    deep: Object.values(fields).some((plan) => plan.kind === "union" && Object.keys(plan.nested).length > 0),
  });
}

/** All sources of a scope and of what is nested in it. */
export function everySource({ fields, sources }: FieldScope): readonly SourcePlan[] {
  const inside = Object.values(fields).flatMap((plan) =>
    plan.kind === "union" ? Object.values(plan.nested).flatMap(everySource) : [],
  );
  return [...new Set([...sources, ...inside])];
}

function waitingFor(sources: readonly SourcePlan[], fields: FieldScope["fields"]): FieldScope["waiting"] {
  const waiting = new Map<SourcePlan, SourcePlan[]>();
  const wait = (first: SourcePlan, then: readonly SourcePlan[]): void => {
    waiting.set(first, [...(waiting.get(first) ?? []), ...then]);
  };
  for (const source of sources) if (source.after) wait(source.after.source, [source]);
  for (const plan of Object.values(fields)) {
    if (plan.kind !== "union") continue;
    for (const scope of Object.values(plan.nested)) {
      for (const source of plan.sources) wait(source, scope.sources);
      for (const [first, then] of scope.waiting) wait(first, then);
    }
  }
  return waiting;
}
