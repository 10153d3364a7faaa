import { allOf, everything, type Language, not } from "../patterns/language.ts";
import { toLanguage, UnreadablePattern } from "../patterns/parse.ts";
import { wordsOf } from "../patterns/words.ts";
import { hasFormat, samples } from "./formats.ts";
import { type Atom, ofKind } from "./formula.ts";
import { found, none, type Outcome, unknown } from "./outcome.ts";

const wordsWanted = 400;

/** A text that meets all atoms: lengths and patterns are decided, formats and patterns that are not read are tried out. */
export function solveText(atoms: readonly Atom[]): Outcome {
  const min = Math.max(0, ...ofKind(atoms, "least").map(({ size }) => size));
  const max = Math.min(Number.POSITIVE_INFINITY, ...ofKind(atoms, "most").map(({ size }) => size));
  if (min > max) return none;
  const taken = new Set(ofKind(atoms, "none of").flatMap(({ values }) => values));
  const formats = ofKind(atoms, "format");
  const patterns = ofKind(atoms, "pattern");
  for (const one of [...formats, ...patterns])
    if (
      one.met &&
      [...formats, ...patterns].some((other) => other.kind === one.kind && other.text === one.text && !other.met)
    )
      return none;

  const own = formats.find(({ text }) => hasFormat(text, "") === undefined);
  const fits = (text: string): boolean => {
    const length = [...text].length;
    return (
      length >= min &&
      length <= max &&
      !taken.has(text) &&
      patterns.every(({ text: pattern, met }) => new RegExp(pattern, "u").test(text) === met) &&
      // A format of somebody's own is checked by nobody, so a text has it and a text cannot lack it.
      formats.every(({ text: format, met }) => (hasFormat(format, text) ?? true) === met)
    );
  };
  const likely = [...formats.flatMap(({ text }) => samples[text] ?? []), ...plainTexts(min, max, taken.size)].find(
    fits,
  );
  if (likely !== undefined) return found(likely);
  const languages: Language[] = [];
  let unread: string | undefined;
  for (const { text, met } of patterns)
    try {
      const language = toLanguage(text);
      languages.push(met ? language : not(language));
    } catch (error) {
      if (!(error instanceof UnreadablePattern)) throw error;
      unread ??= `the pattern ${JSON.stringify(text)} has ${error.message}`;
    }
  if (patterns.length > 0 && languages.length > 0) {
    const { words, end } = wordsOf(allOf(languages), { min, max }, wordsWanted);
    const word = words.find(fits);
    if (word !== undefined) return found(word);
    if (end === "complete") return none;
    if (end === "gave up") return unknown("its patterns together are too large to be compared");
  }
  if (own) return unknown(`the format "${own.text}" is checked by nobody`);
  if (unread) return unknown(unread);
  if (formats.length > 0)
    return unknown(
      `no text was found that tells the formats apart (${formats.map(({ text, met }) => (met ? text : `not ${text}`)).join(", ")})`,
    );
  if (patterns.length > 0) return unknown("no text was found that its patterns tell apart");
  const { words, end } = wordsOf(everything, { min, max }, taken.size + 1);
  const word = words.find(fits);
  return word !== undefined ? found(word) : end === "complete" ? none : unknown("no text of its length was found");
}

function plainTexts(min: number, max: number, taken: number): readonly string[] {
  const length = Math.min(Math.max(min, 1), max);
  if (length > 1_000_000) return [];
  const texts = [..."xyzabcdefghijklmnopqrstuvwXYZ0123456789-_. "].map((char) => char.repeat(length));
  for (let count = 1; count <= taken && texts.length < 2_000; count += 1)
    texts.push("x".repeat(Math.min(max, length + count)), `${count}`.padStart(length, "x"));
  return [...texts, ""];
}
