import type { AnySchema, JsonSchema } from "./schema.ts";

/** Marks the field that says whose data this object holds. */
export function subject<S extends AnySchema>(schema: S): S {
  return mark(schema, { "x-subject": true }, "subject");
}

/**
 * Marks a field as personal data of its object's subject. The mark travels in the JSON Schema (`x-personal`), and the
 * value never appears in a log line, a span or the console.
 */
export function personal<S extends AnySchema>(schema: S): S {
  return mark(schema, { "x-personal": true }, "personal");
}

/** A copy of a value in which every field that its schema marks as personal reads "[personal]". */
export function maskPersonal(schema: JsonSchema, value: unknown): unknown {
  if (schema["x-personal"] === true && value !== undefined && value !== null) return "[personal]";
  if (Array.isArray(value)) {
    const items = schema.items as JsonSchema | undefined;
    return items ? value.map((item) => maskPersonal(items, item)) : value;
  }
  if (typeof value !== "object" || value === null) return value;
  const properties = (schema.properties ?? {}) as { readonly [name: string]: JsonSchema };
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      properties[name] ? maskPersonal(properties[name], field) : field,
    ]),
  );
}

// The mark has to be in the schema itself: Zod's omit, extend and optional carry a field's metadata along.
function mark<S extends AnySchema>(schema: S, words: { readonly [keyword: string]: unknown }, name: string): S {
  const { meta } = schema as S & { meta?: (words?: object) => any };
  if (typeof meta !== "function") {
    throw new TypeError(
      `${name}() needs a schema that carries metadata into its JSON Schema, as Zod's .meta() does; this ${schema["~standard"].vendor} schema does not.`,
    );
  }
  return meta.call(schema, { ...meta.call(schema), ...words });
}
