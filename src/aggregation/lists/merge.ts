import { createHash } from "node:crypto";
import { assemble } from "../assemble.ts";
import { toInstant } from "../instant.ts";
import { type Clusters, cluster, type Doubt, type Sighting } from "../match/cluster.ts";
import type { MatchingPlan } from "../match/matching.ts";
import { keysOf } from "../match/score.ts";
import type { FieldMeta } from "../meta.ts";
import { Unusable } from "../normalise/unusable.ts";
import { byText, fieldOf } from "../order.ts";
import type { Reading } from "../reading/reading.ts";
import { toSaid } from "../said.ts";
import type { FieldScope } from "../scope.ts";
import type { ListPlan } from "./list.ts";

/** One thing, fused from what several sources have of it. */
export interface Merged {
  readonly value: { readonly [field: string]: unknown };
  /** No other item has it, and the same thing has it again tomorrow, whatever else its sources say of it then. */
  readonly tie: string;
  /** What each source has of it, for the provenance of a page. */
  readonly readings: ReadonlyMap<string, Reading>;
}
export interface MergedList {
  readonly items: readonly Merged[];
  readonly duplicates: number;
  /** Records without a key. */
  readonly keyless: number;
  readonly review: readonly Doubt[];
  readonly crowded: number;
}

/** Finds the records of the same thing and fuses them: a function of the set of records. */
export function merge(
  { fields }: Pick<FieldScope, "fields">,
  plan: Pick<ListPlan, "same" | "asOf">,
  readings: ReadonlyMap<string, Reading>,
): MergedList {
  const lists = [...readings.values()].filter(({ value }) => Array.isArray(value));
  const sightings = lists.flatMap(({ source, value }) =>
    (value as readonly unknown[]).map((record): Sighting => ({ source, record })),
  );
  const {
    groups,
    keyless,
    review = [],
    crowded = [],
  } = "by" in plan.same ? byKey(plan.same.by, sightings) : byLikeness(plan.same.matching, sightings);
  let duplicates = 0;
  const fused = groups.map(({ key, members }) => {
    const bySource = Map.groupBy(members, ({ source }) => source);
    duplicates += members.length - bySource.size;
    const own = new Map(
      [...readings].map(([source, reading]) => [source, readingOf(reading, bySource.get(source) ?? [], plan.asOf)]),
    );
    const values = Object.entries(fields).map(([name, field]) => [name, assemble(name, field, own).value] as const);
    const value = Object.fromEntries(values.filter(([, part]) => part !== undefined));
    return { value, tie: key, readings: own };
  });
  return { items: apart(fused), duplicates, keyless, review, crowded: crowded.length };
}

/** The provenance of one item, field by field. */
export const metaOf = ({ fields }: Pick<FieldScope, "fields">, { readings }: Merged): { [field: string]: FieldMeta } =>
  Object.fromEntries(Object.entries(fields).map(([name, plan]) => [name, assemble(name, plan, readings).meta]));

interface Grouped extends Partial<Omit<Clusters, "groups">> {
  readonly groups: readonly { readonly key: string; readonly members: readonly Sighting[] }[];
  readonly keyless: number;
}

function byKey(fields: readonly string[], sightings: readonly Sighting[]): Grouped {
  const groups = new Map<string, Sighting[]>();
  let keyless = 0;
  for (const sighting of sightings) {
    const parts = fields.map((field) => fieldOf(sighting.record, field));
    if (parts.some((part) => part === undefined || part === null || part === "" || part instanceof Unusable)) {
      keyless += 1;
      continue;
    }
    const key = toSaid(parts);
    const known = groups.get(key);
    if (known) known.push(sighting);
    else groups.set(key, [sighting]);
  }
  return { groups: [...groups].map(([key, members]) => ({ key, members })), keyless };
}

function byLikeness(matching: MatchingPlan, sightings: readonly Sighting[]): Grouped {
  const { groups, ...more } = cluster(matching, sightings);
  return {
    groups: groups.map((members) => ({ key: digest(nameOf(matching, members)), members })),
    keyless: 0,
    ...more,
  };
}

/**
 * What a group is known by. What is fused of it changes with every source that comes and goes, and would carry it over
 * the edge of a page; a key that its records share does not. Where none has one: its first record.
 */
function nameOf({ keys }: MatchingPlan, members: readonly Sighting[]): unknown {
  for (const [at, of] of keys.entries()) {
    const [first] = members.flatMap(({ record }) => keysOf(of, record)).sort(byText);
    if (first !== undefined) return [at, first];
  }
  return toSaid(members[0]?.record); // they are sorted
}

/** What one source has of one thing: of several records the newest and then the first by its text, for order says nothing. */
function readingOf(list: Reading, members: readonly Sighting[], asOf: string | undefined): Reading {
  const { source, meta } = list;
  const instantOf = ({ record }: Sighting): number | undefined =>
    asOf === undefined ? undefined : toInstant(fieldOf(record, asOf));
  const [newest] =
    members.length < 2
      ? members
      : members
          .map((member) => ({ member, at: instantOf(member) ?? -8.64e15, text: toSaid(member.record) }))
          .sort((a, b) => b.at - a.at || byText(a.text, b.text))
          .map(({ member }) => member);
  if (!newest) {
    const has = meta.state === "fresh" || meta.state === "stale";
    return { source, meta: has ? { state: "missing", ms: 0, attempts: 0 } : meta };
  }
  const instant = instantOf(newest);
  return { source, meta, value: newest.record, ...(instant !== undefined && { asOf: instant }) };
}

/** It travels in addresses, so it is short and shows nothing of the item. */
const digest = (value: unknown): string => createHash("sha256").update(toSaid(value)).digest("base64url").slice(0, 22);

/** Items that likeness alone cannot tell apart are numbered. */
function apart(items: readonly Merged[]): readonly Merged[] {
  const seen = new Map<string, number>();
  return items.map((item) => {
    const count = seen.get(item.tie) ?? 0;
    seen.set(item.tie, count + 1);
    return count === 0 ? item : { ...item, tie: `${item.tie} ${count}` };
  });
}
