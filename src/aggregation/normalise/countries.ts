/** Countries by their code, by the package `i18n-iso-countries`, which whoever imports this installs. */
import countries from "i18n-iso-countries";
import { type Normaliser, toNormaliser } from "./normaliser.ts";

/**
 * A country's two letters (ISO 3166-1), from its two or three letters, its three digits, or its name. Names are looked
 * up in English unless `languages` says otherwise, without regard to case and accents; `also` has those that the
 * standard does not, like `{ Burma: "MM" }`.
 */
export function countryCode(
  options: { readonly languages?: readonly string[]; readonly also?: { readonly [name: string]: string } } = {},
): Normaliser<string> {
  const { languages = ["en"], also = {} } = options;
  const known = countries.getSupportedLanguages();
  for (const language of languages)
    if (!known.includes(language)) throw new TypeError(`Country names are not known in "${language}".`);
  const names = new Map(Object.entries(also).map(([name, code]) => [toKey(name), code.toUpperCase()]));
  for (const code of names.values())
    if (!countries.isValid(code)) throw new TypeError(`"${code}" is no code of a country, like "MM".`);
  return toNormaliser("country of ISO 3166", (value) => {
    if (typeof value !== "string" && typeof value !== "number") return undefined;
    const said = String(value).trim();
    const named = names.get(toKey(said));
    if (named) return named;
    const code = /^\d{1,3}$/.test(said) ? said.padStart(3, "0") : said.toUpperCase();
    if (/^([A-Z]{2,3}|\d{3})$/.test(code)) {
      const two = countries.toAlpha2(code);
      if (two && countries.isValid(two)) return two; // two letters that nobody has are handed back as they are
    }
    return languages.map((language) => countries.getSimpleAlpha2Code(said, language)).find(Boolean);
  });
}

const toKey = (name: string): string => name.trim().toLowerCase();
