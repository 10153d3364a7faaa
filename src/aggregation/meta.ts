/**
 * How a source stands in one answer:
 * - `fresh`: it answered, or its answer is younger than `cacheFor`
 * - `stale`: an older answer of its own stands in
 * - `missing`: it says that there is nothing (404, 410, no content, key not in the batch)
 * - `invalid`: its answer breaks its contract; neither repeated nor cached
 * - `down`: it cannot be reached, or says that it cannot answer
 * - `slow`: no answer within its timeout or the budget
 * - `shed`: not asked, because too many questions wait for it already or because they would outlive the deadline
 */
export type SourceState = "fresh" | "stale" | "missing" | "invalid" | "down" | "slow" | "shed";

/** How the reason begins where a candidate was rejected because it could not be normalised. */
export const unusable = "is unusable: ";

/** Where a field's value comes from. Without a value, the state says why. */
export interface FieldMeta {
  readonly state: SourceState | "default";
  /** As declared: `latest(ourairports, openflights)`. */
  readonly rule: string;
  /** The source that was chosen. */
  readonly source?: string;
  /** For a union: the sources whose items were merged. */
  readonly sources?: readonly string[];
  /** How long ago the value was fetched. Of a union, the oldest part. */
  readonly ageMs?: number;
  /** Of a list: `false` where one of its sources has more than was read. */
  readonly complete?: false;
  /** The instant of which the value speaks, ISO 8601. */
  readonly asOf?: string;
  /** Whether a rejected candidate says something else. */
  readonly conflict: boolean;
  /** In the order of declaration: candidates that were not chosen, and sources that had none. */
  readonly rejected: readonly { readonly source: string; readonly value?: unknown; readonly why: string }[];
}

/** How one source did. */
export interface SourceMeta {
  readonly state: SourceState;
  readonly ms: number;
  /** How often it was asked for this answer; 0 where a cache or another caller's question answered. */
  readonly attempts: number;
  readonly ageMs?: number;
  readonly cached?: true;
  /** How many other records of a batch had the same key. */
  readonly duplicates?: number;
  /** How many keys travelled in the request that brought this answer, where there was more than one. */
  readonly batched?: number;
  /** Of a list in pages: how many were read. */
  readonly pages?: number;
  /** Of a list in pages: `false` where there is more than was read; `problem` says why. */
  readonly complete?: false;
  /** A sentence, without addresses and credentials. */
  readonly problem?: string;
}

/** What a view says beside its answer. */
export interface ViewMeta {
  readonly fields: { readonly [field: string]: FieldMeta };
  readonly sources: { readonly [source: string]: SourceMeta };
}
