import { type Normaliser, toNormaliser } from "./normaliser.ts";

/** Text in Unicode's composed form (NFC), without control characters, with single blanks. Case and accents stay. */
export const text: Normaliser<string> = toNormaliser("text", (value) =>
  isText(value) ? tidy(String(value)) : undefined,
);

/**
 * Text to be compared and not to be shown: lower case, without accents and punctuation. `"Zürich–Kloten"` and
 * `"ZURICH KLOTEN"` are both `"zurich kloten"`.
 */
export const plain: Normaliser<string> = toNormaliser("text", (value) =>
  isText(value) ? toPlainText(String(value)) || undefined : undefined,
);

/** The same for the name of a company, without its legal form: `"Müller GmbH & Co. KG"` is `"muller"`. */
export const company: Normaliser<string> = toNormaliser("name", (value) => {
  if (!isText(value)) return undefined;
  const words = toPlainText(String(value)).split(" ");
  // A company may be called "Co"; its only word is its name.
  while (words.length > 1 && legalForms.has(words.at(-1) ?? "")) words.pop();
  return words.join(" ") || undefined;
});

const isText = (value: unknown): boolean => typeof value === "string" || typeof value === "number";

function tidy(value: string): string | undefined {
  // Format characters (soft hyphen, zero-width space, direction marks) are there to be seen by nobody.
  const bare = value
    .toWellFormed()
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .replaceAll(/\p{Cf}+/gu, "");
  return bare.normalize("NFC").replaceAll(/\s+/gu, " ").trim() || undefined;
}

function toPlainText(value: string): string {
  const bare = value
    .toWellFormed()
    .normalize("NFKD")
    .replaceAll(/[\p{M}\p{Cf}]+/gu, "")
    .toLowerCase();
  const letters = bare
    .normalize("NFKD")
    .replaceAll(/\p{M}+/gu, "")
    .replaceAll(/[ßæœøłđðþıħŋ]/g, (letter) => spelt[letter] ?? letter);
  const joined = letters.replaceAll(/['’ʼ`´]/gu, "").replaceAll(/\b(\p{L})\.(?=\p{L}\b)/gu, "$1");
  return joined.replaceAll(/[^\p{L}\p{N}]+/gu, " ").trim();
}

// Letters of their own, which Unicode takes for no accented ones.
const spelt: { readonly [letter: string]: string } = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ı: "i",
  ħ: "h",
  ŋ: "n",
};

const legalForms = new Set(
  (
    "ab ag as asa aps bv bvba co company corp corporation cv eg ev gbr gesmbh gmbh holding holdings inc incorporated " +
    "kft kg kgaa kk kommanditgesellschaft limited llc llp lp ltd mbh nv ohg oy oyj plc pty pte pvt sa sarl sas sca scs se sl slu spa spol " +
    "sp srl sro ug und and y et cie zoo"
  ).split(" "),
);
