/**
 * Normalisers that need nothing but the language: text, companies, currencies, languages. Those that stand on a library
 * are beside this door, each in a file of its own, so that only who imports one installs what it needs: `units.ts`
 * (convert), `countries.ts` (i18n-iso-countries), `phones.ts` (libphonenumber-js), `dates.ts` (luxon) and
 * `coordinates.ts` (geo-coordinates-parser). Start with normaliser.ts.
 */
export { languageCode } from "./languages.ts";
export { currencyCode, type Money, type MoneyOptions, money } from "./money.ts";
export { inTurn, type Normaliser, toNormaliser } from "./normaliser.ts";
export { company, plain, text } from "./text.ts";
export { Unusable } from "./unusable.ts";
