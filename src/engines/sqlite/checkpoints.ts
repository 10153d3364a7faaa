import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Worker } from "node:worker_threads";
import { type CheckpointerOptions, checkpointerIs } from "./messages.ts";
import { startThread } from "./thread.ts";

// In frames of the WAL, of 4 KiB each.
/** Fewer, larger passes: a page that was changed many times is copied once, and each pass flushes the database file. */
const worthAPass = 4_000;
/** From here on the WAL is to begin again, which it does only when all of it has been copied. */
const longest = 16_000;
/** So much the writer copies itself, between two commits: while it writes, a pass beside it never gets to the end. */
const shortRest = 1_000;
/** A disk that copies more slowly than the writer writes has the writer wait from here on. */
const tooLong = 64_000;
/** How long a writer waits for the checkpointer, in ms. A pass of 64 MiB takes less, unless the disk hangs. */
const patience = 10_000;

/**
 * Keeps the WAL short. SQLite does that within somebody's commit, by default: at full speed a tenth of the writer's time
 * went there, and whoever was in the queue waited for a flush of the database file.
 */
export class Checkpoints {
  readonly #file: string;
  readonly #state = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  /** How long the WAL is. Undefined where SQLite cannot say it (before 3.51), and makes its checkpoints as it always did. */
  readonly #frames: StatementSync | undefined;
  readonly #pass: StatementSync;
  #checkpointer: Worker | undefined;
  constructor(db: DatabaseSync, file: string) {
    this.#file = file;
    this.#pass = db.prepare("pragma wal_checkpoint(passive)");
    if (knowsItsFrames(db)) this.#frames = db.prepare("pragma wal_checkpoint(noop)");
    db.exec(`pragma wal_autocheckpoint = ${this.#frames ? 0 : worthAPass}`);
  }

  /** Between two commits. */
  look(): void {
    if (!this.#frames) return;
    const { log, checkpointed } = this.#frames.get() as { log: number; checkpointed: number };
    const rest = log - checkpointed;
    if (log >= tooLong) Atomics.wait(this.#state, 0, checkpointerIs.asked, patience);
    if (log >= tooLong || (log >= longest && rest <= shortRest)) this.#finish();
    else if (rest >= worthAPass || log >= longest) this.#ask();
  }

  /** Before the last connection is closed, which copies what is left. */
  end(): void {
    if (!this.#checkpointer) return;
    Atomics.store(this.#state, 0, checkpointerIs.ending);
    Atomics.notify(this.#state, 0);
    Atomics.wait(this.#state, 0, checkpointerIs.ending, patience);
  }

  #ask(): void {
    if (Atomics.compareExchange(this.#state, 0, checkpointerIs.idle, checkpointerIs.asked) !== checkpointerIs.idle)
      return;
    const options: CheckpointerOptions = { file: this.#file, state: this.#state };
    if (this.#checkpointer) Atomics.notify(this.#state, 0);
    else this.#checkpointer = startThread("checkpointer", options);
  }

  // What cannot be copied now, for somebody still reads it or the disk is full, stays in the WAL and is copied later.
  #finish(): void {
    try {
      this.#pass.get();
    } catch {}
  }
}

function knowsItsFrames(db: DatabaseSync): boolean {
  const { version } = db.prepare("select sqlite_version() version").get() as { version: string };
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 3 || (major === 3 && minor >= 51);
}
