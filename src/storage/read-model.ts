import type { AnySchema, Duration, EventNames, In, Out } from "../contracts/index.ts";
import type { EventMeta, Payload } from "./entity.ts";

type Indexable = string | number | boolean;
type FieldsOf<Row, V> = { [K in keyof Row]-?: NonNullable<Row[K]> extends V ? K : never }[keyof Row] & string;

/** Rows that follow from events. */
export interface ReadModel<Row, Key, Indexes> {
  readonly kind: "read model";
  readonly name: string;
  readonly version: number;
  readonly events: { readonly [name: string]: unknown };
  readonly row: AnySchema;
  readonly key: string;
  readonly indexes: readonly (readonly string[])[];
  readonly kept: "inline" | "async";
  readonly initial: { readonly [field: string]: unknown };
  readonly on: { readonly [event: string]: RowHandler };
  readonly "~row"?: Row;
  readonly "~key"?: Key;
  readonly "~indexes"?: Indexes;
}
export type AnyReadModel = ReadModel<any, any, any>; // whatever its rows are
export type RowHandler = (event: any, rows: Rows<any, any, any>, meta: EventMeta) => void; // each event has its own types, forgotten in the map

/** What a handler may do with rows: it writes data, and reads nothing. */
export interface Rows<Written, Row, Key extends keyof Row> {
  put(row: Written): void;
  /** Changes the named fields; undefined ones are left alone. A row that is not there stays away. */
  patch(key: Row[Key], fields: Partial<Omit<Written, Key>>): void;
  /** Adds to number fields; a row that is not there yet starts from `initial`, or from zeros. Fails where these are no row. */
  increment(key: Row[Key], by: { readonly [F in FieldsOf<Row, number>]?: number }): void;
  remove(key: Row[Key]): void;
}

/** Declares a read model: what a row is, and what each event does to the rows. */
export function readModel<
  E extends { readonly [name: string]: unknown },
  S extends AnySchema,
  const Key extends { [K in keyof Out<S>]-?: NonNullable<Out<S>[K]> extends Indexable ? K : never }[keyof Out<S>],
  const Indexes extends readonly (Column | readonly Column[])[] = [],
  Column = { [K in keyof Out<S>]-?: NonNullable<Out<S>[K]> extends Indexable ? K : never }[keyof Out<S>],
>(
  name: string,
  parts: {
    /** A new version is rebuilt beside the old one, then swapped in. */
    readonly version: number;
    readonly events: E;
    readonly row: S;
    readonly key: Key;
    readonly indexes?: Indexes;
    /** `inline`, in the commit of the event itself (unless told otherwise), or `async`, soon after. */
    readonly kept?: "inline" | "async";
    /** What a row starts from that is incremented before it was put. */
    readonly initial?: NoInfer<Partial<Omit<In<S>, Key>>>;
    readonly on: NoInfer<{
      readonly [K in EventNames<E>]?: (
        event: Payload<E[K]>,
        rows: Rows<In<S>, Out<S>, Key & keyof Out<S>>,
        meta: EventMeta,
      ) => void;
    }>;
  },
): ReadModel<Out<S>, Key, Indexes[number]> {
  const { version, kept = "inline", initial = {}, indexes = [] } = parts;
  if (!Number.isSafeInteger(version) || version < 1)
    throw new TypeError(`The read model "${name}" has the version ${version}; versions are 1, 2, 3 and so on.`);
  return Object.freeze({
    kind: "read model",
    name,
    version,
    events: parts.events,
    row: parts.row,
    key: String(parts.key),
    indexes: indexes.map((index) => (Array.isArray(index) ? index : [index]).map(String)),
    kept,
    initial: initial as { readonly [field: string]: unknown },
    on: Object.freeze({ ...parts.on }) as { readonly [event: string]: RowHandler },
  });
}

type Leading<I> = I extends readonly [infer First, ...unknown[]] ? First : I;
type Named<I> = I extends string ? I : I extends readonly (infer One)[] ? One : never;
type Range<V> = { readonly from?: V; readonly to?: V; readonly in?: readonly V[] };

export interface CaughtUpOptions {
  readonly position?: number;
  /** 5 seconds unless told. */
  readonly within?: Duration;
}
export type AnyRowReader = RowReader<any, any, any>; // whatever its rows are
/** Reads rows by key, or by what is indexed. Text is compared by its UTF-8 bytes. */
export interface RowReader<Row, Key extends keyof Row, Indexes> {
  /**
   * Resolves once the rows say what is in the log up to a position: the last that this process had acknowledged, unless
   * told. Fails as `Unavailable` where that takes too long, or the read model has stopped.
   */
  caughtUp(options?: CaughtUpOptions): Promise<void>;
  get(key: Row[Key]): Promise<Row | undefined>;
  /** Only what is indexed can be asked for. Up to `limit` rows (100 unless told, 1,000 at most), by key unless ordered. */
  find(where: Where<Row, Indexes>, options?: FindOptions<Indexes>): Promise<Row[]>;
  /**
   * The same a page at a time: `after` is the `next` of the page before, and no `next` says that there is no more. It is
   * text that may go to callers and come back; what is no place in this order fails as `InvalidInput`. It holds the values
   * of the last row, so rows that change or go in between neither end the reading nor repeat what was read.
   */
  page(
    where: Where<Row, Indexes>,
    options?: FindOptions<Indexes> & { readonly after?: string | undefined },
  ): Promise<RowPage<Row>>;
}
type Where<Row, Indexes> = { readonly [K in Extract<Named<Indexes>, keyof Row>]?: Row[K] | Range<Row[K]> };
interface FindOptions<Indexes> {
  readonly orderBy?: `${"" | "-"}${Leading<Indexes> & string}`;
  readonly limit?: number;
}
export interface RowPage<Row> {
  readonly rows: Row[];
  readonly next?: string;
}
