import { fieldsIn, isRecord, listOf, resolve, Unsupported } from "../plain.ts";

const most = 100;

/** A value of a schema, and its like with a bound, a constant or a value of an enum in each place. Not all need be valid. */
export function probesOf(document: unknown, sample: unknown): readonly unknown[] {
  const probes: unknown[] = [sample];
  const visit = (part: unknown, path: readonly (string | number)[]): void => {
    if (path.length > 6 || probes.length >= most) return;
    const schema = isRecord(part) && typeof part.$ref === "string" ? targetOf(document, part.$ref) : part;
    if (!isRecord(schema)) return;
    for (const value of valuesIn(schema)) probes.push(withAt(sample, path, value));
    for (const branch of [schema.allOf, schema.anyOf, schema.oneOf].flatMap(listOf)) visit(branch, path);
    for (const [name, inner] of fieldsIn(schema.properties)) visit(inner, [...path, name]);
    if (schema.items !== undefined) visit(schema.items, [...path, listOf(schema.prefixItems).length]);
    for (const [at, inner] of listOf(schema.prefixItems).entries()) visit(inner, [...path, at]);
  };
  visit(document, []);
  return probes.slice(0, most);
}

function targetOf(document: unknown, ref: string): unknown {
  try {
    return resolve(document, ref);
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

/** What a schema itself names, and numbers and texts just within its bounds. */
function valuesIn(schema: Readonly<Record<string, unknown>>): readonly unknown[] {
  const values: unknown[] = [...listOf(schema.enum), ...("const" in schema ? [schema.const] : [])];
  const step = typeof schema.multipleOf === "number" ? schema.multipleOf : 1;
  const bounds = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"].map((name) => schema[name]);
  for (const bound of bounds)
    if (typeof bound === "number") values.push(bound, bound + step, bound - step, bound + 0.5, bound - 0.5);
  if (bounds.every((bound) => bound === undefined) && typeof schema.multipleOf === "number")
    values.push(0, step, -step, 3 * step);
  for (const length of [schema.minLength, schema.maxLength])
    if (typeof length === "number" && length >= 0 && length <= 1_000) values.push("x".repeat(length));
  for (const type of [schema.type].flat()) values.push(...(plain[String(type)] ?? []));
  return values;
}

const plain: { readonly [type: string]: readonly unknown[] } = {
  null: [null],
  boolean: [true, false],
  integer: [0, -1, 2 ** 40],
  number: [0, -1, 0.5, 1e20],
  string: ["", "x"],
  array: [[]],
  object: [{}],
};

/** The same value with another one in one place; items and fields that are not there are added. */
function withAt(value: unknown, [first, ...rest]: readonly (string | number)[], inner: unknown): unknown {
  if (first === undefined) return inner;
  if (typeof first === "number") {
    const items = [...listOf(value)];
    items[Math.min(first, items.length)] = withAt(items[first], rest, inner);
    return items;
  }
  const fields = isRecord(value) ? value : {};
  const there = Object.hasOwn(fields, first) ? fields[first] : undefined;
  return Object.fromEntries([...Object.entries(fields), [first, withAt(there, rest, inner)]]);
}
