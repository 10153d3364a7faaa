/**
 * The checkpointer's thread: copies what the writer has committed from the WAL into the database file and flushes that,
 * while the writer goes on. It holds nobody up, and what is committed meanwhile is left to the next pass.
 */
import { DatabaseSync } from "node:sqlite";
import { workerData } from "node:worker_threads";
import { type CheckpointerOptions, checkpointerIs } from "./messages.ts";

const { file, state } = workerData as CheckpointerOptions;
const db = new DatabaseSync(file, { timeout: 5_000 });
db.exec("pragma synchronous = normal");
const pass = db.prepare("pragma wal_checkpoint(passive)");

for (;;) {
  Atomics.wait(state, 0, checkpointerIs.idle);
  if (Atomics.load(state, 0) === checkpointerIs.ending) break;
  try {
    pass.get();
  } catch {
    // Nothing is lost by it: what is in the WAL stays there, and the writer asks again. Where the disk is full, it is told so itself.
  }
  Atomics.compareExchange(state, 0, checkpointerIs.asked, checkpointerIs.idle);
  Atomics.notify(state, 0);
}
db.close();
Atomics.store(state, 0, checkpointerIs.ended);
Atomics.notify(state, 0);
