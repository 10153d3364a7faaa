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
  readonly rejected: readonly {
    readonly source: string;
    readonly value?: unknown;
    readonly why: string;
    /** What it said could not be normalised. */
    readonly unusable?: true;
  }[];
  /** Of a list whose items have fields from other sources: of how many items each field is in which state. */
  readonly nested?: NestedMeta;
}
export interface NestedMeta {
  readonly [field: string]: {
    readonly rule: string;
    readonly states: { readonly [S in FieldMeta["state"]]?: number };
    readonly conflicts: number;
  };
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
  /** How many questions it was asked for this answer, where there was more than one; the rest speaks of the worst of them. */
  readonly questions?: number;
  /** A sentence, without addresses and credentials. */
  readonly problem?: string;
}

/** What a view says beside its answer. Of an answer about many things, `items` has the fields, in the order of the answer. */
export interface ViewMeta {
  readonly fields: { readonly [field: string]: FieldMeta };
  readonly sources: { readonly [source: string]: SourceMeta };
  readonly items?: readonly ItemMeta[];
  readonly list?: ListMeta;
  /** Wherever in the answer they are, within its items as well. Missing where there are none. */
  readonly degraded?: readonly DegradedField[];
}
/** A field of the answer that has no value because its sources could not say. One that has none because there is none is not. */
export interface DegradedField {
  /** Where it would stand in the answer: a JSON pointer (RFC 6901), like `/items/0/tide/high`. */
  readonly path: string;
  readonly state: Exclude<SourceState, "fresh" | "stale" | "missing">;
  /** Those that could not say. */
  readonly sources: readonly {
    readonly source: string;
    readonly state: DegradedField["state"];
    /** A sentence, without addresses and credentials. */
    readonly problem?: string;
  }[];
}
export interface ItemMeta {
  readonly fields: { readonly [field: string]: FieldMeta };
  /** Of many keys: which one. */
  readonly key?: unknown;
}
/** How a list came about, over all of its pages. */
export interface ListMeta {
  /** How many there are after matching and filtering, on all pages together. */
  readonly found: number;
  /** Records of one source that are another of its own, by their key. */
  readonly duplicates: number;
  /** Records without a key, and items of this page that broke the contract. */
  readonly leftOut: number;
  /** Sources of which not everything is there. */
  readonly missing: readonly string[];
  /** Pairs that may be the same and that a person should look at, the likeliest first; at most 20 of `doubts`. */
  readonly review?: readonly {
    readonly sources: readonly [string, string];
    readonly score: number;
    readonly why: string;
    readonly left: unknown;
    readonly right: unknown;
  }[];
  /** How many such pairs there are. */
  readonly doubts?: number;
  /** Blocks of records that were too many to be compared. */
  readonly crowded?: number;
}
