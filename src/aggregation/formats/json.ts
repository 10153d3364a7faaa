import { Unreadable } from "./unreadable.ts";

const mostLevels = 200;

/**
 * One document. Whole numbers beyond 2^53 are kept exactly. Refused are a field called `__proto__`, nesting that would exhaust the stack of whoever walks it, and
 * two fields of one name in an object (RFC 7493): which of them counts is anybody's guess.
 */
export const readJson = (text: string): unknown => parseJson(text).value;

/** The same, and whether a whole number in it is too large for JavaScript to hold it exactly. */
export function parseJson(text: string): { readonly value: unknown; readonly large: boolean } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Unreadable("answered with something that is not JSON");
  }
  // Without an escape in it, text says all of its names as they are, and no quotation mark stands within a string. Then
  // those before a colon are at least as many as there are names.
  const isPlain = !text.includes("\\") && !/"\s+:/.test(text);
  const found: Found = { fields: 0, large: isLarge(value) };
  survey(value, found, !isPlain || text.includes("__proto__"), 0);
  if (!(isPlain && found.fields === countPlainNames(text)) && found.fields !== countNames(text))
    throw new Unreadable("answered with JSON that has two fields of one name in an object");
  return { value: found.large ? JSON.parse(text, exactly) : value, large: found.large };
}

/** A whole number that would be rounded stays what it is, as a BigInt: a schema that wants a number says that it is none. */
function exactly(_name: string, value: unknown, { source }: { readonly source?: string } = {}): unknown {
  if (!isLarge(value) || source === undefined || !/^-?\d+$/.test(source)) return value;
  return String(value) === source ? value : BigInt(source);
}

/** One document a line; blank lines do not count. */
export function readNdjson(text: string): readonly unknown[] {
  const records: unknown[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      records.push(readJson(line));
    } catch (error) {
      if (error instanceof Unreadable) throw new Unreadable(`${error.message} in line ${at + 1}`);
      throw error;
    }
  }
  return records;
}

const isLarge = (value: unknown): boolean =>
  typeof value === "number" &&
  (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) &&
  Number.isInteger(value);

/** What there is in a document, at every depth. */
interface Found {
  fields: number;
  large: boolean;
}

/** Counts fields and looks for large numbers. Refuses what is nested too deep and, where it `looks` for it, `__proto__`. */
function survey(value: unknown, found: Found, looks: boolean, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  if (depth >= mostLevels)
    throw new Unreadable(`answered with JSON that is nested more than ${mostLevels} levels deep`);
  if (Array.isArray(value)) {
    for (const item of value) look(item, found, looks, depth);
    return;
  }
  // JSON.parse makes it a field like any other; the next Object.assign would make it a prototype.
  if (looks && Object.hasOwn(value, "__proto__"))
    throw new Unreadable('answered with JSON that has a field called "__proto__"');
  for (const name in value) {
    found.fields += 1;
    look((value as { readonly [name: string]: unknown })[name], found, looks, depth);
  }
}

function look(inside: unknown, found: Found, looks: boolean, depth: number): void {
  if (typeof inside === "object") survey(inside, found, looks, depth + 1);
  else if (isLarge(inside)) found.large = true;
}

/** Quotation marks before a colon: at the end of every name, and where a string begins with one. */
function countPlainNames(text: string): number {
  let names = 0;
  for (let at = text.indexOf('":'); at >= 0; at = text.indexOf('":', at + 2)) names += 1;
  return names;
}

/** The strings in valid JSON that a colon follows: what the parser has read, and of two alike kept the last. */
function countNames(text: string): number {
  let names = 0;
  for (let from = text.indexOf('"'); from >= 0; ) {
    let end = text.indexOf('"', from + 1);
    while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
    let next = end + 1;
    while (isSpace(text.charCodeAt(next))) next += 1;
    if (text[next] === ":") names += 1;
    from = text.indexOf('"', next);
  }
  return names;
}

/** Whether an odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === 0x5c) before -= 1;
  return (at - before) % 2 === 0;
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
