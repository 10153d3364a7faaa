import type { JsonSchema } from "../schema.ts";

/** Components as `toComponents` gives them, as TypeScript types of the same names. What JSON Schema says beyond types is left to the backend. */
export const toTypes = (components: { readonly [name: string]: JsonSchema }): string =>
  Object.entries(components)
    .map(([name, schema]) => `export type ${typeName(name)} = ${toType(schema)};\n`)
    .join("");

export const typeName = (component: string): string => component.replaceAll(/[^\w$]/g, "_");

/** The type of a schema's values. References lead to components. */
function toType(schema: unknown): string {
  if (schema === true || !isSchema(schema)) return schema === false ? "never" : "unknown";
  const parts: string[] = [];
  if (typeof schema.$ref === "string") parts.push(typeName(schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1)));
  const branches = [...listOf(schema.anyOf), ...listOf(schema.oneOf)].map(toType);
  if (branches.length > 0) parts.push(union(branches));
  parts.push(...listOf(schema.allOf).map(toType));
  const own = ownType(schema);
  if (own !== "unknown") parts.push(own);
  const known = [...new Set(parts)].filter((part) => part !== "unknown");
  return known.length === 0 ? "unknown" : known.map((part) => (known.length > 1 ? `(${part})` : part)).join(" & ");
}

function ownType(schema: JsonSchema): string {
  if ("const" in schema) return literal(schema.const);
  if (Array.isArray(schema.enum)) return union(schema.enum.map(literal));
  if (isSchema(schema.not) && Object.keys(schema.not).length === 0) return "undefined";
  const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? (schema.properties ? "object" : undefined)];
  return union(types.map((type) => typed(type, schema)));
}

function typed(type: unknown, schema: JsonSchema): string {
  switch (type) {
    case "string":
    case "boolean":
    case "null":
      return type;
    case "number":
    case "integer":
      return "number";
    case "array":
      return listType(schema);
    case "object":
      return objectType(schema);
    default:
      return "unknown";
  }
}

function listType({ prefixItems, items, minItems }: JsonSchema): string {
  const least = typeof minItems === "number" ? minItems : 0;
  const first = listOf(prefixItems).map((item, at) => (at < least ? toType(item) : `(${toType(item)})?`));
  if (first.length === 0) return `readonly (${toType(items ?? true)})[]`;
  const rest = items === undefined || items === false ? [] : [`...(${toType(items)})[]`];
  return `readonly [${[...first, ...rest].join(", ")}]`;
}

function objectType(schema: JsonSchema): string {
  const properties = Object.entries(isSchema(schema.properties) ? schema.properties : {});
  const required = listOf(schema.required);
  const fields = properties.map(
    ([name, part]) => `readonly ${JSON.stringify(name)}${required.includes(name) ? "" : "?"}: ${toType(part)};`,
  );
  const { additionalProperties } = schema;
  const isOpen = additionalProperties === true || isSchema(additionalProperties);
  const index = `{ readonly [name: string]: ${toType(additionalProperties ?? true)} }`;
  if (fields.length === 0) return isOpen || schema.properties === undefined ? index : "{}";
  if (!isOpen) return `{ ${fields.join(" ")} }`;
  // The index of an object is of its declared fields too, and an optional one may be undefined.
  const parts = [additionalProperties, ...properties.map(([, part]) => part)].map(toType);
  const some = properties.some(([name]) => !required.includes(name)) ? ["undefined"] : [];
  return `{ ${fields.join(" ")} readonly [name: string]: ${union([...parts, ...some])} }`;
}

const union = (parts: readonly string[]): string => {
  const all = [...new Set(parts)];
  return all.includes("unknown")
    ? "unknown"
    : all.length === 1
      ? (all[0] ?? "never")
      : all.map((part) => `(${part})`).join(" | ");
};
const literal = (value: unknown): string =>
  typeof value === "object" && value !== null ? "unknown" : JSON.stringify(value);
const isSchema = (part: unknown): part is JsonSchema =>
  typeof part === "object" && part !== null && !Array.isArray(part);
const listOf = (part: unknown): readonly unknown[] => (Array.isArray(part) ? part : []);
