import { toCanonicalJson } from "../contracts/index.ts";

/**
 * A value as canonical text: equal values have equal text. A schema may make of a column what JSON cannot say, such as a
 * BigInt; that stands as its digits.
 */
export function toSaid(value: unknown): string {
  try {
    return toCanonicalJson(value);
  } catch {
    const plain = JSON.stringify(value, (_, cell) => (typeof cell === "bigint" ? String(cell) : cell));
    return toCanonicalJson(plain === undefined ? null : JSON.parse(plain));
  }
}
