/** Plain JSON data, and where something is in it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const fieldsIn = (value: unknown): readonly (readonly [string, unknown])[] =>
  isRecord(value) ? Object.entries(value) : [];

/** Equal as JSON: the order of an object's fields does not count. */
export function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one))
    return Array.isArray(other) && one.length === other.length && one.every((item, at) => isEqual(item, other[at]));
  if (!isRecord(one) || !isRecord(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isEqual(one[name], other[name]))
  );
}

/** What a reference inside a document stands for. Throws a sentence where it stands for nothing. */
export function resolve(document: unknown, ref: string): unknown {
  if (!ref.startsWith("#")) throw new Unsupported(`it refers to "${ref}", outside the schema`);
  let at: unknown = document;
  for (const segment of ref.slice(1).split("/").filter(Boolean)) {
    const name = decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~");
    at =
      (isRecord(at) || Array.isArray(at)) && Object.hasOwn(at, name)
        ? (at as Record<string, unknown>)[name]
        : undefined;
  }
  if (at === undefined) throw new Unsupported(`its reference "${ref}" leads nowhere`);
  return at;
}

/** What a schema says and this engine cannot decide. */
export class Unsupported extends Error {}

export const toPointer = (path: readonly (string | number)[]): string =>
  path.map((segment) => `/${String(segment).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
