import type * as FastCheck from "fast-check";
import type { JsonSchema } from "../../contracts/index.ts";
import { listOf, numberOr } from "./schema-words.ts";

type Arbitrary = FastCheck.Arbitrary<unknown>;
type Library = typeof FastCheck;

/**
 * Texts of a schema: of its format, of its patterns, within its lengths; of a format and patterns together, what fits both
 * where that is found.
 */
export function toTexts(fc: Library, schema: JsonSchema): Arbitrary {
  const least = numberOr(schema.minLength, 0);
  const most = numberOr(schema.maxLength, Infinity);
  const ofFormat = typeof schema.format === "string" ? formatted(fc, schema.format, least, most) : undefined;
  const patterns = [schema.pattern, ...listOf(schema["x-patterns"])].filter((one) => typeof one === "string");
  const matching = patterns.length > 0 ? matched(fc, [...new Set(patterns)], least, most) : undefined;
  if (ofFormat && matching)
    return fc
      .tuple(ofFormat, matching.texts)
      .map(([one, other]) => (matching.fits(String(one)) || !matching.fits(other) ? one : other));
  const maxLength = Math.max(least, Math.min(most, least + 12));
  return ofFormat ?? matching?.texts ?? fc.string({ minLength: least, maxLength, unit: "grapheme-ascii" });
}

/**
 * Texts for patterns and lengths together: one for each pattern, one after the other and filled up. Not all of them fit,
 * and nothing is given where fast-check draws from no such pattern: whoever draws looks.
 */
function matched(
  fc: Library,
  patterns: readonly string[],
  least: number,
  most: number,
): { readonly texts: FastCheck.Arbitrary<string>; fits(text: string): boolean } | undefined {
  // What begins a text comes first, what ends it last.
  const rank = (pattern: string): number => (pattern.startsWith("^") ? 0 : pattern.endsWith("$") ? 2 : 1);
  try {
    const tests = [...patterns].sort((one, other) => rank(one) - rank(other)).map((one) => new RegExp(one));
    const fits = (text: string): boolean =>
      text.length >= least && text.length <= most && tests.every((test) => test.test(text));
    const each = tests.map((test) => fc.stringMatching(test, { size: least > 12 ? "medium" : "xsmall" }));
    const texts = fc.tuple(...each).map((parts) => {
      const whole = parts.join("");
      const fillings = [..."a0A"].map((letter) => letter.repeat(Math.max(0, least - whole.length)));
      const filled = fillings.flatMap((fill) => [
        whole + fill,
        fill + whole,
        (parts[0] ?? "") + fill + parts.slice(1).join(""),
      ]);
      return [...parts, whole, ...filled].find(fits) ?? whole;
    });
    return { texts, fits };
  } catch {
    return undefined;
  }
}

/** The first of some texts that is short enough, filled up where it is too short. */
function sized(
  fc: Library,
  least: number,
  most: number,
  textsOf: (n: number, fill: string) => readonly string[],
): Arbitrary {
  return fc.integer({ min: 1, max: 9_999 }).map((n) => {
    const texts = textsOf(n, "");
    const at = texts.findIndex((text) => text.length <= most);
    const text = texts.at(at) ?? "";
    return textsOf(n, "x".repeat(Math.max(0, least - text.length))).at(at);
  });
}

function formatted(fc: Library, format: string, least: number, most: number): Arbitrary | undefined {
  const date = fc.date({ min: new Date("1970-01-01"), max: new Date("2099-12-31"), noInvalidDate: true });
  const iso = date.map((at) => at.toISOString());
  switch (format) {
    case "uuid":
      return fc.uuid();
    case "date-time":
      return iso;
    case "date":
      return iso.map((at) => at.slice(0, 10));
    case "time":
      return iso.map((at) => at.slice(11, 19));
    case "duration":
      return fc.integer({ min: 1, max: 400 }).map((days) => `P${days}D`);
    case "email":
      return sized(fc, least, most, (n, fill) => [
        `caller${fill}${n}@example.com`,
        `${n}${fill}@example.com`,
        `c${n}${fill}@a.io`,
        `${n % 10}${fill}@a.io`,
      ]);
    case "hostname":
      return sized(fc, least, most, (n, fill) => [
        `host${n}${fill}.example.com`,
        `h${n}${fill}.io`,
        `h${n % 10}${fill}`,
      ]);
    case "ipv4":
      return fc.ipV4();
    case "ipv6":
      return fc.ipV6();
    case "uri":
    case "url":
    case "uri-reference":
      return sized(fc, least, most, (n, fill) => [
        `https://example.com/${n}${fill}`,
        `http://a.io/${n % 10}${fill}`,
        `http://a.io/${fill}`,
        `http://a/${fill}`,
      ]);
    default:
      return undefined;
  }
}
