/**
 * The checkpointer's thread: copies what the writer has committed from the WAL into the database file and flushes that,
 * while the writer goes on. What is committed meanwhile is left to the next pass.
 */
import { fsyncSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { workerData } from "node:worker_threads";
import { type CheckpointerOptions, checkpointerIs } from "./messages.ts";
import { isFlushFailure } from "./trouble.ts";

const { file, state } = workerData as CheckpointerOptions;
const db = new DatabaseSync(file, { timeout: 5_000 });
db.exec("pragma synchronous = normal");
const pass = db.prepare("pragma wal_checkpoint(passive)");
/**
 * SQLite flushes the file only where a pass gets to the end of the WAL, so that would be left to the writer. It stays open
 * as long as the thread: a process that closes a file gives up all locks that it has on it.
 */
const handle = openSync(file, "r");

for (;;) {
  Atomics.wait(state, 0, checkpointerIs.idle);
  if (Atomics.load(state, 0) !== checkpointerIs.asked) break;
  const then = copy() ? checkpointerIs.idle : checkpointerIs.failed;
  Atomics.compareExchange(state, 0, checkpointerIs.asked, then);
  Atomics.notify(state, 0);
}
db.close();
Atomics.compareExchange(state, 0, checkpointerIs.ending, checkpointerIs.ended);
Atomics.notify(state, 0);
Atomics.wait(state, 0, checkpointerIs.ended); // until the writer has closed its own connection, and ends the thread

/** False where nobody knows any more what is in the file. What cannot be copied otherwise stays in the WAL for the next time. */
function copy(): boolean {
  try {
    pass.get();
    fsyncSync(handle);
    return true;
  } catch (error) {
    return !isFlushFailure(error);
  }
}
