import { Fault } from "../contracts/index.ts";
import type { After, Column } from "./engine.ts";

/** A place between two pages as text that callers hand back: the order, the value that the row had in it, and its key. */
export function toCursor(orderBy: string, { key, value = null }: After): string {
  return Buffer.from(JSON.stringify([orderBy, value, key])).toString("base64url");
}

/** Throws `InvalidInput` for what is no place in this order: a caller may send anything. */
export function fromCursor(text: unknown, orderBy: string, model: string): After {
  const said = read(text);
  if (!said)
    throw new Fault(
      "InvalidInput",
      `This is no place to go on from in "${model}". Give the "next" of the page before, or begin from the first page.`,
    );
  const [order, value, key] = said;
  if (order === orderBy) return { key, value };
  const asked = orderBy === "" ? "none" : `"${orderBy}"`;
  throw new Fault(
    "InvalidInput",
    `This place to go on from in "${model}" belongs to another order; the one asked for is ${asked}. Begin from the first page.`,
  );
}

function read(text: unknown): readonly [order: string, value: Column, key: string] | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const said = JSON.parse(Buffer.from(text, "base64url").toString()) as unknown;
    if (!Array.isArray(said) || said.length !== 3) return undefined;
    const [order, value, key] = said as readonly unknown[];
    if (typeof order !== "string" || typeof key !== "string") return undefined;
    if (value !== null && typeof value !== "string" && typeof value !== "number") return undefined;
    return [order, value, key];
  } catch {
    return undefined;
  }
}
