import { toSaid } from "./said.ts";
import type { Order } from "./union.ts";

/** By these fields, one after the other. Total over plain data, up to values that are equal. */
export function byFields(orders: readonly Order[], left: unknown, right: unknown): number {
  for (const { field, descending } of orders) {
    const difference = compare(fieldOf(left, field), fieldOf(right, field), descending);
    if (difference !== 0) return difference;
  }
  return 0;
}

// What is absent comes last both ways round: nobody who asks for the newest wants to begin with those without a date.
export function compare(left: unknown, right: unknown, descending = false): number {
  const [a, b] = [toPlain(left), toPlain(right)];
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  const upwards = ascending(a, b);
  return descending ? -upwards : upwards;
}

export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What can be compared, and written into a cursor; `undefined` for what is absent or no number after all. */
export function toPlain(value: unknown): unknown {
  const said = value instanceof Date ? value.getTime() : value;
  return said === null || Number.isNaN(said) ? undefined : said;
}

/** An own field of an object; of anything else, nothing. */
export const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, field)
    ? (value as { readonly [name: string]: unknown })[field]
    : undefined;

function ascending(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === "string" && typeof b === "string") return byText(a, b);
  return byText(`${typeof a}${toSaid(a)}`, `${typeof b}${toSaid(b)}`);
}
