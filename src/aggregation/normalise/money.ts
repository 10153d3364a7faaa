import { type Normaliser, toNormaliser } from "./normaliser.ts";

/** An amount in the smallest unit of its currency, so that it adds up: 12.50 EUR is `{ currency: "EUR", minor: 1250 }`. */
export interface Money {
  readonly currency: string;
  /** A whole number that JavaScript can count with. */
  readonly minor: number;
}
export interface MoneyOptions {
  /** Of amounts that name none. */
  readonly currency?: string;
  /** What separates the fraction in text; `"."` unless said otherwise. The other of the two groups thousands. */
  readonly decimal?: "." | ",";
}

/** A currency of ISO 4217 by its three letters. A symbol is none: a `$` is at home in twenty countries. */
export const currencyCode: Normaliser<string> = toNormaliser("currency of ISO 4217", (value) => {
  const code = typeof value === "string" ? value.trim().toUpperCase() : "";
  return isCurrency(code) ? code : undefined;
});

/**
 * `"EUR 1,234.50"`, `"1234.50 EUR"`, a number or text in `currency`, or `{ currency, minor }`. An amount with more digits
 * than its currency has is refused and not rounded: nobody knows who pays the difference.
 */
export function money(options: MoneyOptions = {}): Normaliser<Money> {
  const own = options.currency?.toUpperCase();
  if (own !== undefined && !isCurrency(own)) throw new TypeError(`"${own}" is no currency of ISO 4217, like "EUR".`);
  return toNormaliser("amount of money", (value) => {
    if (typeof value === "object") return fromParts(value as Partial<Money>);
    const said = typeof value === "number" ? toDigits(value) : inPoints(String(value), options.decimal ?? ".");
    const [, before = "", amount = "", after = ""] =
      /^([A-Za-z]{3})?\s*([-+]?\d+(?:\.\d+)?)\s*([A-Za-z]{3})?$/.exec(said) ?? [];
    if (before && after) return undefined;
    const currency = (before || after || own || "").toUpperCase();
    return isCurrency(currency) ? toMoney(currency, amount) : undefined;
  });
}

function toMoney(currency: string, amount: string): Money | undefined {
  const [, sign = "", whole = "", fraction = ""] = /^([-+]?)(\d+)(?:\.(\d+?)0*)?$/.exec(amount) ?? [];
  const digits = digitsOf(currency);
  const rest = fraction === "0" ? "" : fraction;
  if (whole === "" || rest.length > digits) return undefined;
  const minor = Number(`${sign}${whole}${rest.padEnd(digits, "0")}`);
  return Number.isSafeInteger(minor) ? { currency, minor: minor + 0 || 0 } : undefined;
}

function fromParts({ currency, minor }: Partial<Money>): Money | undefined {
  const code = typeof currency === "string" ? currency.trim().toUpperCase() : "";
  return isCurrency(code) && typeof minor === "number" && Number.isSafeInteger(minor)
    ? { currency: code, minor: minor || 0 }
    : undefined;
}

/** The digits of a number as JavaScript writes them, without an exponent: those are out of reach of every currency. */
const toDigits = (value: number): string => (/e/.test(String(value)) ? "" : String(value));

/** With a point before the fraction, and without anything between thousands, which must stand where thousands are. */
function inPoints(said: string, decimal: "." | ","): string {
  const group = decimal === "." ? "," : "\\.";
  const bare = said.trim().replaceAll(/[\u00a0\u202f'’]/g, " ");
  const grouped = new RegExp(`\\d{1,3}(?:(?:${group}|(?<=\\d) )\\d{3})+(?![\\d])`);
  const joined = bare.replace(grouped, (digits) => digits.replaceAll(/[^\d]/g, ""));
  if (decimal === ",") return joined.includes(".") ? "" : joined.replace(",", ".");
  return joined;
}

const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));
const isCurrency = (code: string): boolean => currencies.has(code);

// ISO 4217 itself: what Intl says is what people write, and nobody writes the filler of a forint.
const digitsOf = (currency: string): number => unusualDigits[currency] ?? 2;
const unusualDigits: { readonly [currency: string]: number } = {
  ...Object.fromEntries(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" ").map((code) => [code, 0]),
  ),
  ...Object.fromEntries("BHD IQD JOD KWD LYD OMR TND".split(" ").map((code) => [code, 3])),
  CLF: 4,
  UYW: 4,
};
