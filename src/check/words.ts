/** The words that a name is made of, in small letters: `firstName`, `first-name` and `FIRST_NAME` are the same two. */
export function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{Letter}\d]+/u)
    .filter(Boolean);
}

/** Whether some words stand one after the other among others; the last one may be a plural. */
export function hasPhrase(words: readonly string[], phrase: readonly string[]): boolean {
  return words.some((_, from) =>
    phrase.every((word, at) => {
      const found = words[from + at];
      return found === word || (at === phrase.length - 1 && found !== undefined && isPluralOf(found, word));
    }),
  );
}

const isPluralOf = (found: string, word: string): boolean =>
  found === `${word}s` || found === `${word}es` || (word.endsWith("y") && found === `${word.slice(0, -1)}ies`);

/** A sentence with its full stop, where somebody else's words end it. */
export const ended = (sentence: string): string => (/[.!?…]$/.test(sentence) ? sentence : `${sentence}.`);
