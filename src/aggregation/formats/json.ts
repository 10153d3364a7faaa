import { Unreadable } from "./unreadable.ts";

const mostLevels = 200;

/**
 * One document. Whole numbers beyond 2^53 are kept exactly. Refused are a field called `__proto__`, nesting that would exhaust the stack of whoever walks it, and
 * two fields of one name in an object (RFC 7493): which of them counts is anybody's guess.
 */
export function readJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Unreadable("answered with something that is not JSON");
  }
  const { fields, large } = survey(value);
  if (fields !== countNames(text))
    throw new Unreadable("answered with JSON that has two fields of one name in an object");
  return large ? JSON.parse(text, exactly) : value;
}

/** A whole number that would be rounded stays what it is, as a BigInt: a schema that wants a number says that it is none. */
function exactly(_name: string, value: unknown, { source }: { readonly source?: string } = {}): unknown {
  if (!isLarge(value) || source === undefined || !/^-?\d+$/.test(source)) return value;
  return String(value) === source ? value : BigInt(source);
}

const isLarge = (value: unknown): value is number => Number.isInteger(value) && !Number.isSafeInteger(value);

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

// JSON.parse makes `__proto__` a field like any other; the next Object.assign would make it a prototype.
function survey(root: unknown): { readonly fields: number; readonly large: boolean } {
  let level: unknown[] = [root];
  let fields = 0;
  let large = isLarge(root);
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > mostLevels)
      throw new Unreadable(`answered with JSON that is nested more than ${mostLevels} levels deep`);
    const below: unknown[] = [];
    for (const value of level) {
      if (typeof value !== "object" || value === null) continue;
      if (Object.hasOwn(value, "__proto__"))
        throw new Unreadable('answered with JSON that has a field called "__proto__"');
      const inside = Object.values(value);
      if (!Array.isArray(value)) fields += inside.length;
      for (const inner of inside)
        if (typeof inner === "object" && inner !== null) below.push(inner);
        else if (typeof inner === "number" && isLarge(inner)) large = true;
    }
    level = below;
  }
  return { fields, large };
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
