import type { JsonSchema } from "./schema.ts";

export const isSchema = (part: unknown): part is JsonSchema =>
  typeof part === "object" && part !== null && !Array.isArray(part);
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
/** The parts of a keyword that holds a list of schemas; none where it is missing. */
export const listOf = (keyword: unknown): readonly unknown[] => (Array.isArray(keyword) ? keyword : []);

/** A field of its own: an object inherits a `constructor` that nobody wrote. */
export const fieldOf = (value: { readonly [name: string]: unknown }, name: string): unknown =>
  Object.hasOwn(value, name) ? value[name] : undefined;

/** What a reference inside a schema stands for. */
export function resolve(root: JsonSchema, ref: string): unknown {
  if (!ref.startsWith("#"))
    throw new TypeError(`The JSON Schema refers to "${ref}"; only references inside the schema are followed.`);
  let at: unknown = root;
  for (const segment of ref.slice(1).split("/").filter(Boolean)) {
    const name = decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~");
    at = isRecord(at) || Array.isArray(at) ? (at as Record<string, unknown>)[name] : undefined;
  }
  return at;
}

/**
 * Whether a value may be meant by a branch of a union. `outside` looks at its type, its required fields and the
 * constants among its fields; `whole` looks at the types of everything inside as well.
 */
export function fits(root: JsonSchema, branch: unknown, value: unknown, depth: "outside" | "whole"): boolean {
  if (!isSchema(branch)) return branch !== false;
  const again = (part: unknown, inside: unknown): boolean => fits(root, part, inside, depth);
  if (typeof branch.$ref === "string" && !again(resolve(root, branch.$ref), value)) return false;
  if ("const" in branch && branch.const !== value) return false;
  if (Array.isArray(branch.enum) && !branch.enum.includes(value)) return false;
  if (branch.type !== undefined && ![branch.type].flat().some((type) => isOfType(type, value))) return false;
  for (const union of [branch.anyOf, branch.oneOf])
    if (Array.isArray(union) && !union.some((part) => again(part, value))) return false;
  if (!listOf(branch.allOf).every((part) => again(part, value))) return false;
  if (Array.isArray(value) && depth === "whole") {
    const first = listOf(branch.prefixItems);
    return value.every((item, at) => again(at < first.length ? first[at] : branch.items, item));
  }
  if (!isRecord(value)) return true;
  if (listOf(branch.required).some((name) => fieldOf(value, String(name)) === undefined)) return false;
  return Object.entries(isSchema(branch.properties) ? branch.properties : {}).every(([name, part]) => {
    const field = fieldOf(value, name);
    if (field === undefined || !isSchema(part)) return true;
    if (depth === "whole") return again(part, field);
    if ("const" in part) return part.const === field;
    return !Array.isArray(part.enum) || part.enum.includes(field);
  });
}

function isOfType(type: unknown, value: unknown): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isRecord(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
