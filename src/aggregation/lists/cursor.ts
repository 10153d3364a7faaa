import { createHash } from "node:crypto";
import { Fault } from "../../contracts/index.ts";
import { byText, compare, fieldOf, toPlain } from "../order.ts";
import { toSaid } from "../said.ts";
import type { Order } from "../union.ts";

/** Where an item stands in a list: its values in the order, and a text that no other item has. */
export interface Place {
  readonly values: readonly unknown[];
  readonly tie: string;
}

export const placeOf = (orders: readonly Order[], value: unknown, tie: string): Place => ({
  values: orders.map(({ field }) => toPlain(fieldOf(value, field))),
  tie,
});

/** A total order: two places are equal only where they are one. */
export function byPlace(orders: readonly Order[], a: Place, b: Place): number {
  for (const [at, { descending }] of orders.entries()) {
    const difference = compare(a.values[at], b.values[at], descending);
    if (difference !== 0) return difference;
  }
  return byText(a.tie, b.tie);
}

/**
 * The place of a page's last item as opaque text. The next page begins behind it, whether or not the item is still
 * there: what is in the list all along is on one page and on no other, whatever comes and goes meanwhile.
 */
export function toCursor({ values, tie }: Place, question: unknown): string {
  const plain = [version, digest(question), values.map((value) => value ?? null), tie];
  return Buffer.from(JSON.stringify(plain)).toString("base64url");
}

/** Reads what `toCursor` wrote. Throws `Fault` InvalidInput for anything else, and for the cursor of another question. */
export function fromCursor(cursor: string, orders: readonly Order[], question: unknown): Place {
  const [format, asked, values, tie] = parse(cursor);
  if (format !== version || !Array.isArray(values) || typeof tie !== "string")
    throw refused("This is no cursor of this list. Hand in what `next` gave, as it was.");
  if (asked !== digest(question) || values.length !== orders.length)
    throw refused("This cursor belongs to another filter or order. Begin again without it.");
  return { values, tie };
}

const version = 1;
const refused = (message: string): Fault =>
  new Fault("InvalidInput", message, { issues: [{ path: "/after", message }], outcome: "not done" });

function parse(cursor: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}

/** Guards against mistakes, not against anybody's will: whoever forges a cursor sees another page of what they may see. */
const digest = (value: unknown): string => createHash("sha256").update(toSaid(value)).digest("base64url").slice(0, 11);
