import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface Lock {
  release(): void;
}

/**
 * One data folder, one process. The lock is the operating system's, taken through an empty database that is never
 * written: it goes with the process however that ends, so nobody has to tell a stale lock from a living one.
 * The pid beside it is only for the sentence. (Never open "lock.db" by other means in this process: on POSIX, closing
 * any descriptor of a file gives up the process's locks on it.)
 */
export function lockFolder(folder: string): Lock {
  const pidFile = join(folder, "lock.pid");
  const db = new DatabaseSync(join(folder, "lock.db"), { timeout: 0 });
  try {
    db.exec("begin exclusive");
  } catch (error) {
    db.close();
    if ((error as { errcode?: number }).errcode !== 5) throw error;
    throw new Error(
      `The data folder ${folder} is in use by ${holder(pidFile)}. Stop that process, or give this one a folder of its own.`,
    );
  }
  writeFileSync(pidFile, `${process.pid}\n`);
  return { release: () => db.close() };
}

function holder(pidFile: string): string {
  try {
    const pid = readFileSync(pidFile, "utf8").trim();
    return /^\d+$/.test(pid) ? `process ${pid}` : "another process";
  } catch {
    return "another process"; // it has taken the lock and not yet written who it is
  }
}
