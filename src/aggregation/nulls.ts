import type { JsonSchema } from "../contracts/index.ts";

/** A field that must be there, but may be null, says so where no source has a value. */
export function nullsOf({ required }: JsonSchema, fields: readonly string[]): { readonly [field: string]: null } {
  const names = Array.isArray(required) ? fields.filter((name) => required.includes(name)) : [];
  return Object.fromEntries(names.map((name) => [name, null]));
}
