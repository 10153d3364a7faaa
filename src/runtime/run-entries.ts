import { Entries, type Entry, refusalOf, type StepKind, Unreadable } from "../orchestration/host.ts";
import type { NewEvent } from "../storage/host.ts";

/** The most entries of one event, and how long they may be together: a page of events is bounded by what is in each. */
const mostTogether = 64;
const longestTogether = 65_536;

/**
 * Entries that are committed together are one event, as long as they are few and short: a row and its index entries cost
 * more than what is in them. It is called after the last of them, so an end is found by its type. Or the sentence that says why they cannot be kept.
 */
export function toEvents(stream: string, entries: readonly Entry[]): NewEvent[] | string {
  if (entries.length === 0) return [];
  if (entries.length <= mostTogether) {
    const data = spell(entries);
    if (data.length <= longestTogether) return [toEvent(stream, entries, data)];
  }
  const texts = entries.map((entry) => JSON.stringify(entry));
  const refused = refusalOf(entries, texts);
  if (refused !== undefined) return refused;
  const events: NewEvent[] = [];
  for (let from = 0, to = 1; from < texts.length; from = to++) {
    for (let size = lengthAt(texts, from); to < texts.length && to - from < mostTogether; to++) {
      size += lengthAt(texts, to);
      if (size > longestTogether) break;
    }
    const together = entries.slice(from, to);
    events.push(toEvent(stream, together, spell(together)));
  }
  return events;
}

function toEvent(stream: string, entries: readonly Entry[], data: string): NewEvent {
  const spans = entries.length;
  const { type } = entries[spans - 1] as Entry; // there is one at least
  return { stream, type, version: 1, data, spans };
}

const lengthAt = (texts: readonly string[], index: number): number => texts[index]?.length ?? 0;

/**
 * What most entries are is spelled by its place in a list and not by the names of its fields, which are longer than what is
 * in them: a word, the path, the ms since the entry before (of a first one since 1970), and then of a `step` or an
 * `undoable` one its name, kind and digest, of one that is `done` what it gave; what `went` gave nothing. All others are
 * objects in the same list, and a lone one is no list. A list in which there are no others begins with how many it holds.
 */
function spell(entries: readonly Entry[]): string {
  const [first] = entries;
  if (entries.length === 1 && first && !isShort(first)) return JSON.stringify(first);
  const spelled: unknown[] = entries.every(isShort) ? [entries.length] : [];
  let before = 0;
  for (const entry of entries) {
    const { at } = entry;
    if (!isShort(entry)) spelled.push(entry);
    else if (entry.type === "StepStarted") {
      const { path, name, kind, digest, undo } = entry;
      spelled.push(undo ? "undoable" : "step", path, at - before, name, kind, digest);
    } else if (entry.wire === undefined) spelled.push("went", entry.path, at - before);
    else spelled.push("done", entry.path, at - before, entry.wire);
    before = at;
  }
  return JSON.stringify(spelled);
}

type Short = Extract<Entry, { readonly type: "StepStarted" | "StepDone" }>;
const isShort = (entry: Entry): entry is Short =>
  entry.type === "StepDone" || (entry.type === "StepStarted" && !entry.copied);

/** A run's entries, of which only those are read that say more than that a step has begun or is done. */
export const emptyEntries = (run: string): Entries => new Entries((text) => entriesIn(run, text));

/** Adds what an event holds. */
export function addEntries(run: string, text: string, entries: Entries): void {
  const short = shortIn(text);
  if (short > 0) entries.addText(text, short);
  else entries.add(entriesIn(run, text));
}

/** How many entries a list says that it holds, where it holds no others; otherwise 0. */
function shortIn(text: string): number {
  let count = 0;
  for (let at = 1; at < 4; at++) {
    const digit = text.charCodeAt(at) - zero;
    if (!(digit >= 0 && digit <= 9)) break;
    count = 10 * count + digit;
  }
  return count;
}
const zero = 48;

/** What an event holds; as journals were spelled before, too: one object, or several in a list. */
export function entriesIn(run: string, text: string): readonly Entry[] {
  const held = parseOf(run, text);
  if (!Array.isArray(held)) return [checked<Entry>(run, held)];
  const entries: Entry[] = [];
  const counted = typeof held[0] === "number" ? 1 : 0;
  let before = 0;
  for (let next = counted; next < held.length; ) {
    const word: unknown = held[next];
    if (typeof word !== "string") {
      const entry = checked<Entry>(run, word);
      entries.push(entry);
      before = entry.at;
      next++;
      continue;
    }
    const path: unknown = held[next + 1];
    const since: unknown = held[next + 2];
    const fields = fieldsOf[word];
    if (fields === undefined || typeof path !== "string" || typeof since !== "number" || next + fields > held.length)
      throw noEntry(run, held.slice(next, next + 6));
    const at = before + since;
    if (word === "done") entries.push({ type: "StepDone", path, wire: held[next + 3], at });
    else if (word === "went") entries.push({ type: "StepDone", path, at });
    else {
      const name = held[next + 3] as string; // as they were spelled, here and below
      const kind = held[next + 4] as StepKind;
      const digest = held[next + 5] as string;
      entries.push({ type: "StepStarted", path, name, kind, digest, undo: word === "undoable", at });
    }
    before = at;
    next += fields;
  }
  if (entries.length === 0 || (counted > 0 && held[0] !== entries.length)) throw noEntry(run, held.slice(0, 6));
  return entries;
}

/** How many places an entry takes in its list, with its word. */
const fieldsOf: { readonly [word: string]: number } = { step: 6, undoable: 6, done: 4, went: 3 };

/** What an event of an inbox holds. */
export const toItem = <T extends object>(run: string, data: string): T => checked<T>(run, parseOf(run, data));

function parseOf(run: string, data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw new Unreadable(`What is kept of run ${run} is no JSON.`, { cause });
  }
}

function checked<T extends object>(run: string, one: unknown): T {
  if (typeof one !== "object" || one === null || Array.isArray(one)) throw noEntry(run, one);
  return one as T; // only this file spells what the streams hold
}

const noEntry = (run: string, one: unknown): Unreadable =>
  new Unreadable(`What is kept of run ${run} is no entry: ${JSON.stringify(one)?.slice(0, 200)}.`);
