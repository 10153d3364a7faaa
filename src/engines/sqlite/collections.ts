import type { Collection } from "../../storage/host.ts";

export const tableOf = (collection: string): string => quoted(`document ${collection}`);
export const columnOf = (name: string): string => quoted(`field ${name}`);
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The statements that make a collection's table and its indexes, each ending in the key so that pages can follow on. */
export function createCollection({ name, columns, indexes }: Collection): readonly string[] {
  const fields = columns.map((column) => `, ${columnOf(column.name)} ${column.type === "text" ? "text" : "any"}`);
  return [
    `create table if not exists ${tableOf(name)} (
       key text not null unique, revision integer not null, data text not null${fields.join("")}
     ) strict`,
    ...indexes.map(
      (index) =>
        `create index if not exists ${quoted(`index ${name} ${index.join(" ")}`)}
         on ${tableOf(name)} (${[...index.map(columnOf), "key"].join(", ")})`,
    ),
  ];
}

/** A collection in which somebody may look: what it does not declare cannot be asked for. */
export function checkCollection(collection: Collection): void {
  const names = new Set(collection.columns.map(({ name }) => name));
  if (names.size < collection.columns.length)
    throw new TypeError(`The collection "${collection.name}" declares a column twice.`);
  const unknown = collection.indexes.flat().find((column) => !names.has(column));
  if (unknown !== undefined)
    throw new TypeError(
      `The collection "${collection.name}" has an index on "${unknown}", which is not a column of it.`,
    );
}

/** What must stay as it is: its columns. Written as text, so that it can be compared. */
export const shapeOf = (collection: Collection): string =>
  JSON.stringify(collection.columns.map(({ name, type }) => [name, type]).sort());
