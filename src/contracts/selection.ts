import { Fault } from "./fault.ts";
import { isRecord, isSchema, listOf, resolve } from "./json-schema.ts";
import { type AnySchema, type JsonSchema, type Validated, validate } from "./schema.ts";

/** The parts of an object that somebody wants, field by field; `{}` is all of a field. Of a list, it means every item. */
export interface Selection {
  readonly [field: string]: Selection;
}

/**
 * Reads paths like `name` and `position.latitude` against the schema of an answer. Throws `Fault` UnknownField, with
 * what could have been said, for a field that the schema does not declare.
 */
export function toSelection(schema: JsonSchema, paths: readonly string[]): Selection {
  const selection: Tree = new Map();
  for (const path of paths) {
    let at: unknown[] = [schema];
    let tree = selection;
    let known = "";
    for (const name of path.split(".")) {
      const fields = fieldsAt(schema, at);
      const found = fields.get(name);
      if (!found) throw unknown(path, known, [...fields.keys()]);
      at = found;
      known = known ? `${known}.${name}` : name;
      const inside: Tree = tree.get(name) ?? new Map();
      tree.set(name, inside);
      tree = inside;
    }
    tree.set(whole, new Map());
  }
  return toPlain(selection);
}

/** What is wanted of a value, and nothing else. What is not there stays away. */
export function select(selection: Selection, value: unknown): unknown {
  const names = Object.keys(selection);
  if (names.length === 0) return value;
  if (Array.isArray(value)) return value.map((item) => select(selection, item));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    names
      .filter((name) => Object.hasOwn(value, name))
      .map((name) => [name, select(selection[name] as Selection, value[name])]), // it is one of its own names
  );
}

/**
 * Checks some parts of an object, where the others were not worked out: what is wrong with those, or with all of an
 * object at once, is not held against it. The value is the one that was given.
 */
export async function validateParts(schema: AnySchema, value: unknown, parts: Selection): Promise<Validated<unknown>> {
  const checked = await validate(schema, value);
  if (checked.ok) return { ok: true, value };
  const issues = checked.issues.filter(({ path }) => concerns(path, parts, value));
  return issues.length === 0 ? { ok: true, value } : { ok: false, issues };
}

/** Whether what is wrong at a place is wrong with something that was wanted, or with what should hold it. */
function concerns(path: string, parts: Selection, whole: unknown): boolean {
  let wanted = parts;
  let at = whole;
  for (const step of path.split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (!Array.isArray(at)) {
      const inside = Object.hasOwn(wanted, name) ? wanted[name] : undefined;
      if (!inside) return false;
      if (Object.keys(inside).length === 0) return true;
      wanted = inside;
    }
    at = Array.isArray(at) || isRecord(at) ? (at as { readonly [name: string]: unknown })[name] : undefined;
  }
  return typeof at !== "object" || at === null;
}

interface Tree extends Map<string, Tree> {}
/** Where a path ends, all that lies below is wanted. No field has an empty name in a path. */
const whole = "";

function toPlain(tree: Tree): Selection {
  if (tree.has(whole)) return Object.freeze({});
  return Object.freeze(Object.fromEntries([...tree].map(([name, inside]) => [name, toPlain(inside)])));
}

/** The fields of whatever may be there, through lists, unions and references. */
function fieldsAt(root: JsonSchema, schemas: readonly unknown[]): ReadonlyMap<string, unknown[]> {
  const fields = new Map<string, unknown[]>();
  const seen = new Set<unknown>();
  const visit = (schema: unknown): void => {
    if (!isSchema(schema) || seen.has(schema)) return;
    seen.add(schema);
    if (typeof schema.$ref === "string") visit(resolve(root, schema.$ref));
    for (const part of [schema.anyOf, schema.oneOf, schema.allOf, schema.prefixItems].flatMap(listOf)) visit(part);
    visit(schema.items);
    for (const [name, part] of Object.entries(isSchema(schema.properties) ? schema.properties : {}))
      fields.set(name, [...(fields.get(name) ?? []), part]);
  };
  schemas.forEach(visit);
  return fields;
}

function unknown(path: string, known: string, allowed: readonly string[]): Fault {
  const where = known ? `"${known}" has` : "The answer has";
  const has = allowed.length > 0 ? `: ${[...allowed].sort().join(", ")}` : " no fields to choose from";
  const message = `There is no field "${path}" to choose. ${where}${has}.`;
  return new Fault("UnknownField", message, { issues: [{ path: "/fields", message }] });
}
