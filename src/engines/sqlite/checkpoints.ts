import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Worker } from "node:worker_threads";
import { type CheckpointerOptions, checkpointerIs } from "./messages.ts";
import { startThread } from "./thread.ts";
import { isFlushFailure, sentenceOf } from "./trouble.ts";

// In frames of the WAL, of 4 KiB each.
/** Fewer, larger passes: a page that was changed many times is copied once, and each pass flushes the database file. */
const worthAPass = 4_000;
/** Where the disk copies more slowly than the writer writes, the writer waits for each pass from here on. */
const behind = 3 * worthAPass;
/** From here on the WAL is to begin again, which it does only when all of it has been copied. */
const longest = 16_000;
/** So much the writer copies itself, between two commits: while it writes, a pass beside it never gets to the end. */
const shortRest = 1_000;
/** From here on nothing is written before a pass beside it has got that far. */
const tooLong = 64_000;
/** How long the writer waits for a pass, in ms, before it writes on. */
const patience = 10_000;

/**
 * Keeps the WAL short. SQLite does that within somebody's commit, by default, so that whoever is in the queue waits for a
 * flush of the database file.
 */
export class Checkpoints {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #state = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  /** How long the WAL is. Undefined where SQLite makes its checkpoints as it always did. */
  #frames: StatementSync | undefined;
  #checkpointer: Worker | undefined;
  constructor(db: DatabaseSync, file: string) {
    this.#db = db;
    this.#file = file;
    if (mayCopyBeside(db)) this.#frames = db.prepare("pragma wal_checkpoint(noop)");
    this.#db.exec(`pragma wal_autocheckpoint = ${this.#frames ? 0 : worthAPass}`);
  }

  /** Between two commits. Throws where a flush of the database file has failed: nobody knows what is in it then. */
  look(): void {
    if (!this.#frames) return;
    const { log, rest } = this.#measure(this.#frames);
    if (rest < worthAPass && log < longest) return;
    if (log >= longest && rest <= shortRest) {
      this.#finish();
      return;
    }
    if (rest < behind && log < tooLong) {
      this.#ask();
      return;
    }
    this.#wait(); // for the pass that is under way
    this.#ask();
    if (log >= tooLong) this.#wait();
  }

  /** Before the last connection is closed, which copies what is left. */
  end(): void {
    if (!this.#checkpointer) return;
    this.#checkpointer.removeAllListeners();
    Atomics.store(this.#state, 0, checkpointerIs.ending);
    Atomics.notify(this.#state, 0);
    Atomics.wait(this.#state, 0, checkpointerIs.ending, patience);
  }

  #measure(frames: StatementSync): { readonly log: number; readonly rest: number } {
    if (Atomics.load(this.#state, 0) === checkpointerIs.failed) throw new Error(broken("Input or output failed."));
    const { log, checkpointed } = frames.get() as { log: number; checkpointed: number }; // the pragma's columns
    return { log, rest: log - checkpointed };
  }

  #ask(): void {
    const state = this.#state;
    if (Atomics.compareExchange(state, 0, checkpointerIs.idle, checkpointerIs.asked) !== checkpointerIs.idle) return;
    if (this.#checkpointer) Atomics.notify(state, 0);
    else this.#start({ file: this.#file, state });
  }

  #wait(): void {
    Atomics.wait(this.#state, 0, checkpointerIs.asked, patience);
  }

  // Without the thread, as where the process may have no more of them, SQLite makes its checkpoints as it always did.
  #start(options: CheckpointerOptions): void {
    const leave = (): void => {
      this.#checkpointer = undefined;
      this.#frames = undefined;
      this.#db.exec(`pragma wal_autocheckpoint = ${worthAPass}`);
    };
    try {
      this.#checkpointer = startThread("checkpointer", options);
      this.#checkpointer.once("error", leave);
    } catch {
      leave();
    }
  }

  // What cannot be copied now, for somebody still reads it or the disk is full, stays in the WAL and is copied later.
  #finish(): void {
    try {
      this.#db.exec("pragma wal_checkpoint(passive)");
    } catch (error) {
      if (isFlushFailure(error)) throw new Error(broken(sentenceOf(error)), { cause: error });
    }
  }
}

const broken = (why: string): string => `The disk failed while the log was copied into the database file. ${why}`;

/**
 * SQLite can say how long the WAL is since 3.51; and before 3.51.3 a WAL that begins again while another connection makes a
 * checkpoint may be damaged (https://sqlite.org/wal.html#walresetbug).
 */
function mayCopyBeside(db: DatabaseSync): boolean {
  const { version } = db.prepare("select sqlite_version() version").get() as { version: string };
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  return major > 3 || (major === 3 && (minor > 51 || (minor === 51 && patch >= 3)));
}
