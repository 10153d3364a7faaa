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

/** Of one place: by the branches of unions that lead there, since each may say something else. Outside of unions: "". */
export type ByBranch = ReadonlyMap<string, Annotations>;

/** The annotations of every place in a value, by its pointer; items of a list and fields without a name are `*`. */
export function annotationsOf(document: unknown): ReadonlyMap<string, ByBranch> {
  const places = new Map<string, Map<string, Annotations>>();
  const visit = (
    schema: unknown,
    path: readonly string[],
    branch: string,
    via: readonly unknown[],
    around: Annotations = nothing,
  ): void => {
    if (!isRecord(schema) || via.includes(schema)) return;
    const further = [...via, schema];
    const own = withOwn(schema, around);
    const branches = [schema.anyOf, schema.oneOf].flatMap(listOf);
    // What is said of a union is said of each of its branches.
    if (branches.length === 0) {
      const at = toPointer(path);
      const place = places.get(at) ?? new Map<string, Annotations>();
      places.set(at, place);
      const had = place.get(branch);
      place.set(branch, had ? merged([had, own]) : own);
    }
    for (const [index, part] of branches.entries())
      visit(part, path, `${branch}|${labelOf(part, document) ?? index}`, further, own);
    if (typeof schema.$ref === "string") visit(resolve(document, schema.$ref), path, branch, further, own);
    for (const part of listOf(schema.allOf)) visit(part, path, branch, further);
    for (const name of ["then", "else"] as const) visit(schema[name], path, `${branch}|${name}`, further);
    for (const [name, part] of fieldsIn(schema.dependentSchemas)) visit(part, path, `${branch}|with ${name}`, further);
    for (const [name, part] of fieldsIn(schema.properties)) visit(part, [...path, name], branch, further);
    for (const [index, part] of listOf(schema.prefixItems).entries())
      visit(part, [...path, `${index}`], branch, further);
    for (const [pattern, part] of fieldsIn(schema.patternProperties))
      visit(part, [...path, "*"], `${branch}|like ${pattern}`, further);
    for (const others of [schema.items, schema.additionalProperties, schema.unevaluatedProperties])
      visit(others, [...path, "*"], branch, further);
  };
  visit(document, [], "", []);
  return places;
}

const nothing: Annotations = { personal: false, subject: false, readOnly: false, writeOnly: false };

function withOwn(schema: Readonly<Record<string, unknown>>, around: Annotations): Annotations {
  const value = "default" in schema ? toCanonicalJson(schema.default) : around.default;
  return {
    ...(value !== undefined && { default: value }),
    personal: schema["x-personal"] === true || around.personal,
    subject: schema["x-subject"] === true || around.subject,
    readOnly: schema.readOnly === true || around.readOnly,
    writeOnly: schema.writeOnly === true || around.writeOnly,
  };
}

/** What several branches say taken together: all their defaults, and every mark that one of them has. */
export function merged(all: readonly Annotations[]): Annotations {
  const defaults = new Set(all.flatMap((one) => (one.default === undefined ? [] : [one.default])));
  return {
    ...(defaults.size > 0 && { default: [...defaults].sort().join(" or ") }),
    personal: all.some(({ personal }) => personal),
    subject: all.some(({ subject }) => subject),
    readOnly: all.some(({ readOnly }) => readOnly),
    writeOnly: all.some(({ writeOnly }) => writeOnly),
  };
}

/** A branch by the constants that tell it from others, so that it is known again in another order. */
function labelOf(part: unknown, document: unknown): string | undefined {
  const schema = isRecord(part) && typeof part.$ref === "string" ? resolve(document, part.$ref) : part;
  if (!isRecord(schema)) return undefined;
  const constants = fieldsIn(schema.properties).flatMap(([name, field]) =>
    isRecord(field) && "const" in field ? [[name, field.const] as const] : [],
  );
  return constants.length > 0 ? toCanonicalJson(Object.fromEntries(constants)) : undefined;
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
