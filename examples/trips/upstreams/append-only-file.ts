import { mkdir, open, readFile, truncate } from "node:fs/promises";
import { dirname } from "node:path";

export interface AppendOnlyFile<Entry> {
  /** What the file held when it was opened. */
  readonly entries: readonly Entry[];
  /** Resolves when the entry is on disk, and with it all that were appended before. */
  append(entry: Entry): Promise<void>;
  /** Resolves when all that was appended so far is on disk. */
  flushed(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A file of JSON lines that only grows. Entries that arrive while a flush is under way travel together in the next.
 * After a failed write nobody knows what is on disk, so `onBroken` should end the process; the next start reads it.
 */
export async function openAppendOnlyFile<Entry>(
  path: string,
  onBroken: (error: unknown) => void,
): Promise<AppendOnlyFile<Entry>> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "a");
  const entries = await readEntries<Entry>(path);
  await syncFolder(dirname(path));

  let waiting: string[] = [];
  let flushing: Promise<void> = Promise.resolve();
  const flush = async () => {
    if (waiting.length === 0) return;
    const lines = waiting.join("");
    waiting = [];
    await file.appendFile(lines);
    await file.datasync();
  };
  const flushed = () => {
    flushing = flushing.then(flush);
    flushing.catch(onBroken);
    return flushing;
  };

  return {
    entries,
    flushed,
    append(entry) {
      waiting.push(`${JSON.stringify(entry)}\n`);
      return flushed();
    },
    async close() {
      await flushed();
      await file.close();
    },
  };
}

/** A last line without its end was torn by a crash and never acknowledged: it is cut off. */
async function readEntries<Entry>(path: string): Promise<Entry[]> {
  const bytes = await readFile(path);
  const end = bytes.lastIndexOf("\n") + 1;
  if (end < bytes.length) await truncate(path, end);
  const lines = bytes.subarray(0, end).toString().split("\n").slice(0, -1);
  return lines.map((line, index) => {
    try {
      return JSON.parse(line);
    } catch {
      throw new Error(`Line ${index + 1} of ${path} is damaged. Restore the file from a copy; nothing was changed.`);
    }
  });
}

/** Without it a power cut may forget that the file exists. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  await folder.sync();
  await folder.close();
}
