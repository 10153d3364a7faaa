/** What a source says, or takes back, without being asked. */
export interface Change {
  /** The source's parameters, in its own words: what it would be asked for. */
  readonly key: { readonly [param: string]: string | number | boolean };
  /** As the source would have answered, before its schema and its `shape`: JSON. Missing where it takes back what it said. */
  readonly value?: unknown;
  readonly item?: string;
  readonly revision?: number;
}
/** A change that says which one it is. */
export type Revised = Change & { readonly revision: number };

interface Options {
  /** Of a list that comes record by record: which record this is. Without it, the value is the whole answer. */
  readonly item?: string;
  /** Counts up: of two changes the one with the larger number is the newer one, whichever came first. */
  readonly revision?: number;
}

/** The source has this to say. An earlier revision that comes later changes nothing. */
export function put(key: Change["key"], value: unknown, options: Options & { readonly revision: number }): Revised;
export function put(key: Change["key"], value: unknown, options?: Options): Change;
export function put(key: Change["key"], value: unknown, options: Options = {}): Change {
  if (value === undefined) throw new TypeError("put() wants what the source says. To take it back there is remove().");
  return Object.freeze({ key, value, ...options });
}

/** The source takes back what it said up to this revision. */
export function remove(key: Change["key"], options: Options & { readonly revision: number }): Revised;
export function remove(key: Change["key"], options?: Options): Change;
export function remove(key: Change["key"], options: Options = {}): Change {
  return Object.freeze({ key, ...options });
}
