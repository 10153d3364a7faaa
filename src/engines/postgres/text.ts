/**
 * PostgreSQL's text holds every character but U+0000. Where text is ours to choose (names, keys, index columns, what is
 * inside a document) that one becomes U+0001 U+0001, and U+0001 becomes U+0001 U+0002: nothing meets anything else, and
 * the order of the bytes stays what it was.
 */
export const toText = (text: string): string =>
  text.includes("\0") || text.includes(mark) ? text.replaceAll(mark, other).replaceAll("\0", nul) : text;

export const fromText = (text: string): string =>
  text.includes(mark) ? text.replaceAll(escaped, (found) => (found === nul ? "\0" : mark)) : text;

/** The same inside JSON text, where the two are always written as escapes. */
export const toJsonText = (json: string): string =>
  json.includes("\\u000")
    ? json.replaceAll(/\\(?:u000([01])|[\s\S])/g, (found, digit) =>
        digit === undefined ? found : digit === "0" ? "\\u0001\\u0001" : "\\u0001\\u0002",
      )
    : json;

/** A document as it was. PostgreSQL may have written its text anew, so the parsed value is what is looked through. */
export function fromJsonText(json: string): unknown {
  if (!json.includes("\\u0001")) return JSON.parse(json);
  return JSON.parse(json, (_, value: unknown) => {
    if (typeof value === "string") return fromText(value);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? withNames(value) : value;
  });
}

const mark = "\u0001";
const nul = `${mark}${mark}`;
const other = `${mark}\u0002`;
const escaped = new RegExp(`${nul}|${other}`, "g");

const withNames = (value: object): object =>
  Object.keys(value).some((name) => name.includes(mark))
    ? Object.fromEntries(Object.entries(value).map(([name, field]) => [fromText(name), field]))
    : value;
