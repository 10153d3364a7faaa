import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allOf, derive, isNullable, type Language, not } from "./language.ts";
import { toLanguage, UnreadablePattern } from "./parse.ts";
import { wordsOf } from "./words.ts";

const has = (language: Language, text: string): boolean =>
  isNullable([...text].reduce((left, char) => derive(left, char.codePointAt(0) ?? 0), language));

const atoms = fc.constantFrom(
  "a",
  "b",
  ".",
  "[ab]",
  "[^a]",
  "\\d",
  "\\w",
  "\\.",
  "[a-c1-3]",
  "(?:)",
  "ä",
  "\\u{1F600}",
  "\\S",
);
const { pattern: patterns } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 4 },
    atoms,
    fc.array(tie("pattern"), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("")),
    fc.tuple(tie("pattern"), tie("pattern")).map(([one, other]) => `(${one}|${other})`),
    fc
      .tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "{2}", "{1,2}", "{1,}", "*?"))
      .map(([part, times]) => `(?:${part})${times}`),
    tie("pattern").map((part) => `^${part}`),
    tie("pattern").map((part) => `${part}$`),
    fc
      .tuple(fc.constantFrom("=", "!"), tie("pattern"), tie("pattern"))
      .map(([sign, seen, rest]) => `(?${sign}${seen})${rest}`),
  ),
}));
const texts = fc.string({ unit: fc.constantFrom("a", "b", "c", "1", ".", "ä", "😀", "\n"), maxLength: 6 });
/** Asked at each of a text's characters: by itself V8 also looks, for a lookahead alone, between the halves of one. */
function finds(pattern: string, text: string): boolean {
  const expression = new RegExp(pattern, "uy");
  const ends = [...text].map((_, index, all) => all.slice(0, index + 1).join("").length);
  return [0, ...ends].some((at) => {
    expression.lastIndex = at;
    return expression.test(text);
  });
}

describe("a pattern read as a language", () => {
  it("has the texts in which this machine's own expression finds it", () => {
    let read = 0;
    fc.assert(
      fc.property(patterns, fc.array(texts, { minLength: 10, maxLength: 10 }), (pattern, words) => {
        let language: Language;
        try {
          language = toLanguage(pattern);
        } catch (error) {
          if (error instanceof UnreadablePattern) return;
          throw error;
        }
        read += 1;
        for (const word of words)
          expect([pattern, word, has(language, word)]).toEqual([pattern, word, finds(pattern, word)]);
      }),
      { numRuns: 2_000 },
    );
    expect(read).toBeGreaterThan(1_000);
  });

  it("gives texts of its own, and none of another's where it excludes them", () => {
    fc.assert(
      fc.property(patterns, patterns, (one, other) => {
        let language: Language;
        try {
          language = allOf([toLanguage(one), not(toLanguage(other))]);
        } catch (error) {
          if (error instanceof UnreadablePattern) return;
          throw error;
        }
        for (const word of wordsOf(language, { min: 0, max: 8 }, 5).words)
          expect([word, finds(one, word), finds(other, word)]).toEqual([word, true, false]);
      }),
      { numRuns: 500 },
    );
  });

  it.each(["\\bseat", "(a)\\1", "(?<=a)b", "(?<n>a)\\k<n>", "(^a)*"])(
    "is refused where it cannot be read: %s",
    (pattern) => {
      expect(() => toLanguage(pattern)).toThrow(UnreadablePattern);
    },
  );

  it("counts lengths in characters, and finds that none is left", () => {
    expect(wordsOf(toLanguage("^[a-z]{2,4}$"), { min: 3, max: 3 }, 1).words[0]).toHaveLength(3);
    expect(wordsOf(toLanguage("^[a-z]{2,4}$"), { min: 5, max: 9 }, 1)).toEqual({ words: [], end: "complete" });
    expect(wordsOf(toLanguage("^(a|b)$"), { min: 0, max: 9 }, 9)).toEqual({ words: ["a", "b"], end: "complete" });
  });
});
