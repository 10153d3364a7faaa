import { Refused } from "../../storage/refused.ts";
import type { Failure, FromFlusher } from "./messages.ts";

/** The primary result codes of SQLite that a person can do something about (sqlite.org/rescode.html). */
const sentences: { readonly [code: number]: string } = {
  5: "Another program holds a lock on the database file. Close it and try again.",
  8: "The data folder cannot be written to. Check its permissions.",
  10: "The disk failed while it was read or written.",
  11: "The database file is damaged. Restore a backup, or salvage what is readable with the sqlite3 shell's .recover.",
  13: "The disk is full, or the database has reached its largest size. Make room, then try again: nothing was written.",
  14: "The database file cannot be opened. Check that the folder exists and that this user may write in it.",
  26: "The database file is damaged, or is not a database. Restore a backup, or start with an empty folder.",
};
const ioError = 10;
const damaged = [11, 26];

/** What happened, for a person, from whatever SQLite threw. */
export function sentenceOf(error: unknown): string {
  const sentence = sentences[primaryCode(error) ?? -1];
  const told = error instanceof Error ? error.message : String(error);
  return sentence ? `${sentence} (SQLite: ${told})` : told;
}

/**
 * What is told to the caller whose command failed. After an I/O error nobody knows what is on the disk: a failed flush
 * may have dropped the pages that it was to write, so the writer stops instead of trying again.
 */
export function toFailure(error: unknown): Failure {
  if (error instanceof Refused) return { message: error.message, why: "refused", outcome: "not done" };
  const code = primaryCode(error);
  const broken = code === ioError || damaged.includes(code ?? -1);
  return {
    message: sentenceOf(error),
    why: broken ? "broken" : "failed",
    outcome: code === ioError ? "unknown" : "not done",
  };
}

/** After a failed flush nobody knows what is on disk: asked again, the system may say that all is well. */
export const toNotFlushed = (error: unknown): FromFlusher => ({
  notFlushed: `The disk failed while it was written. (${(error as Error).message})`,
});

/** Whether what a flush was to write may have been dropped. A full disk, or a lock, drops nothing. */
export function isFlushFailure(error: unknown): boolean {
  return primaryCode(error) === ioError || (error as { syscall?: unknown }).syscall === "fsync";
}

function primaryCode(error: unknown): number | undefined {
  const { errcode } = (error ?? {}) as { errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : undefined;
}
