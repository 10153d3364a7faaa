import { fieldsIn, isRecord, listOf, resolve } from "./plain.ts";

/**
 * A schema as values of it travel. Trilith keeps the declared fields of what it sends and, from outside, refuses fields
 * that are not declared, whatever a schema library does with them; so an object is closed unless it says otherwise. Of
 * parts that hold together (`allOf`, a reference beside fields) each lets in what the others declare.
 */
export function toClosed(document: unknown): unknown {
  return close(document, document, []);
}

function close(schema: unknown, document: unknown, others: readonly string[]): unknown {
  if (!isRecord(schema)) return schema;
  // What others share with it is said at the place of the reference, and not for everybody who refers there.
  if (typeof schema.$ref === "string" && others.length > 0 && Object.keys(schema).length === 1)
    return close(resolve(document, schema.$ref), document, others);
  const around = [...others, ...ownNames(schema)];
  const joint = namesBeside(schema, document);
  const closed: Record<string, unknown> = {};
  for (const [keyword, part] of Object.entries(schema)) {
    if (["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"].includes(keyword))
      closed[keyword] = isRecord(part)
        ? Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, close(inner, document, [])]))
        : part;
    else if (keyword === "allOf")
      closed[keyword] = listOf(part).map((inner, at) =>
        close(inner, document, [
          ...around,
          ...listOf(part).flatMap((one, other) => (other === at ? [] : deepNames(one, document))),
          ...unionNames(schema, document),
        ]),
      );
    else if (keyword === "anyOf" || keyword === "oneOf")
      closed[keyword] = listOf(part).map((inner) =>
        close(inner, document, [...around, ...listOf(schema.allOf).flatMap((one) => deepNames(one, document))]),
      );
    else if (["items", "additionalProperties", "contains", "not"].includes(keyword))
      closed[keyword] = keyword === "not" ? part : close(part, document, []);
    else if (keyword === "prefixItems") closed[keyword] = listOf(part).map((inner) => close(inner, document, []));
    else closed[keyword] = part;
  }
  const isObject = schema.type === "object" || schema.properties !== undefined;
  const isOpen = schema.additionalProperties !== undefined || schema.unevaluatedProperties !== undefined;
  if (!isObject || isOpen) return closed;
  const shared = [...new Set([...others, ...joint])].filter(
    (name) => !(isRecord(schema.properties) && name in schema.properties),
  );
  if (shared.length > 0)
    closed.properties = { ...(closed.properties as object), ...Object.fromEntries(shared.map((name) => [name, true])) };
  closed.additionalProperties = false;
  return closed;
}

const ownNames = (schema: unknown): readonly string[] =>
  isRecord(schema) ? fieldsIn(schema.properties).map(([name]) => name) : [];
const unionNames = (schema: Readonly<Record<string, unknown>>, document: unknown): readonly string[] =>
  [...listOf(schema.anyOf), ...listOf(schema.oneOf)].flatMap((part) => deepNames(part, document));
const namesBeside = (schema: Readonly<Record<string, unknown>>, document: unknown): readonly string[] => [
  ...unionNames(schema, document),
  ...listOf(schema.allOf).flatMap((part) => deepNames(part, document)),
  ...(typeof schema.$ref === "string" ? deepNames({ $ref: schema.$ref }, document) : []),
];

/** The fields that a part declares, in whatever it is put together from. */
function deepNames(schema: unknown, document: unknown, depth = 0): readonly string[] {
  if (!isRecord(schema) || depth > 16) return [];
  const parts = [...listOf(schema.allOf), ...listOf(schema.anyOf), ...listOf(schema.oneOf)];
  const target = typeof schema.$ref === "string" ? [resolve(document, schema.$ref)] : [];
  return [...ownNames(schema), ...[...parts, ...target].flatMap((part) => deepNames(part, document, depth + 1))];
}
