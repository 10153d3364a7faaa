import type { JsonSchema } from "../contracts/index.ts";

/**
 * The top-level fields of an object's schema, each with every schema that it may have: a union declares a field once a
 * branch. References inside are followed.
 */
export function fieldsOf(schema: JsonSchema): ReadonlyMap<string, readonly JsonSchema[]> {
  const fields = new Map<string, JsonSchema[]>();
  for (const part of branchesOf(schema, schema)) {
    for (const [name, field] of Object.entries((part.properties ?? {}) as Record<string, JsonSchema>)) {
      fields.set(name, [...(fields.get(name) ?? []), ...branchesOf(schema, field)]);
    }
  }
  return fields;
}

/** The fields that an object cannot be without. Of a union nothing is said. */
export const requiredOf = (schema: JsonSchema): readonly string[] =>
  Array.isArray(schema.required) ? (schema.required as readonly string[]) : [];

/** A schema and everything that it is put together from, references resolved. */
function branchesOf(root: JsonSchema, schema: unknown, depth = 0): readonly JsonSchema[] {
  if (typeof schema !== "object" || schema === null || depth > 8) return [];
  const own = schema as JsonSchema;
  if (typeof own.$ref === "string") return branchesOf(root, resolve(root, own.$ref), depth + 1);
  const parts = [own.anyOf, own.oneOf, own.allOf].flatMap((list) => (Array.isArray(list) ? list : []));
  return [own, ...parts.flatMap((part) => branchesOf(root, part, depth + 1))];
}

function resolve(root: JsonSchema, ref: string): unknown {
  return ref
    .slice(1)
    .split("/")
    .filter(Boolean)
    .reduce<unknown>(
      (at, segment) =>
        (at as Record<string, unknown> | undefined)?.[segment.replaceAll("~1", "/").replaceAll("~0", "~")],
      root,
    );
}
