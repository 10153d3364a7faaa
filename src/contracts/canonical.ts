/**
 * JSON text that does not depend on the order in which fields were written (keys sorted by code unit, as in RFC 8785):
 * what digests are taken of. Like JSON.stringify it leaves out fields that are undefined.
 */
export function toCanonicalJson(value: unknown): string {
  // Through JSON first: what has a toJSON, such as a Date, is written as JSON.stringify writes it.
  const text = JSON.stringify(value) as string | undefined; // undefined for undefined, which the library's type forgets
  return text === undefined ? "null" : write(JSON.parse(text));
}

// By hand, because an object made of sorted entries still lists keys that look like numbers first, and by size.
function write(plain: unknown): string {
  if (typeof plain !== "object" || plain === null) return JSON.stringify(plain);
  if (Array.isArray(plain)) return `[${plain.map(write).join(",")}]`;
  const fields = Object.entries(plain).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${write(field)}`).join(",")}}`;
}
