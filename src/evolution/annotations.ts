import { toCanonicalJson } from "../contracts/index.ts";
import { fieldsIn, isRecord, listOf, resolve, toPointer } from "./plain.ts";

/** What a schema says of a place beside what is valid there. */
export interface Annotations {
  /** As canonical JSON. */
  readonly default?: string;
  readonly personal: boolean;
  readonly subject: boolean;
  readonly readOnly: boolean;
  readonly writeOnly: boolean;
}

/** The annotations of every place in a value, by its pointer; items of a list are `*`, branches of a union one place. */
export function annotationsOf(document: unknown): ReadonlyMap<string, Annotations> {
  const places = new Map<string, Annotations>();
  const visit = (schema: unknown, path: readonly string[], via: readonly unknown[]): void => {
    if (!isRecord(schema) || via.includes(schema)) return;
    const further = [...via, schema];
    const at = toPointer(path);
    const had = places.get(at);
    const value = "default" in schema ? toCanonicalJson(schema.default) : had?.default;
    places.set(at, {
      ...(value !== undefined && { default: value }),
      personal: schema["x-personal"] === true || had?.personal === true,
      subject: schema["x-subject"] === true || had?.subject === true,
      readOnly: schema.readOnly === true || had?.readOnly === true,
      writeOnly: schema.writeOnly === true || had?.writeOnly === true,
    });
    if (typeof schema.$ref === "string") visit(resolve(document, schema.$ref), path, further);
    for (const part of [schema.allOf, schema.anyOf, schema.oneOf].flatMap(listOf)) visit(part, path, further);
    for (const [name, part] of fieldsIn(schema.properties)) visit(part, [...path, name], further);
    for (const [index, part] of listOf(schema.prefixItems).entries()) visit(part, [...path, `${index}`], further);
    visit(schema.items, [...path, "*"], further);
    visit(schema.additionalProperties, [...path, "*"], further);
  };
  visit(document, [], []);
  return places;
}

/** A schema with nothing left but what decides whether a value is valid. */
export function withoutAnnotations(schema: unknown, insideNames = false): unknown {
  if (Array.isArray(schema)) return schema.map((part) => withoutAnnotations(part));
  if (!isRecord(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([name]) => insideNames || !(silent.has(name) || name.startsWith("x-")))
      .map(([name, part]) => {
        if (!insideNames && ["const", "enum"].includes(name)) return [name, part];
        return [name, withoutAnnotations(part, !insideNames && named.has(name))];
      }),
  );
}

const silent = new Set([
  "title",
  "description",
  "examples",
  "default",
  "deprecated",
  "readOnly",
  "writeOnly",
  "contentEncoding",
  "contentMediaType",
  "$comment",
  "$id",
  "$schema",
]);
const named = new Set([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
  "dependentRequired",
]);
