import type { JsonSchema } from "../../contracts/index.ts";

/** A schema with what its references and `allOf` say. */
export function flattened(root: JsonSchema, schema: unknown, depth = 0): JsonSchema {
  if (!isSchema(schema) || depth > 16) return {};
  const { $ref, allOf, ...own } = schema;
  const parts = [
    ...(typeof $ref === "string" ? [flattened(root, resolve(root, $ref), depth + 1)] : []),
    ...listOf(allOf).map((part) => flattened(root, part, depth + 1)),
  ];
  return parts.reduce(joined, own);
}

/** What two schemas say of one value together. */
export function joined(one: JsonSchema, other: JsonSchema): JsonSchema {
  const both: Record<string, unknown> = { ...one, ...other };
  if (isSchema(one.properties) && isSchema(other.properties))
    both.properties = { ...one.properties, ...other.properties };
  if (one.required || other.required)
    both.required = [...new Set([...listOf(one.required), ...listOf(other.required)])];
  const patterns = [one.pattern, other.pattern, ...listOf(one["x-patterns"]), ...listOf(other["x-patterns"])];
  if (one.pattern && other.pattern) both["x-patterns"] = patterns.filter(Boolean);
  for (const [name, pick] of bounds)
    if (typeof one[name] === "number" && typeof other[name] === "number") both[name] = pick(one[name], other[name]);
  return both;
}
const bounds = [
  ...["minimum", "exclusiveMinimum", "minLength", "minItems"].map((name) => [name, Math.max] as const),
  ...["maximum", "exclusiveMaximum", "maxLength", "maxItems"].map((name) => [name, Math.min] as const),
];

/** The type that a schema means which names none. */
export function typeIn(schema: JsonSchema): string {
  if (schema.properties !== undefined || schema.required !== undefined) return "object";
  if (schema.items !== undefined || schema.prefixItems !== undefined) return "array";
  if (schema.pattern !== undefined || schema.format !== undefined || schema.minLength !== undefined) return "string";
  return schema.minimum !== undefined || schema.maximum !== undefined ? "number" : "anything";
}

function resolve(root: JsonSchema, ref: string): unknown {
  const segments = ref.replace(/^#/, "").split("/").filter(Boolean);
  return segments.reduce<unknown>(
    (at, segment) =>
      isSchema(at) ? at[decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~")] : undefined,
    root,
  );
}

export const isSchema = (part: unknown): part is JsonSchema =>
  typeof part === "object" && part !== null && !Array.isArray(part);
export const listOf = (part: unknown): readonly unknown[] => (Array.isArray(part) ? part : []);
export const numberOr = (part: unknown, otherwise: number): number => (typeof part === "number" ? part : otherwise);
