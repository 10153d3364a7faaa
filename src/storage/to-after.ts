import type { After, Column, Document, DocumentQuery } from "./engine.ts";

/** Where a page ends: at its last document, as it was read, in the order that was asked for. */
export function toAfter({ key, data }: Document, orderBy: DocumentQuery["orderBy"]): After {
  if (!orderBy) return { key };
  const value = (data as { readonly [field: string]: Column | boolean | undefined })[orderBy.column] ?? null; // an engine keeps nothing else in a column
  return { key, value: typeof value === "boolean" ? Number(value) : value };
}
