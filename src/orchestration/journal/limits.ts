import type { Entry } from "./journal.ts";

/** The most bytes of one entry: an input, a step's result, an output, the payload of a signal. */
export const entryBytes: number = 2 ** 20;
/** The most entries that a run may write; what brings it to its end or to a halt may go beyond, up to `entriesToEnd`. */
export const entriesOfRun = 50_000;
/** With its undo: each step may have half a dozen entries more. */
const entriesToEnd: number = 5 * entriesOfRun;

/** Why entries cannot be kept because of their size, as a sentence; undefined where they can. `texts` are the entries, in JSON. */
export function refusalOf(entries: readonly Entry[], texts: readonly string[]): string | undefined {
  // No UTF-16 unit takes more than three bytes, so most entries need no counting.
  const large = texts.findIndex((text) => text.length * 3 > entryBytes && Buffer.byteLength(text) > entryBytes);
  if (large < 0) return undefined;
  const size = Buffer.byteLength(texts[large] ?? "");
  return `an entry "${entries[large]?.type}" of ${size} bytes, where ${entryBytes} are the most. Keep large values in a store, and pass their keys on.`;
}

/**
 * Why a run may not write so many entries more, as a sentence; undefined where it may. What is written while it comes to
 * its end (`isEnding`: its undo, with the steps of that) has a limit of its own, so that there is a way out of this one.
 */
export function tooManyOf(written: number, entries: readonly Entry[], isEnding: () => boolean): string | undefined {
  const count = written + entries.length;
  if (count <= entriesOfRun || entries.every(({ type }) => closing.has(type))) return undefined;
  if (!isEnding())
    return `its entry ${entriesOfRun + 1}, where ${entriesOfRun} are the most. A workflow that goes on for ever continues as new now and then.`;
  if (count <= entriesToEnd) return undefined;
  return `its entry ${entriesToEnd + 1}, where ${entriesToEnd} are the most that a run may have with its undo. Terminate it.`;
}

const closing: ReadonlySet<string> = new Set(["Claimed", "Steered", "Paused", "Ended", "Retried"]);
