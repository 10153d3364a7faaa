import type { Collection } from "../../storage/host.ts";

export const tableOf = (collection: string): string => quoted(`document ${collection}`);
export const columnOf = (name: string): string => quoted(`field ${name}`);
const quoted = (name: string): string => asIs(spelled(name));
const asIs = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** SQLite tells no capitals apart in its names, so that "Book" and "book" would be one table: a capital is marked. */
export const spelled = (name: string): string => name.replaceAll(/[A-Z^]/g, (letter) => `^${letter.toLowerCase()}`);

/** The statements that make a collection's table and its indexes, each ending in the key so that pages can follow on. */
export function createCollection({ name, columns, indexes }: Collection): readonly string[] {
  const fields = columns.map((column) => `, ${columnOf(column.name)} ${column.type === "text" ? "text" : "any"}`);
  return [
    `create table if not exists ${tableOf(name)} (
       key text not null unique, revision integer not null, data text not null${fields.join("")}
     ) strict`,
    ...indexes.map(toParts).map(
      ({ columns, where }) =>
        `create index if not exists ${quoted(indexName(name, { columns, where }))}
         on ${tableOf(name)} (${[...columns.map(columnOf), "key"].join(", ")})
         ${where ? `where ${columnOf(where.column)} is ${where.is}` : ""}`,
    ),
  ];
}

/** The statement that takes an index away again, by the name that SQLite has for it. */
export const dropIndex = (index: string): string => `drop index ${asIs(index)}`;

/** The names, as SQLite has them, of the indexes that a collection declares: others on its table are left over from an earlier declaration. */
export const indexNames = ({ name, indexes }: Collection): readonly string[] =>
  indexes.map((index) => spelled(indexName(name, toParts(index))));

interface Parts {
  readonly columns: readonly string[];
  readonly where?: { readonly column: string; readonly is: "null" | "not null" } | undefined;
}
const toParts = (index: Collection["indexes"][number]): Parts => ("columns" in index ? index : { columns: index });
const indexName = (collection: string, { columns, where }: Parts): string =>
  [`index ${collection}`, ...columns, ...(where ? [`where ${where.column} ${where.is}`] : [])].join(" ");

/** A collection in which somebody may look: what it does not declare cannot be asked for. */
export function checkCollection(collection: Collection): void {
  const names = new Set(collection.columns.map(({ name }) => name));
  if (names.size < collection.columns.length)
    throw new TypeError(`The collection "${collection.name}" declares a column twice.`);
  const unknown = collection.indexes
    .map(toParts)
    .flatMap(({ columns, where }) => (where ? [...columns, where.column] : columns))
    .find((column) => !names.has(column));
  if (unknown !== undefined)
    throw new TypeError(
      `The collection "${collection.name}" has an index on "${unknown}", which is not a column of it.`,
    );
}

/** What must stay as it is: its columns. Written as text, so that it can be compared. */
export const shapeOf = (collection: Collection): string =>
  JSON.stringify(collection.columns.map(({ name, type }) => [name, type]).sort());
