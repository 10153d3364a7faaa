import type { FieldMeta } from "./meta.ts";

/**
 * A rejected value is shown like an answer's: what the contract does not declare stays inside. `project` keeps what it
 * declares of an answer, or of an item.
 */
export function declaredOnly(
  fields: { readonly [field: string]: FieldMeta },
  project: (value: { readonly [field: string]: unknown }) => unknown,
): { [field: string]: FieldMeta } {
  const shown: { [field: string]: FieldMeta } = {};
  for (const field of Object.keys(fields)) {
    const meta = fields[field] as FieldMeta; // it is one of its own names
    shown[field] = meta;
    if (meta.rejected.length === 0 || !meta.rejected.some((rejected) => "value" in rejected)) continue;
    const rejected = meta.rejected.map((candidate) => {
      if (!("value" in candidate)) return candidate;
      const own = project({ [field]: candidate.value }) as { readonly [name: string]: unknown };
      return { ...candidate, value: own[field] };
    });
    shown[field] = { ...meta, rejected };
  }
  return shown;
}
