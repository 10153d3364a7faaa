import { Fault } from "../../contracts/index.ts";

/**
 * A value as its journal gives it back. What JSON would change without a word (a Date, a Map, NaN) is refused, so that
 * code reads the same in the first run and in replay.
 */
export function toPlain(value: unknown, what: string): unknown {
  if (isScalar(value)) return value;
  const odd = findOdd(value, "");
  if (odd)
    throw new Fault(
      "Internal",
      `${what} has ${odd.is}${odd.at && ` at ${odd.at}`}. Steps give back JSON: strings, numbers, booleans, null, arrays and plain objects.`,
      // Another attempt would give the same back, and do the work again.
      { retry: "never" },
    );
  return JSON.parse(JSON.stringify(value));
}

/** Whether JSON gives back the same, and nothing in it can be changed. Of what is missing nothing is written. */
export function isScalar(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0); // JSON has one zero
  return typeof value === "string" || typeof value === "boolean";
}

/** What nests deeper is a circle as a rule, and would overflow the stack here or where it is written. */
const deepest = 500;

function findOdd(value: unknown, at: string, depth = 0): { readonly is: string; readonly at: string } | undefined {
  if (value === null || value === undefined || typeof value === "string" || typeof value === "boolean")
    return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : { is: String(value), at };
  if (typeof value !== "object") return { is: `a ${typeof value}`, at };
  if (!Array.isArray(value) && ![Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    return { is: `a ${value.constructor?.name ?? "object of a class"}`, at };
  }
  if (depth > deepest) return { is: `a circle, or more than ${deepest} levels,`, at: `${at.slice(0, 50)}…` };
  for (const [name, part] of Object.entries(value)) {
    if (part === undefined && Array.isArray(value)) return { is: "undefined", at: `${at}/${name}` };
    const odd = findOdd(part, `${at}/${name}`, depth + 1);
    if (odd) return odd;
  }
  return undefined;
}
