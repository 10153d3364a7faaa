import type { Entry, RunRow } from "./journal.ts";

/** The most bytes of one entry: an input, a step's result, an output, the payload of a signal. */
export const entryBytes: number = 2 ** 20;
/** The most entries that a run may write; what brings it to its end or to a halt may go beyond, up to `entriesToEnd`. */
export const entriesOfRun = 50_000;
/** With its undo: each step may have half a dozen entries more. */
const entriesToEnd: number = 5 * entriesOfRun;

/** How large a run's journal may become, in characters of JSON; with its undo, twice as large. */
const sizeOfRun: number = 64 * 2 ** 20;
/** What nobody reads into memory, whoever wrote it: the last append before the limit may have been a large one. */
export const sizeToRead: number = 3 * sizeOfRun;
/** Signals that a run has not taken: more are refused. How many, and how large they may be in characters of JSON. */
const mostUnread = 10_000;
const unreadSize: number = 16 * 2 ** 20;

/** What is said of a journal that is too large to be read. */
export const tooLargeToRead = (run: string): string =>
  `The journal of run ${run} is larger than ${sizeToRead / 2 ** 20} MiB, which is more than is read into memory.`;

/** Why a run takes no more signals before it has read some, as a sentence; undefined where it does. */
export function fullInbox({ run, unread = 0, unreadSize: size = 0 }: RunRow): string | undefined {
  if (unread < mostUnread && size < unreadSize) return undefined;
  return `Run ${run} has ${unread} signals that it has not taken, of ${Math.ceil(size / 1_024)} KiB; ${mostUnread}, or ${unreadSize / 2 ** 20} MiB, are the most. Try again when it has taken some.`;
}

/** Why entries cannot be kept because of their size, as a sentence; undefined where they can. `texts` are the entries, in JSON. */
export function refusalOf(entries: readonly Entry[], texts: readonly string[]): string | undefined {
  // No UTF-16 unit takes more than three bytes, so most entries need no counting.
  const large = texts.findIndex((text) => text.length * 3 > entryBytes && Buffer.byteLength(text) > entryBytes);
  if (large < 0) return undefined;
  const size = Buffer.byteLength(texts[large] ?? "");
  return `an entry "${entries[large]?.type}" of ${size} bytes, where ${entryBytes} are the most. Keep large values in a store, and pass their keys on.`;
}

/**
 * Why a run may not write these entries, as a sentence; undefined where it may. It has `written` so many, of this size. What is written while it comes to
 * its end (`isEnding`: its undo, with the steps of that) has a limit of its own, so that there is a way out of this one.
 */
export function tooMuchOf(
  written: number,
  size: number,
  entries: readonly Entry[],
  isEnding: () => boolean,
): string | undefined {
  const count = written + entries.length;
  const isLarge = size >= sizeOfRun;
  if ((count <= entriesOfRun && !isLarge) || entries.every(({ type }) => closing.has(type))) return undefined;
  if (!isEnding() && isLarge)
    return `more than ${sizeOfRun / 2 ** 20} MiB of its journal. Keep large values in a store, pass their keys on, and continue as new now and then.`;
  if (!isEnding())
    return `its entry ${entriesOfRun + 1}, where ${entriesOfRun} are the most. A workflow that goes on for ever continues as new now and then.`;
  if (size >= 2 * sizeOfRun)
    return `more than ${(2 * sizeOfRun) / 2 ** 20} MiB of its journal, the most that a run may have with its undo. Terminate it.`;
  if (count <= entriesToEnd) return undefined;
  return `its entry ${entriesToEnd + 1}, where ${entriesToEnd} are the most that a run may have with its undo. Terminate it.`;
}

const closing: ReadonlySet<string> = new Set(["Claimed", "Steered", "Paused", "Ended", "Retried"]);
