import type { JsonSchema } from "../contracts/index.ts";

/** Reads the values of one name, in a path or a query string. */
export type Coercion = (values: readonly string[]) => unknown;

/**
 * Text from a path or a query string as its field's schemas mean it, worked out once for each field. A field that may be
 * text stays text: "007" is not 7. What does not read as its type stays text too, for validation to name it.
 */
export function toCoercion(schemas: readonly JsonSchema[]): Coercion {
  const array = schemas.find((schema) => typesOf(schema).includes("array"));
  if (array) {
    const item = toOne(isSchema(array.items) ? [array.items] : []);
    return (values) => values.map(item);
  }
  const one = toOne(schemas);
  return (values) => {
    const [first] = values;
    return values.length === 1 && first !== undefined ? one(first) : values;
  };
}

function toOne(schemas: readonly JsonSchema[]): (text: string) => unknown {
  const types = new Set(schemas.flatMap(typesOf));
  if (types.has("string")) return (text) => text;
  return (text) => {
    if (types.has("boolean") && (text === "true" || text === "false")) return text === "true";
    if (types.has("number") || types.has("integer")) return toNumber(text) ?? text;
    if (types.has("object")) return toObject(text) ?? text;
    return text;
  };
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
