import {
  allOf,
  anyOf,
  chars,
  empty,
  everything,
  isNullable,
  type Language,
  never,
  not,
  repeat,
  sequence,
} from "./language.ts";
import { charsOf, complement, digits, dot, everyChar, type Ranges, spaces, union, wordChars } from "./ranges.ts";

/** What a pattern uses and this reading of patterns does not: said instead of guessed. */
export class UnreadablePattern extends Error {}

/** The texts in which a JSON Schema `pattern` (ECMA-262 with the flag `u`) is found. */
export function toLanguage(pattern: string): Language {
  const node = new Parser(pattern).parse();
  const before = sequence(chars(everyChar), everything);
  return anyOf([compile(node, everything, true), sequence(before, compile(node, everything, false))]);
}

type Node =
  | { readonly kind: "chars"; readonly ranges: Ranges }
  | { readonly kind: "sequence"; readonly parts: readonly Node[] }
  | { readonly kind: "choice"; readonly parts: readonly Node[] }
  | { readonly kind: "repeat"; readonly part: Node; readonly min: number; readonly max: number }
  | { readonly kind: "start" }
  | { readonly kind: "end" }
  | { readonly kind: "ahead"; readonly part: Node; readonly positive: boolean };

/** The texts that a node and then `rest` make. `atStart` says whether nothing came before. */
function compile(node: Node, rest: Language, atStart: boolean): Language {
  switch (node.kind) {
    case "chars":
      return sequence(chars(node.ranges), rest);
    case "start":
      return atStart ? rest : never;
    case "end":
      return isNullable(rest) ? empty : never;
    case "ahead": {
      const seen = compile(node.part, everything, atStart);
      return allOf([node.positive ? seen : not(seen), rest]);
    }
    case "choice":
      return anyOf(node.parts.map((part) => compile(part, rest, atStart)));
    case "sequence": {
      let language = rest;
      for (let index = node.parts.length - 1; index >= 0; index -= 1) {
        const before = node.parts.slice(0, index);
        const stillAtStart = atStart && before.every(isZeroWidth);
        const part = node.parts[index] as Node; // index is within
        if (!stillAtStart && atStart && hasStart(part) && before.some(mayBeEmpty) && before.every(mayBeEmpty))
          throw new UnreadablePattern("^ after something that may be empty");
        language = compile(part, language, stillAtStart);
      }
      return language;
    }
    case "repeat": {
      if (isPlain(node.part)) return sequence(repeat(compile(node.part, empty, false), node.min, node.max), rest);
      if (node.min === 0 && node.max === 1) return anyOf([compile(node.part, rest, atStart), rest]);
      throw new UnreadablePattern("an anchor or a lookahead that is repeated");
    }
  }
}

const isZeroWidth = (node: Node): boolean => node.kind === "start" || node.kind === "end" || node.kind === "ahead";
const mayBeEmpty = (node: Node): boolean => {
  if (node.kind === "chars") return false;
  if (node.kind === "sequence") return node.parts.every(mayBeEmpty);
  if (node.kind === "choice") return node.parts.some(mayBeEmpty);
  return node.kind !== "repeat" || node.min === 0 || mayBeEmpty(node.part);
};
const hasStart = (node: Node): boolean => {
  if (node.kind === "sequence" || node.kind === "choice") return node.parts.some(hasStart);
  if (node.kind === "repeat" || node.kind === "ahead") return hasStart(node.part);
  return node.kind === "start";
};
/** Without anchors and lookaheads: it means the same wherever it stands. */
const isPlain = (node: Node): boolean => {
  if (node.kind === "sequence" || node.kind === "choice") return node.parts.every(isPlain);
  if (node.kind === "repeat") return isPlain(node.part);
  return node.kind === "chars";
};

const escapes: { readonly [letter: string]: number } = { n: 10, r: 13, t: 9, v: 11, f: 12, "0": 0 };

class Parser {
  readonly #text: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    new RegExp(pattern, "u"); // what is no pattern at all throws here, with the machine's own words
    this.#text = [...pattern];
  }

  parse(): Node {
    const node = this.#choice();
    if (this.#at < this.#text.length) throw new UnreadablePattern(`"${this.#text[this.#at]}" where nothing is open`);
    return node;
  }

  #choice(): Node {
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    return parts.length === 1 ? (parts[0] as Node) : { kind: "choice", parts };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    while (this.#at < this.#text.length && this.#peek() !== "|" && this.#peek() !== ")") parts.push(this.#term());
    return parts.length === 1 ? (parts[0] as Node) : { kind: "sequence", parts };
  }

  #term(): Node {
    const part = this.#atom();
    const [min, max] = this.#quantifier();
    this.#take("?"); // lazy or greedy, the texts are the same
    return min === 1 && max === 1 ? part : { kind: "repeat", part, min, max };
  }

  #quantifier(): readonly [number, number] {
    if (this.#take("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#take("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#take("?")) return [0, 1];
    const rest = this.#text.slice(this.#at, this.#at + 24).join("");
    const [whole, min = "", comma, max] = /^\{(\d+)(,)?(\d*)\}/.exec(rest) ?? [];
    if (whole === undefined) return [1, 1];
    this.#at += whole.length;
    return [Number(min), comma === undefined ? Number(min) : max ? Number(max) : Number.POSITIVE_INFINITY];
  }

  #atom(): Node {
    const char = this.#next();
    if (char === "(") return this.#group();
    if (char === "[") return { kind: "chars", ranges: this.#set() };
    if (char === ".") return { kind: "chars", ranges: dot };
    if (char === "^") return { kind: "start" };
    if (char === "$") return { kind: "end" };
    if (char === "\\") return { kind: "chars", ranges: this.#escape() };
    return { kind: "chars", ranges: one(char) };
  }

  #group(): Node {
    let ahead: boolean | undefined;
    if (this.#take("?")) {
      const mark = this.#next();
      if (mark === "=" || mark === "!") ahead = mark === "=";
      else if (mark === "<" && this.#peek() !== "=" && this.#peek() !== "!") while (this.#next() !== ">");
      else if (mark !== ":") throw new UnreadablePattern(`a group that begins with (?${mark}`);
    }
    const part = this.#choice();
    if (!this.#take(")")) throw new UnreadablePattern("a group without an end");
    return ahead === undefined ? part : { kind: "ahead", part, positive: ahead };
  }

  #set(): Ranges {
    const negated = this.#take("^");
    let ranges: Ranges = [];
    while (!this.#take("]")) {
      const from = this.#member();
      const [only] = from;
      if (
        this.#peek() === "-" &&
        this.#text[this.#at + 1] !== "]" &&
        from.length === 1 &&
        only &&
        only[0] === only[1]
      ) {
        this.#at += 1;
        const to = this.#member()[0];
        if (!to) throw new UnreadablePattern("a range without an end");
        ranges = union(ranges, [[only[0], to[1]]]);
      } else ranges = union(ranges, from);
    }
    return negated ? complement(ranges) : ranges;
  }

  #member(): Ranges {
    const char = this.#next();
    if (char !== "\\") return one(char);
    if (this.#take("b")) return [[8, 8]];
    return this.#escape();
  }

  #escape(): Ranges {
    const letter = this.#next();
    if (letter === "d") return digits;
    if (letter === "D") return complement(digits);
    if (letter === "w") return wordChars;
    if (letter === "W") return complement(wordChars);
    if (letter === "s") return spaces;
    if (letter === "S") return complement(spaces);
    if (letter === "p" || letter === "P") {
      let name = `\\${letter}`;
      do name += this.#next();
      while (!name.endsWith("}"));
      return charsOf(name);
    }
    if (letter === "b" || letter === "B") throw new UnreadablePattern(`the word boundary \\${letter}`);
    if (letter === "k" || /[1-9]/.test(letter)) throw new UnreadablePattern(`the backreference \\${letter}`);
    if (letter === "c")
      return [[(this.#next().codePointAt(0) ?? 0) % 32, (this.#text[this.#at - 1]?.codePointAt(0) ?? 0) % 32]];
    if (letter === "x") return this.#hex(2);
    if (letter === "u") {
      if (!this.#take("{")) return this.#hex(4);
      let digitsOf = "";
      for (let char = this.#next(); char !== "}"; char = this.#next()) digitsOf += char;
      return point(Number.parseInt(digitsOf, 16));
    }
    return point(escapes[letter] ?? letter.codePointAt(0) ?? 0);
  }

  #hex(length: number): Ranges {
    let text = "";
    for (let index = 0; index < length; index += 1) text += this.#next();
    const value = Number.parseInt(text, 16);
    if (value >= 0xd800 && value <= 0xdfff) throw new UnreadablePattern("half of a surrogate pair");
    return point(value);
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }
  #next(): string {
    const char = this.#text[this.#at];
    if (char === undefined) throw new UnreadablePattern("an end where more should come");
    this.#at += 1;
    return char;
  }
  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at += 1;
    return true;
  }
}

const point = (value: number): Ranges => [[value, value]];
const one = (char: string): Ranges => point(char.codePointAt(0) ?? 0);
