/** How deep a value may nest: deeper ones are mistakes or attacks, and exhaust the stack of whoever walks them. */
const deepest = 100;

/**
 * A value as JSON text, refused with a sentence where reading it back would give something else. A field that is undefined
 * is a field that is not there: so TypeScript writes optional ones, and so they come back.
 */
export function toJson(value: unknown, what: string): string {
  checkJson(value, what);
  return JSON.stringify(value);
}

/** Refuses what JSON would lose or change. `what` begins the sentence. */
export function checkJson(value: unknown, what: string): void {
  check(value, what, undefined, 0);
}

/** Refuses -0 as well, which JSON writes as 0. For facts: what is worked out from them may come to -0 and mean 0. */
export function toExactJson(value: unknown, what: string): string {
  check(value, what, undefined, 0, true);
  return JSON.stringify(value);
}

/** `path` leads to the value, the nearest name first: it is spelled out only where something is refused. */
function check(value: unknown, what: string, path: Path | undefined, depth: number, exact = false): void {
  switch (typeof value) {
    case "string":
      if (!value.isWellFormed()) refuse(what, path, "is text with half of a surrogate pair, which UTF-8 cannot carry");
      return;
    case "number":
      if (!Number.isFinite(value)) refuse(what, path, `is ${value}, which JSON does not have`);
      if (exact && value === 0 && Object.is(value, -0)) refuse(what, path, "is -0, which JSON writes as 0");
      return;
    case "boolean":
      return;
    case "object":
      if (value === null) return;
      if (depth >= deepest) refuse(what, path, `nests deeper than ${deepest} levels, or contains itself`);
      if (Array.isArray(value)) checkArray(value, what, path, depth, exact);
      else checkObject(value, what, path, depth, exact);
      return;
    default:
      refuse(
        what,
        path,
        `is ${typeof value === "undefined" ? "undefined" : `a ${typeof value}`}, which JSON does not have`,
      );
  }
}

function checkArray(
  value: readonly unknown[],
  what: string,
  path: Path | undefined,
  depth: number,
  exact: boolean,
): void {
  // By index, for a hole is passed over by forEach and comes back as null.
  for (let index = 0; index < value.length; index++)
    check(value[index], what, { name: index, within: path }, depth + 1, exact);
  if (Object.keys(value).length > value.length || Object.getOwnPropertySymbols(value).length > 0)
    refuse(what, path, "is an array with properties of its own, which JSON would drop");
}

function checkObject(value: object, what: string, path: Path | undefined, depth: number, exact: boolean): void {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const name = value.constructor?.name ?? "object";
    refuse(what, path, `is a ${name}, which JSON does not have. Write it as text, numbers or a plain object`);
  }
  if ("toJSON" in value && typeof value.toJSON === "function")
    refuse(what, path, "has a toJSON of its own, so that something else would be written");
  const names = Object.keys(value);
  if (Object.getOwnPropertyNames(value).length > names.length || Object.getOwnPropertySymbols(value).length > 0)
    refuse(what, path, "has fields under symbols, or ones that are not enumerable, which JSON would drop");
  for (const name of names) {
    const field = (value as { readonly [name: string]: unknown })[name];
    const at = { name, within: path };
    if (name === "__proto__") refuse(what, at, 'is called "__proto__", which readers take for a prototype');
    if (!name.isWellFormed()) refuse(what, at, "has half of a surrogate pair in its name, which UTF-8 cannot carry");
    // An absent field and an undefined one are the same in JSON; both come back as absent.
    if (field !== undefined) check(field, what, at, depth + 1, exact);
  }
}

interface Path {
  readonly name: string | number;
  readonly within: Path | undefined;
}

/** As a JSON Pointer. */
function spell(path: Path | undefined): string {
  if (!path) return "";
  const name = String(path.name).replaceAll("~", "~0").replaceAll("/", "~1");
  return `${spell(path.within)}/${name}`;
}

function refuse(what: string, path: Path | undefined, why: string): never {
  throw new TypeError(`${what} cannot be written: ${path ? spell(path) : "the value"} ${why}.`);
}
