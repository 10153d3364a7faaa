/** Telephone numbers in E.164, by the package `libphonenumber-js`, which whoever imports this installs. */
import { type CountryCode, parsePhoneNumberFromString } from "libphonenumber-js";
import { type Normaliser, toNormaliser } from "./normaliser.ts";

/**
 * `+` and up to 15 digits, from however it is written. A number without its country's prefix is one of `country`;
 * without that it is refused. So is one that nobody can have, and one with an extension, which E.164 cannot say.
 */
export function phoneNumber(options: { readonly country?: string } = {}): Normaliser<string> {
  const country = options.country?.toUpperCase() as CountryCode | undefined; // what it does not know it ignores
  return toNormaliser("phone number", (value) => {
    if (typeof value !== "string" && typeof value !== "number") return undefined;
    const number = parsePhoneNumberFromString(String(value), country);
    return number?.isValid() && number.ext === undefined ? number.number : undefined;
  });
}
