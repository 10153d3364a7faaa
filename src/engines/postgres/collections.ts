import { createHash } from "node:crypto";
import type { Collection } from "../../storage/host.ts";
import { toText } from "./text.ts";

/** A collection, as it is kept: columns by number, for names may be longer than PostgreSQL's, and anything. */
export interface KnownCollection {
  readonly collection: Collection;
  readonly id: number;
  readonly table: string;
}
type ColumnType = Collection["columns"][number]["type"];

/** The column in which a field is found, by its place among the names in their order. */
export function columnOf(collection: Collection, name: string): { readonly sql: string; readonly type: ColumnType } {
  const place = sorted(collection).findIndex((column) => column.name === name);
  const found = sorted(collection)[place];
  if (found) return { sql: `c${place + 1}`, type: found.type };
  const names = collection.columns.map((column) => `"${column.name}"`).join(", ") || "none";
  throw new TypeError(`The collection "${collection.name}" has no column "${name}" to look by. It has ${names}.`);
}

/** What must stay as it is: its columns. Written as text, so that it can be compared. */
export const shapeOf = (collection: Collection): string =>
  JSON.stringify(sorted(collection).map(({ name, type }) => [name, type]));

/** The arguments of `define`. Null is less than everything, and each index ends in the key so that pages follow on. */
export function toDefinition(collection: Collection): readonly unknown[] {
  const columns = sorted(collection);
  const indexes = collection.indexes.map((index) => {
    const { columns: names, where } = "columns" in index ? index : { columns: index, where: undefined };
    const on = names.map((name) => `${columnOf(collection, name).sql} nulls first`);
    const only = where ? ` where ${columnOf(collection, where.column).sql} is ${where.is}` : "";
    const sql = `(${[...on, "key"].join(", ")})${only}`;
    return { name: createHash("sha256").update(sql).digest("hex").slice(0, 12), sql };
  });
  return [
    toText(collection.name),
    shapeOf(collection),
    columns.map(({ name }) => toText(name)),
    columns.map(({ type }) => type),
    indexes.map(({ name }) => name),
    indexes.map(({ sql }) => sql),
  ];
}

/** A collection in which somebody may look: what it does not declare cannot be asked for. */
export function checkCollection(collection: Collection): void {
  const names = new Set(collection.columns.map(({ name }) => name));
  if (names.size < collection.columns.length)
    throw new TypeError(`The collection "${collection.name}" declares a column twice.`);
  for (const index of collection.indexes) {
    const wanted = "columns" in index ? [...index.columns, index.where.column] : index;
    const unknown = wanted.find((name) => !names.has(name));
    if (unknown !== undefined)
      throw new TypeError(
        `The collection "${collection.name}" has an index on "${unknown}", which is not a column of it.`,
      );
  }
}

const sorted = ({ columns }: Collection): Collection["columns"] =>
  columns.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
