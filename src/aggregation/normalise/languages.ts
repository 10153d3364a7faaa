import { type Normaliser, toNormaliser } from "./normaliser.ts";

/** A language tag in its canonical form (BCP 47): `"DEU"` is `"de"`, `"pt_br"` is `"pt-BR"`. Unknown languages are refused. */
export const languageCode: Normaliser<string> = toNormaliser("language of BCP 47", (value) => {
  if (typeof value !== "string") return undefined;
  const [tag] = Intl.getCanonicalLocales(value.trim().replaceAll("_", "-"));
  return tag !== undefined && names.of(new Intl.Locale(tag).language) !== undefined ? tag : undefined;
});

const names = new Intl.DisplayNames("en", { type: "language", fallback: "none" });
