import { fullFormats } from "ajv-formats/dist/formats.js";
import { isRecord } from "../plain.ts";

/** Whether a text has a format, for the formats of JSON Schema that are checked; undefined for names of somebody's own. */
export function hasFormat(format: string, text: string): boolean | undefined {
  const known = formats[format];
  if (known === undefined) return undefined;
  if (isOfNumbers(known)) return true;
  if (known === true) return true;
  if (known instanceof RegExp) return new RegExp(known.source, known.flags).test(text); // a shared one may remember a place
  if (typeof known === "function") return Boolean((known as (text: string) => unknown)(text));
  const { validate } = known as { readonly validate?: unknown };
  if (validate instanceof RegExp) return new RegExp(validate.source, validate.flags).test(text);
  return typeof validate === "function" ? Boolean((validate as (text: string) => unknown)(text)) : undefined;
}

/** Whether a number has a format; formats of texts say nothing of numbers. */
export function hasNumberFormat(format: string, value: number): boolean {
  const known = formats[format];
  return !isOfNumbers(known) || known.validate(value);
}

export const isKnownFormat = (format: string): boolean => formats[format] !== undefined;

const formats = fullFormats as { readonly [name: string]: unknown };
const isOfNumbers = (known: unknown): known is { readonly validate: (value: number) => boolean } =>
  isRecord(known) && known.type === "number" && typeof known.validate === "function";

/** Texts of each format, to begin a search with: plain ones first, then those that stricter readers refuse. */
export const samples: { readonly [format: string]: readonly string[] } = {
  "date-time": [
    "2026-01-31T12:00:00Z",
    "2026-01-31T12:00:00.123Z",
    "2026-01-31T12:00:00+01:00",
    "2026-01-31t12:00:00z",
  ],
  date: ["2026-01-31", "2024-02-29"],
  time: ["12:00:00Z", "12:00:00.5+01:00"],
  "iso-time": ["12:00:00", "12:00:00Z"],
  "iso-date-time": ["2026-01-31T12:00:00", "2026-01-31T12:00:00Z"],
  duration: ["P1D", "PT1H30M"],
  email: ["ann@example.com", "ann+x@example.co", "a!b@example.com"],
  hostname: ["example.com", "localhost"],
  ipv4: ["192.0.2.1", "10.0.0.255"],
  ipv6: ["2001:db8::1", "::1"],
  uri: ["https://example.com/a", "urn:isbn:0451450523", "mailto:ann@example.com"],
  "uri-reference": ["https://example.com/a", "/a/b", "a"],
  "uri-template": ["https://example.com/{a}"],
  url: ["https://example.com/a", "ftp://example.com"],
  uuid: [
    "7d444840-9dc0-41d1-b245-5ffdce74fad2",
    "00000000-0000-0000-0000-000000000001",
    "URN:UUID:7D444840-9DC0-41D1-B245-5FFDCE74FAD2",
  ],
  regex: ["^a$", "."],
  "json-pointer": ["/a", ""],
  "relative-json-pointer": ["1/a", "0#"],
  byte: ["YWJj", ""],
  binary: ["x"],
  password: ["x"],
};
