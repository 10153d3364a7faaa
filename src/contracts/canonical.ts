/**
 * JSON text that does not depend on the order in which fields were written (keys sorted by code unit, as in RFC 8785):
 * what digests are taken of. Like JSON.stringify it leaves out fields that are undefined.
 */
export function toCanonicalJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  ) as string | undefined; // undefined for undefined, which the library's type forgets
  return text ?? "null";
}
