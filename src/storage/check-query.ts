import type { Collection, Column, Condition, DocumentQuery } from "./engine.ts";

type Type = Collection["columns"][number]["type"];

/** Refuses, with a TypeError, what a collection cannot be asked: the same on every engine. */
export function checkQuery(collection: Collection, { where = {}, orderBy, after }: Partial<DocumentQuery>): void {
  for (const [name, condition] of Object.entries(where)) {
    const type = typeOf(collection, name);
    for (const value of valuesOf(condition, name, collection)) checkValue(value, { name, type }, collection);
  }
  const order = orderBy && { name: orderBy.column, type: typeOf(collection, orderBy.column) };
  if (after === undefined) return;
  // A key alone was the place in earlier versions: what it stood for went with its document.
  if (typeof after !== "object" || after === null || typeof after.key !== "string")
    throw new TypeError(
      `The place after which "${collection.name}" is to be read on is a document's key with the value that it is ordered by. Begin from the first page.`,
    );
  if (!order) return;
  if (orderBy?.ties === "any")
    throw new TypeError(
      `A page of "${collection.name}" in which documents of the same "${order.name}" come in any order has no place to go on from. Ask for the order of their keys.`,
    );
  if (after.value === undefined)
    throw new TypeError(
      `"${collection.name}" is to be read on after the key "${after.key}" in the order of "${order.name}", and the value there is missing. Give what the document had when it was read, null included.`,
    );
  checkValue(after.value, order, collection);
}

function typeOf({ name: collection, columns }: Collection, name: string): Type {
  const known = columns.find((column) => column.name === name);
  if (known) return known.type;
  const names = columns.map((column) => `"${column.name}"`).join(", ") || "none";
  throw new TypeError(`The collection "${collection}" has no column "${name}" to look by. It has ${names}.`);
}

function valuesOf(condition: Condition, name: string, { name: collection }: Collection): readonly Column[] {
  if ("equals" in condition) return [condition.equals];
  if ("not" in condition) return [condition.not];
  const { in: list, from, to } = condition as { in?: readonly Column[]; from?: Column; to?: Column };
  const values = [...(list ?? []), ...[from, to].filter((bound) => bound !== undefined)];
  if (!values.includes(null)) return values;
  throw new TypeError(
    `Null is in no range and in no list, so "${collection}" cannot be asked for it by "${name}" like this. Ask for { equals: null }.`,
  );
}

function checkValue(value: Column, { name, type }: { name: string; type: Type }, collection: Collection): void {
  if (value === null || (typeof value === (type === "text" ? "string" : "number") && !Number.isNaN(value))) return;
  throw new TypeError(
    `The column "${name}" of "${collection.name}" holds ${type === "text" ? "text" : "numbers"}, so it cannot be asked for ${typeof value === "string" ? "a text" : String(value)}.`,
  );
}
