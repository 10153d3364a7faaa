import { fieldsIn, isEqual, isRecord, listOf, resolve, Unsupported } from "../plain.ts";
import { hasFormat, hasNumberFormat } from "./formats.ts";
import { isMultiple } from "./numbers.ts";

/** Whether a value meets a schema (2020-12). Throws `Unsupported` for what it does not know. */
export function accepts(schema: unknown, document: unknown, value: unknown): boolean {
  return holds(schema, document, value, []);
}

type Via = readonly (readonly [schema: unknown, value: unknown])[];

function holds(schema: unknown, document: unknown, value: unknown, via: Via): boolean {
  if (typeof schema === "boolean") return schema;
  if (!isRecord(schema)) throw new Unsupported("a part of it is no schema");
  const again = (part: unknown, inside: unknown): boolean =>
    holds(part, document, inside, inside === value ? [...via, [schema, value]] : []);
  if (typeof schema.$ref === "string") {
    const target = resolve(document, schema.$ref);
    if (via.some(([seen, at]) => seen === target && at === value))
      throw new Unsupported("it refers to itself and nothing else");
    if (!again(target, value)) return false;
  }
  if ("const" in schema && !isEqual(schema.const, value)) return false;
  if (Array.isArray(schema.enum) && !schema.enum.some((one) => isEqual(one, value))) return false;
  if (schema.type !== undefined && ![schema.type].flat().some((type) => isOfType(type, value))) return false;
  if (!listOf(schema.allOf).every((part) => again(part, value))) return false;
  if (Array.isArray(schema.anyOf) && !schema.anyOf.some((part) => again(part, value))) return false;
  if (Array.isArray(schema.oneOf) && schema.oneOf.filter((part) => again(part, value)).length !== 1) return false;
  if (schema.not !== undefined && again(schema.not, value)) return false;
  if (schema.if !== undefined) {
    const branch = again(schema.if, value) ? schema.then : schema.else;
    if (branch !== undefined && !again(branch, value)) return false;
  }
  if (typeof value === "number") return isNumberIn(schema, value);
  if (typeof value === "string") return isTextIn(schema, value);
  if (Array.isArray(value)) return isListIn(schema, value, again);
  return isRecord(value) ? isObjectIn(schema, document, value, again) : true;
}

export function isOfType(type: unknown, value: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isRecord(value);
  return type === "integer" ? Number.isInteger(value) : typeof value === type;
}

function isNumberIn(
  { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format }: Readonly<Record<string, unknown>>,
  value: number,
): boolean {
  if (typeof minimum === "number" && value < minimum) return false;
  if (typeof maximum === "number" && value > maximum) return false;
  if (typeof exclusiveMinimum === "number" && value <= exclusiveMinimum) return false;
  if (typeof exclusiveMaximum === "number" && value >= exclusiveMaximum) return false;
  if (typeof format === "string" && !hasNumberFormat(format, value)) return false;
  return typeof multipleOf !== "number" || isMultiple(value, multipleOf);
}

function isTextIn(
  { minLength, maxLength, pattern, format }: Readonly<Record<string, unknown>>,
  value: string,
): boolean {
  const length = [...value].length;
  if (typeof minLength === "number" && length < minLength) return false;
  if (typeof maxLength === "number" && length > maxLength) return false;
  if (typeof pattern === "string" && !new RegExp(pattern, "u").test(value)) return false;
  return typeof format !== "string" || hasFormat(format, value) !== false;
}

type Again = (part: unknown, inside: unknown) => boolean;

function isListIn(schema: Readonly<Record<string, unknown>>, value: readonly unknown[], again: Again): boolean {
  const { minItems, maxItems, uniqueItems, items, contains, unevaluatedItems } = schema;
  if (unevaluatedItems !== undefined && unevaluatedItems !== true) throw new Unsupported("unevaluatedItems");
  if (typeof minItems === "number" && value.length < minItems) return false;
  if (typeof maxItems === "number" && value.length > maxItems) return false;
  if (uniqueItems === true && value.some((item, at) => value.slice(0, at).some((other) => isEqual(item, other))))
    return false;
  const first = listOf(schema.prefixItems);
  if (
    !value.every((item, at) => (at < first.length ? again(first[at], item) : items === undefined || again(items, item)))
  )
    return false;
  if (contains === undefined) return true;
  const found = value.filter((item) => again(contains, item)).length;
  const { minContains = 1, maxContains = Number.POSITIVE_INFINITY } = schema as {
    minContains?: number;
    maxContains?: number;
  };
  return found >= minContains && found <= maxContains;
}

function isObjectIn(
  schema: Readonly<Record<string, unknown>>,
  document: unknown,
  value: Readonly<Record<string, unknown>>,
  again: Again,
): boolean {
  const { minProperties, maxProperties, propertyNames, additionalProperties } = schema;
  const names = Object.keys(value);
  const has = (name: unknown): boolean => Object.hasOwn(value, String(name));
  if (typeof minProperties === "number" && names.length < minProperties) return false;
  if (typeof maxProperties === "number" && names.length > maxProperties) return false;
  if (!listOf(schema.required).every(has)) return false;
  for (const [name, others] of fieldsIn(schema.dependentRequired))
    if (has(name) && !listOf(others).every(has)) return false;
  for (const [name, part] of fieldsIn(schema.dependentSchemas)) if (has(name) && !again(part, value)) return false;
  if (propertyNames !== undefined && !names.every((name) => again(propertyNames, name))) return false;
  const { properties, patternProperties } = schema;
  const patterns = fieldsIn(patternProperties).map(([pattern, part]) => [new RegExp(pattern, "u"), part] as const);
  const unevaluated = schema.unevaluatedProperties === undefined ? undefined : evaluatedNames(schema, document);
  return names.every((name) => {
    const declared = isRecord(properties) && Object.hasOwn(properties, name);
    if (declared && !again(properties[name], value[name])) return false;
    const matching = patterns.filter(([pattern]) => pattern.test(name));
    if (!matching.every(([, part]) => again(part, value[name]))) return false;
    if (
      unevaluated &&
      !unevaluated.names.has(name) &&
      !unevaluated.patterns.some((one) => new RegExp(one, "u").test(name))
    )
      if (!again(schema.unevaluatedProperties, value[name])) return false;
    return (
      declared || matching.length > 0 || additionalProperties === undefined || again(additionalProperties, value[name])
    );
  });
}

/** What the parts of a schema that always hold say of fields: enough for `unevaluatedProperties`, where no branch says more. */
export function evaluatedNames(
  schema: Readonly<Record<string, unknown>>,
  document: unknown,
): { readonly names: ReadonlySet<string>; readonly patterns: readonly string[] } {
  const names = new Set<string>();
  const patterns: string[] = [];
  const visit = (part: unknown, depth: number): void => {
    if (!isRecord(part)) return;
    if (depth > 32) throw new Unsupported("unevaluatedProperties over references that go round");
    if (part.anyOf ?? part.oneOf ?? part.if ?? part.dependentSchemas ?? part.not)
      throw new Unsupported("unevaluatedProperties beside branches");
    for (const [name] of fieldsIn(part.properties)) names.add(name);
    for (const [pattern] of fieldsIn(part.patternProperties)) patterns.push(pattern);
    if (part.additionalProperties !== undefined || (depth > 0 && part.unevaluatedProperties !== undefined))
      patterns.push("");
    if (typeof part.$ref === "string") visit(resolve(document, part.$ref), depth + 1);
    for (const inner of listOf(part.allOf)) visit(inner, depth + 1);
  };
  visit(schema, 0);
  return { names, patterns };
}
