/** Takes out of a text what a source is asked with, and what looks like somebody else's secret. */
export type Mask = (text: string) => string;

/**
 * `credentials` is the value of an `authorization` header. "Bearer abc" must not be told and neither must "abc", in
 * whatever writing an upstream repeats it: as it is, as an address, JSON or HTML has it, or in base64.
 */
export function toMask(credentials: string | undefined): Mask {
  const plain = credentials === undefined ? [] : [credentials, credentials.replace(/^\S+\s+/, "")].filter(Boolean);
  if (plain.length === 0) return withoutLikely;
  const known = new RegExp(plain.flatMap((secret) => [inAnyWriting(secret), ...inBase64(secret)]).join("|"), "gi");
  return (text) => withoutLikely(text.replaceAll(known, "[secret]"));
}

const withoutLikely: Mask = (text) =>
  text
    .replaceAll(/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, "$1 [secret]")
    .replaceAll(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, "[secret]");

/** Character by character, since each place escapes others: an address the "=", and JSON alone the quote. */
function inAnyWriting(secret: string): string {
  const writings = [...secret].map((char) => {
    const code = char.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    const bytes = [...Buffer.from(char)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
    const entity = entities[char];
    return [
      ...[bytes, `\\u${hex.padStart(4, "0")}`, `&#${code};`, `&#x${hex};`, `\\${char}`, char],
      ...(entity === undefined ? [] : [entity]),
      ...(char === " " ? ["+"] : []),
    ];
  });
  // The longest first: "%25" begins with what it stands for.
  return writings.map((some) => `(?:${some.map((one) => escaped(one)).join("|")})`).join("");
}
const entities: { readonly [char: string]: string | undefined } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

const inBase64 = (secret: string): readonly string[] =>
  (["base64", "base64url"] as const).map((encoding) =>
    escaped(Buffer.from(secret).toString(encoding).replace(/=+$/, "")),
  );

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
