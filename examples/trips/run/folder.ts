import { existsSync } from "node:fs";
import { access, constants, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** SQLITE_BUSY: another process has the lock. */
const busy = 5;

/** Makes the data folder, or says in a sentence why it cannot be. */
export async function prepareFolder(data: string): Promise<void> {
  const probe = join(data, ".writable");
  try {
    await makeFolder(data);
    await access(data, constants.W_OK);
    await writeFile(probe, ""); // a mount may be read-only where the folder's own mode is not
    await rm(probe);
  } catch (error) {
    throw new Error(
      `The data folder ${data} cannot be written (${(error as NodeJS.ErrnoException).code}). Set TRILITH_DATA to a folder that can.`,
      { cause: error },
    );
  }
}

/** Not by mkdir's own recursion, which never ends where a folder says that it is not there itself, as /proc does. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    const parent = dirname(path);
    if (code !== "ENOENT" || existsSync(parent)) throw error;
    await makeFolder(parent);
    await mkdir(path);
  }
}

export interface Held {
  release(): void;
}

/**
 * Holds the folder for this example alone: its payment service has a ledger there, and its keys take the place of older
 * ones, before the backend could say that the folder is taken. The lock is SQLite's, so it goes with the process.
 */
export function holdFolder(data: string): Held {
  const lock = new DatabaseSync(join(data, "example.lock"), { timeout: 0 });
  try {
    lock.exec("begin exclusive");
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode !== busy) throw error;
    throw new Error(
      `The data folder ${data} is in use by another npm start. Stop that one, or set TRILITH_DATA to another folder.`,
    );
  }
  return { release: () => lock.close() };
}
