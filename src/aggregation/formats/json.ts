import { Unreadable } from "./decode.ts";

const mostLevels = 200;
/** Below this size no document can be nested too deeply. */
const smallest = mostLevels * 2;

/** One document. A field called `__proto__`, and nesting that would exhaust the stack of whoever walks it, are refused. */
export function readJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Unreadable("answered with something that is not JSON");
  }
  if (text.length > smallest || mayHidePrototype.test(text)) refuseHostile(value);
  return value;
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

const mayHidePrototype = /__proto__|\\u005f/i;

// JSON.parse makes `__proto__` a field like any other; the next Object.assign would make it a prototype.
function refuseHostile(root: unknown): void {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > mostLevels)
      throw new Unreadable(`answered with JSON that is nested more than ${mostLevels} levels deep`);
    const below: unknown[] = [];
    for (const value of level) {
      if (typeof value !== "object" || value === null) continue;
      if (Object.hasOwn(value, "__proto__"))
        throw new Unreadable('answered with JSON that has a field called "__proto__"');
      for (const inner of Object.values(value)) if (typeof inner === "object" && inner !== null) below.push(inner);
    }
    level = below;
  }
}
