import { Entries } from "../journal/entries.ts";
import { digestOf } from "../journal/identity.ts";
import { type Entry, isResult } from "../journal/journal.ts";

/**
 * Which entries a retry takes back, by the first one's index, or a sentence where there is nothing to retry. With the
 * failure that ended the run its step is done again, under its key, and so is what came after it. A failure of the code
 * itself takes back the end alone: the code goes on from its last result, which helps once it was mended. `entries` are
 * those of the present stretch, and `from` is the first one's revision in the journal.
 */
export function toRetry(entries: readonly Entry[], from = 0): { readonly back: number } | { readonly refused: string } {
  const last = entries.length - 1;
  const end = entries[last];
  const [first] = entries;
  if (end?.type !== "Ended" || (first?.type !== "Started" && first?.type !== "Continued"))
    return { refused: "It was given up before it began." };
  if (end.state === "done") return { refused: "It has come to its end well. Fork it to do some of it again." };
  const present = toReplay(entries, from);
  if (present.some(({ type }) => type === "UndoBegan"))
    return { refused: "What it had done was undone, or begun to be. Fork it, or begin anew." };
  if (end.state === "terminated") return { back: last };
  if (end.state === "cancelled") {
    const cancelled = present.findLastIndex(({ type }) => type === "Cancelled");
    return { back: cancelled >= 0 ? cancelled : last }; // in line there was no code to hear of it
  }
  const ending = digestOf(end.thrown);
  const cause = present.findLastIndex((entry) => entry.type === "StepFailed" && digestOf(entry.thrown) === ending);
  if (cause >= 0) return { back: cause };
  const result = present.findLastIndex((entry) => isResult(entry));
  return { back: present[result]?.type === "StepFailed" ? result : last };
}

/**
 * The entries as they are replayed: what was taken back by a retry is passed over, and keeps its place. `from` is the
 * first one's revision, and that one is never taken back: it says what the run is.
 */
export function toReplay(entries: readonly Entry[], from = 0): readonly Entry[] {
  let present: Entry[] | undefined;
  for (const [at, entry] of entries.entries()) {
    if (entry.type !== "Retried") continue;
    present ??= [...entries];
    for (let index = Math.max(1, entry.back - from); index < at; index++) {
      const was = present[index] as Entry;
      if (was.type !== "TakenBack") present[index] = { type: "TakenBack", was, at: was.at };
    }
  }
  return present ?? entries;
}

/** The same of what may not have been read yet, and need not be where nothing was taken back. */
export const toReplayed = (entries: Entries, from = 0): Entries =>
  entries.others.some(({ type }) => type === "Retried") ? Entries.of(toReplay([...entries], from)) : entries;
