import type { JsonSchema } from "../contracts/index.ts";

/**
 * Text from a path or a query string as its field's schemas mean it. A field that may be text stays text: "007" is not 7.
 * What does not read as its type stays text too, for validation to name it.
 */
export function coerce(schemas: readonly JsonSchema[], values: readonly string[]): unknown {
  const array = schemas.find((schema) => typesOf(schema).includes("array"));
  if (array) return values.map((value) => coerceOne(isSchema(array.items) ? [array.items] : [], value));
  const [first] = values;
  return values.length === 1 && first !== undefined ? coerceOne(schemas, first) : values;
}

function coerceOne(schemas: readonly JsonSchema[], text: string): unknown {
  const types = schemas.flatMap(typesOf);
  if (types.includes("string")) return text;
  if (types.includes("boolean") && (text === "true" || text === "false")) return text === "true";
  if (types.includes("number") || types.includes("integer")) return toNumber(text) ?? text;
  if (types.includes("object")) return toObject(text) ?? text;
  return text;
}

function typesOf(schema: JsonSchema): readonly string[] {
  if (typeof schema.type === "string") return [schema.type];
  if (Array.isArray(schema.type)) return schema.type as readonly string[];
  if (Array.isArray(schema.anyOf)) return schema.anyOf.flatMap(typesOf);
  if ("const" in schema) return [typeof schema.const];
  return Array.isArray(schema.enum) ? schema.enum.map((value) => typeof value) : [];
}

function toNumber(text: string): number | undefined {
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  const number = Number(text);
  // A number that JavaScript cannot hold must not become another one.
  if (!Number.isFinite(number) || (Number.isInteger(number) && !Number.isSafeInteger(number))) return undefined;
  return number;
}

function toObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

const isSchema = (part: unknown): part is JsonSchema => typeof part === "object" && part !== null;
