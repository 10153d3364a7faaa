import type { FieldMeta } from "./meta.ts";

/**
 * A rejected value is shown like an answer's: what the contract does not declare stays inside. `project` keeps what it
 * declares of an answer, or of an item.
 */
export function declaredOnly(
  fields: { readonly [field: string]: FieldMeta },
  project: (value: { readonly [field: string]: unknown }) => unknown,
): { [field: string]: FieldMeta } {
  return Object.fromEntries(
    Object.entries(fields).map(([field, meta]) => {
      if (!meta.rejected.some((rejected) => "value" in rejected)) return [field, meta];
      const rejected = meta.rejected.map((candidate) => {
        if (!("value" in candidate)) return candidate;
        const shown = project({ [field]: candidate.value }) as { readonly [name: string]: unknown };
        return { ...candidate, value: shown[field] };
      });
      return [field, { ...meta, rejected }];
    }),
  );
}
