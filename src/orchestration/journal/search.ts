import type { RunRow, RunState } from "./journal.ts";

/** Which runs are meant. What is not said does not matter; all that is said must hold. */
export interface RunFilter {
  /** `trips.book`. */
  readonly operation?: string;
  /** In one version: `trips.book@1`. */
  readonly workflow?: string;
  readonly states?: readonly RunState[];
  /** How its id begins. */
  readonly prefix?: string;
  /** The key that it was begun with, in full. */
  readonly key?: string;
  /** In ms since 1970, both inclusive. */
  readonly started?: Range;
  readonly ended?: Range;
  readonly tags?: { readonly [name: string]: TagCondition };
}
export interface Range {
  readonly from?: number;
  readonly to?: number;
}
/** A value, or from and up to values, both inclusive. */
export type TagCondition<T extends string | number = string | number> = T | { readonly from?: T; readonly to?: T };

export type RunOrder = "startedAt" | "endedAt";
export interface RunQuery {
  readonly limit: number;
  /** By default `startedAt`. In the order of their ends only those stand that have ended. */
  readonly orderBy?: RunOrder;
  /** The latest first, unless told. */
  readonly ascending?: boolean;
  /** Where the page before it ended, as that page said; with the same filter and order. */
  readonly after?: string;
}
export interface RunPage {
  readonly runs: readonly RunRow[];
  /** Where the next page begins; missing on the last one. */
  readonly next?: string;
}
export interface RunCount {
  readonly operation: string;
  readonly workflow: string;
  readonly state: RunState;
  readonly count: number;
  /** There are more than were counted. */
  readonly more: boolean;
}

/** Whether a run is one of those that are meant. */
export function fits(
  row: RunRow,
  { operation, workflow, states, prefix, key, started, ended, tags = {} }: RunFilter,
): boolean {
  return (
    (operation === undefined || row.operation === operation) &&
    (workflow === undefined || row.workflow === workflow) &&
    (states === undefined || states.includes(row.state)) &&
    (prefix === undefined || row.run.startsWith(prefix)) &&
    (key === undefined || row.key === key) &&
    (started === undefined || isIn(row.startedAt, started)) &&
    (ended === undefined || (row.endedAt !== null && isIn(row.endedAt, ended))) &&
    Object.entries(tags).every(([name, condition]) => hasTag(row.tags?.[name], condition))
  );
}

const isIn = (at: number, { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }: Range): boolean =>
  at >= from && at <= to;

function hasTag(value: string | number | undefined, condition: TagCondition): boolean {
  if (value === undefined) return false;
  if (typeof condition !== "object") return value === condition;
  const { from, to } = condition;
  const kind = typeof (from ?? to ?? value);
  return typeof value === kind && (from === undefined || value >= from) && (to === undefined || value <= to);
}
