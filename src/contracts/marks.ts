import { fieldOf, isRecord, isSchema, listOf, resolve } from "./json-schema.ts";
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

/**
 * Says that a field is no personal data although its name sounds like it: the name of an airport, the address of a
 * server. `trilith check` asks for one mark or the other.
 */
export function impersonal<S extends AnySchema>(schema: S): S {
  return mark(schema, { "x-personal": false }, "impersonal");
}

/** A copy of a value in which every field that its schema marks as personal, in whatever branch, reads "[personal]". */
export function maskPersonal(schema: JsonSchema, value: unknown): unknown {
  return mask(schema, [schema], value);
}

function mask(root: JsonSchema, schemas: readonly unknown[], value: unknown): unknown {
  if (value === undefined || value === null) return value;
  const parts = everyPart(root, schemas);
  if (parts.some((part) => part["x-personal"] === true)) return "[personal]";
  if (Array.isArray(value)) {
    return value.map((item, at) => {
      const ofItem = parts.map(({ prefixItems, items }) => listOf(prefixItems)[at] ?? items);
      return mask(root, ofItem, item);
    });
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => {
      const ofField = parts.flatMap(({ properties, patternProperties, additionalProperties }) => [
        (isSchema(properties) ? fieldOf(properties, name) : undefined) ?? additionalProperties,
        ...Object.entries(isSchema(patternProperties) ? patternProperties : {}).flatMap(([pattern, part]) =>
          new RegExp(pattern, "u").test(name) ? [part] : [],
        ),
      ]);
      return [name, mask(root, ofField, field)];
    }),
  );
}

/** The schemas that may speak about one value: unions, intersections and references taken apart. */
function everyPart(root: JsonSchema, schemas: readonly unknown[]): readonly JsonSchema[] {
  const parts = new Set<JsonSchema>();
  const add = (part: unknown): void => {
    if (!isSchema(part) || parts.has(part)) return;
    parts.add(part);
    if (typeof part.$ref === "string") add(resolve(root, part.$ref));
    for (const inside of [part.anyOf, part.oneOf, part.allOf].flatMap(listOf)) add(inside);
  };
  schemas.forEach(add);
  return [...parts];
}

// The mark has to be in the schema itself: Zod's omit, extend and optional carry a field's metadata along.
function mark<S extends AnySchema>(schema: S, words: { readonly [keyword: string]: unknown }, name: string): S {
  const { meta } = schema as S & { meta?: (words?: object) => any }; // a schema of the same library
  if (typeof meta !== "function") {
    throw new TypeError(
      `${name}() needs a schema that carries metadata into its JSON Schema, as Zod's .meta() does; this ${schema["~standard"].vendor} schema does not.`,
    );
  }
  return meta.call(schema, { ...meta.call(schema), ...words });
}
