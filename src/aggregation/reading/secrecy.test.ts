import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toMask } from "./secrecy.ts";

/** What a header can carry, which is all that a token can be. */
const secret = fc.string({
  unit: fc.constantFrom(...Array.from({ length: 94 }, (_, at) => String.fromCharCode(at + 33))),
  minLength: 8,
  maxLength: 60,
});
const writings: readonly ((text: string) => string)[] = [
  (text) => text,
  encodeURIComponent,
  (text) => encodeURIComponent(text).replaceAll(/%../g, (byte) => byte.toLowerCase()),
  (text) => new URLSearchParams({ t: text }).toString().slice(2),
  (text) => new URL(`https://a.test/?${text}`).href.slice("https://a.test/?".length),
  (text) => JSON.stringify(text).slice(1, -1),
  (text) => text.replaceAll("/", "\\/").replaceAll("&", "\\u0026"),
  (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("'", "&#39;"),
  (text) => Buffer.from(text).toString("base64"),
  (text) => Buffer.from(text).toString("base64url"),
];

describe("what a source is asked with", () => {
  test("is taken out of a text in whatever writing it stands there", () => {
    fc.assert(
      fc.property(secret, fc.constantFrom(...writings), fc.constantFrom("", "Bearer "), (own, write, scheme) => {
        // An address ends at its fragment, and drops a tab.
        fc.pre(!(write === writings[4] && own.includes("#")));
        const shown = toMask(scheme + own)(`before ${write(own)} after`);
        expect(shown).not.toContain(write(own));
        expect(shown).toMatch(/^before .*after$/);
      }),
    );
  });

  test("takes nothing else with it", () => {
    expect(toMask("Bearer a.b")("axb a.c 100% \\u0041")).toBe("axb a.c 100% \\u0041");
    expect(toMask(undefined)("a text")).toBe("a text");
  });
});

test("what looks like somebody's secret is taken out as well", () => {
  expect(toMask(undefined)("asked with Bearer abc.def and Basic eHk= and eyJh.eyJi.c")).toBe(
    "asked with Bearer [secret] and Basic [secret] and [secret]",
  );
});
