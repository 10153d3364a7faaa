import { derive, isNullable, keyOf, type Language } from "./language.ts";
import { type Ranges, type Representative, representatives } from "./ranges.ts";

export interface Lengths {
  /** Of code points. */
  readonly min: number;
  readonly max: number;
}
/** Some texts of a language, shortest first. `complete`: there are no others; `gaveUp`: there may be, and nobody looked. */
export interface Words {
  readonly words: readonly string[];
  readonly end: "complete" | "more" | "gave up";
}

const mostStates = 4_000;
const mostSteps = 60_000;

/** Looks for texts of a language with a length in bounds, by walking its derivatives breadth first. */
export function wordsOf(language: Language, { min, max }: Lengths, wanted: number): Words {
  const automaton = explore(language);
  if (!automaton) return { words: [], end: "gave up" };
  const { accepts, next, alphabet, live } = automaton;
  if (!live[0]) return { words: [], end: "complete" };
  const words: string[] = [];
  // Until the least length is reached every length is a place of its own; after it the shortest way to a state will do
  // for the first text, and every way counts for the ones that follow.
  const first = shortest(automaton, min, max);
  if (first === undefined) return { words: [], end: "gave up" };
  if (first === null) return { words: [], end: "complete" };
  words.push(first);
  let layer: readonly { readonly state: number; readonly text: readonly number[] }[] = [{ state: 0, text: [] }];
  let steps = 0;
  let others = false; // one character stands for its group, so there are more texts than walks
  for (let length = 0; length <= max && layer.length > 0; length += 1) {
    const following: { readonly state: number; readonly text: readonly number[] }[] = [];
    for (const { state, text } of layer) {
      if (length >= min && accepts[state]) {
        const word = String.fromCodePoint(...text);
        if (word !== first) words.push(word);
        if (words.length >= wanted) return { words, end: "more" };
      }
      for (const [index, { char, alone }] of alphabet.entries()) {
        const to = next[state]?.[index] ?? -1;
        if (!live[to] || length === max) continue;
        if (!alone) others = true;
        steps += 1;
        if (steps > mostSteps) return { words, end: "more" };
        following.push({ state: to, text: [...text, char] });
      }
    }
    layer = following;
  }
  return { words, end: others ? "more" : "complete" };
}

interface Automaton {
  readonly alphabet: readonly Representative[];
  readonly accepts: readonly boolean[];
  /** By state and place in the alphabet. */
  readonly next: readonly (readonly number[])[];
  /** Whether a text can still be completed from here. */
  readonly live: readonly boolean[];
}

function explore(language: Language): Automaton | undefined {
  const alphabet = representatives(rangesIn(language));
  const states: Language[] = [language];
  const numbers = new Map([[keyOf(language), 0]]);
  const next: number[][] = [];
  for (let at = 0; at < states.length; at += 1) {
    if (states.length > mostStates) return undefined;
    next.push(
      alphabet.map(({ char }) => {
        const to = derive(states[at] as Language, char); // at is within
        const key = keyOf(to);
        const known = numbers.get(key);
        if (known !== undefined) return known;
        states.push(to);
        numbers.set(key, states.length - 1);
        return states.length - 1;
      }),
    );
  }
  const accepts = states.map(isNullable);
  return { alphabet, accepts, next, live: liveOf(accepts, next) };
}

function liveOf(accepts: readonly boolean[], next: readonly (readonly number[])[]): readonly boolean[] {
  const before: number[][] = accepts.map(() => []);
  for (const [from, row] of next.entries()) for (const to of new Set(row)) before[to]?.push(from);
  const live = [...accepts];
  const queue = accepts.flatMap((accepted, state) => (accepted ? [state] : []));
  for (let state = queue.pop(); state !== undefined; state = queue.pop())
    for (const from of before[state] ?? [])
      if (!live[from]) {
        live[from] = true;
        queue.push(from);
      }
  return live;
}

/** The shortest text in bounds; null where there is none, undefined where the search grew too large. */
function shortest({ accepts, next, alphabet, live }: Automaton, min: number, max: number): string | null | undefined {
  interface Place {
    readonly state: number;
    readonly from?: Place;
    readonly char?: number;
  }
  if (min * accepts.length > 400_000) return undefined;
  let layer: readonly Place[] = [{ state: 0 }];
  const seen = new Set<number>(); // once the least length is reached
  for (let length = 0; layer.length > 0 && length <= max; length += 1) {
    const found = length >= min ? layer.find(({ state }) => accepts[state]) : undefined;
    if (found) {
      const text: number[] = [];
      for (let place: Place | undefined = found; place?.char !== undefined; place = place.from) text.push(place.char);
      return String.fromCodePoint(...text.reverse());
    }
    const following = new Map<number, Place>();
    for (const from of layer) {
      if (length >= min) {
        if (seen.has(from.state)) continue;
        seen.add(from.state);
      }
      for (const [index, { char }] of alphabet.entries()) {
        const to = next[from.state]?.[index] ?? -1;
        if (live[to] && !following.has(to)) following.set(to, { state: to, from, char });
      }
    }
    layer = [...following.values()];
  }
  return null;
}

function rangesIn(language: Language): readonly Ranges[] {
  const found = new Map<string, Ranges>();
  const visit = (one: Language): void => {
    if (one.kind === "chars") found.set(one.key, one.ranges);
    else if (one.kind === "then") {
      visit(one.first);
      visit(one.rest);
    } else if (one.kind === "any" || one.kind === "all") one.parts.forEach(visit);
    else if (one.kind === "not" || one.kind === "repeat") visit(one.part);
  };
  visit(language);
  return [...found.values()];
}
