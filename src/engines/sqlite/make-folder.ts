import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

/** Makes a folder, and those above it, in a way that outlasts a power failure: SQLite sees only to what is inside. */
export function makeFolder(folder: string): void {
  const highest = mkdirSync(folder, { recursive: true });
  if (highest === undefined || process.platform === "win32") return; // Windows flushes no folders
  for (let made = folder; ; made = dirname(made)) {
    const parent = openSync(dirname(made), "r");
    fsyncSync(parent);
    closeSync(parent);
    if (made === highest) return;
  }
}
