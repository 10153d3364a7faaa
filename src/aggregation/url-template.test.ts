import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toInstant } from "./instant.ts";
import { fillIn, toUrlTemplate } from "./url-template.ts";

describe("an address with parameters", () => {
  test.each([
    "ftp://a.test/x",
    "a.test/x",
    "https://{host}.test/x",
    "https://me:secret@a.test/x",
    "https://a.test/{iata",
    "https://a.test/}x",
  ])("%s is refused when it is declared", (text) => expect(() => toUrlTemplate(text)).toThrow(TypeError));

  test("no input changes who is asked, climbs out of the path, or adds to the query", () => {
    const template = toUrlTemplate("https://a.test/v1/airports/{iata}/page?lang={lang}");
    const nasty = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "..",
        ".",
        "%2e%2e",
        "../..",
        "a/../../b",
        "//evil.test",
        "?x=1&y",
        "#top",
        "\\..\\",
        "@evil.test",
        "\ud800",
      ),
    );
    fc.assert(
      fc.property(nasty, nasty, (iata, lang) => {
        const filled = fillIn(template, { iata, lang });
        if ("problem" in filled) return;
        const { url } = filled;
        expect(url.origin).toBe("https://a.test");
        expect(url.pathname.split("/")).toHaveLength(5);
        expect(url.pathname).toMatch(/^\/v1\/airports\/.+\/page$/);
        expect([...url.searchParams.keys()]).toEqual(lang === "" ? [] : ["lang"]);
        expect(url.searchParams.get("lang") ?? "").toBe(lang.toWellFormed());
        expect(url.hash).toBe("");
      }),
    );
  });

  test("what is not given, or would climb, is said in words", () => {
    const template = toUrlTemplate("https://a.test/{iata}");
    expect(fillIn(template, {})).toEqual({ problem: 'needs "iata", which was not given' });
    expect(fillIn(template, { iata: ".." })).toHaveProperty("problem");
  });

  test("an origin from the settings stands in for scheme, host and port, and keeps its prefix", () => {
    const filled = fillIn(
      toUrlTemplate("https://a.test/{iata}?x={iata}"),
      { iata: "A/B" },
      "http://127.0.0.1:9000/mirror/",
    );
    expect("url" in filled && filled.url.href).toBe("http://127.0.0.1:9000/mirror/A%2FB?x=A%2FB");
  });
});

describe("an instant", () => {
  const noon = Date.UTC(2026, 0, 2, 12);
  test.each([
    ["2026-01-02T12:00:00Z", noon],
    ["2026-01-02T12:00", noon],
    ["2026-01-02 13:00:00+01:00", noon],
    ["2026-01-02T13:00:00+0100", noon],
    ["2026-01-02", noon - 12 * 3_600_000],
    [noon, noon],
    [noon / 1_000, noon],
    [String(noon), noon],
    [new Date(noon), noon],
  ])("%s is read, in UTC unless it says otherwise", (given, read) => expect(toInstant(given)).toBe(read));
  test.each(["yesterday", "02/01/2026", "", null, undefined, {}, Number.NaN, Number.POSITIVE_INFINITY, new Date("x")])(
    "%s is none",
    (given) => expect(toInstant(given)).toBeUndefined(),
  );
});
