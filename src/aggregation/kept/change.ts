/** What a source says, or takes back, without being asked. */
export interface Change {
  /** The source's parameters, in its own words: what it would be asked for. */
  readonly key: { readonly [param: string]: string | number | boolean };
  /** As the source would have answered, before its schema and its `shape`: JSON. Missing where it takes back what it said. */
  readonly value?: unknown;
  readonly item?: string;
  /** Of a whole list: which item each of its records is. */
  readonly items?: readonly string[];
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
interface PutOptions<V> extends Options {
  /** Of a whole list of which single items are put or removed later: what each record is called as an item. */
  readonly items?: (record: V extends readonly (infer R)[] ? R : never) => string;
}

/**
 * The source has this to say. An earlier revision that comes later changes nothing. A whole answer takes the place of
 * everything that was said before it, single items included.
 */
export function put<V>(key: Change["key"], value: V, options: PutOptions<V> & { readonly revision: number }): Revised;
export function put<V>(key: Change["key"], value: V, options?: PutOptions<V>): Change;
export function put<V>(key: Change["key"], value: V, { items, ...options }: PutOptions<V> = {}): Change {
  if (value === undefined) throw new TypeError("put() wants what the source says. To take it back there is remove().");
  return Object.freeze({ key, value, ...options, ...(items && { items: toNames(value, items, options.item) }) });
}

/** The source takes back what it said up to this revision: one item, or without `item` everything. */
export function remove(key: Change["key"], options: Options & { readonly revision: number }): Revised;
export function remove(key: Change["key"], options?: Options): Change;
export function remove(key: Change["key"], options: Options = {}): Change {
  return Object.freeze({ key, ...options });
}

function toNames(value: unknown, nameOf: (record: never) => string, item: string | undefined): readonly string[] {
  if (!Array.isArray(value) || item !== undefined)
    throw new TypeError("put() names the items of a whole list; what it was given is none, or one item of it.");
  const names = value.map((record) => nameOf(record as never)); // what the caller's own types say it is
  const twice = names.find((name, at) => name === "" || typeof name !== "string" || names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new TypeError("put() was given a list of which two items have one name, or one has none.");
  return Object.freeze(names);
}
