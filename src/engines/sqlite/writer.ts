/** The writer's thread: the only connection that writes. Every message is one transaction; the flusher makes it durable, as a rule. */
import { closeSync, fdatasyncSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { MessageChannel, type MessagePort, parentPort, workerData } from "node:worker_threads";
import { Checkpoints } from "./checkpoints.ts";
import { Documents } from "./documents.ts";
import { Ledger } from "./ledger.ts";
import {
  type Command,
  type FlusherOptions,
  type FromWriter,
  progressOf,
  type Reply,
  type Result,
  type ToWriter,
  type WriterOptions,
} from "./messages.ts";
import { isPacked, type Packed, unpack } from "./packed.ts";
import { flushedUpTo } from "./progress.ts";
import { Statements } from "./statements.ts";
import { prepareTables } from "./tables.ts";
import { startThread } from "./thread.ts";
import { sentenceOf, toFailure, toNotFlushed } from "./trouble.ts";

class Writer {
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  readonly #documents: Documents;
  readonly #ledger: Ledger;
  readonly #checkpoints: Checkpoints;
  readonly #walFile: string;
  #wal: number | undefined;
  #batch = 0;
  readonly progress = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  constructor({ file, now, maxBytes }: WriterOptions) {
    this.#walFile = `${file}-wal`;
    this.#db = new DatabaseSync(file, { timeout: 5_000 });
    this.#db.exec("pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -16384");
    this.#db.exec("pragma journal_size_limit = 67108864; pragma temp_store = memory");
    prepareTables(this.#db, now);
    if (maxBytes !== undefined) {
      const { page_size: size } = this.#db.prepare("pragma page_size").get() as { page_size: number };
      this.#db.exec(`pragma max_page_count = ${Math.max(1, Math.floor(maxBytes / size))}`);
    }
    this.#checkpoints = new Checkpoints(this.#db, file);
    this.#statements = new Statements(this.#db);
    this.#documents = new Documents(this.#db, this.#statements);
    this.#ledger = new Ledger(this.#db, this.#statements, this.#documents);
  }

  run({ commands, now }: Exclude<ToWriter, "close">): readonly Reply[] {
    this.#batch = (this.#batch + 1) | 0;
    return this.#run(commands, now);
  }

  /** Has the flusher make the last batch durable. What is to be said of it must lie ready. */
  handOver(): void {
    Atomics.store(this.progress, progressOf.committed, this.#batch);
    Atomics.notify(this.progress, progressOf.committed);
  }

  /** When its callers are seen to: copies the WAL, or has it copied, where it is long enough. */
  rest(): void {
    this.#checkpoints.look();
  }

  /** Makes the last batch durable here; throws where the disk does not. The flusher sleeps, and flushes once more if it does not yet. */
  flush(): void {
    this.#wal ??= openSync(this.#walFile, "r+");
    fdatasyncSync(this.#wal);
    Atomics.store(this.progress, progressOf.committed, this.#batch);
    flushedUpTo(this.progress, this.#batch);
  }

  /** All commands in one transaction. Where that fails, each gets its own, so that none shares another's fate. */
  #run(commands: readonly Command[], now: number): readonly Reply[] {
    try {
      this.#statements.for("begin immediate").run();
      const replies = commands.map((command): Reply => this.#reply(command, now));
      this.#ledger.flush();
      Atomics.store(this.progress, progressOf.begun, this.#batch);
      this.#statements.for("commit").run();
      this.#documents.keep();
      return replies;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("rollback");
      this.#documents.reset();
      this.#ledger.reset();
      const failed = toFailure(error);
      if (failed.why === "broken") return commands.map(() => ({ failed }));
      if (commands.length === 1) return [{ failed }];
      return commands.flatMap((command) => this.#run([command], now));
    }
  }

  close(): void {
    this.#checkpoints.end();
    this.#db.exec("pragma wal_checkpoint(truncate)");
    this.#db.close();
    if (this.#wal !== undefined) closeSync(this.#wal);
  }

  #reply(command: Command, now: number): Reply {
    try {
      return isPacked(command) ? this.#append(command, now) : { done: this.#do(command) };
    } catch (error) {
      const failed = toFailure(error);
      if (failed.why !== "refused") throw error;
      return { failed };
    }
  }

  #append(command: Packed, now: number): Packed {
    const { log, group } = unpack(command);
    const outcomes = group.map((append) => this.#ledger.append(log, append, now));
    return outcomes.length === 1 ? (outcomes[0] as Packed) : outcomes.flat();
  }

  #do(command: Exclude<Command, Packed>): Result {
    switch (command.kind) {
      case "commit":
        return this.#ledger.commit(command);
      case "claim":
        return this.#documents.claim(command.collection, command.query, command.set);
      case "define":
        return this.#documents.define(command.collection) as undefined;
      case "sweep":
        return this.#ledger.sweep(command.log, command.now, command.limit);
      case "empty":
        this.#documents.empty(command.collection);
        if (command.beside) this.#documents.take(command.beside);
        this.#ledger.forget(command.reader.log, command.reader.name);
        return undefined;
      case "drop":
        if (command.collection !== undefined) this.#documents.drop(command.collection);
        if (command.reader) this.#ledger.forget(command.reader.log, command.reader.name);
        return undefined;
    }
  }
}

const port = parentPort;
if (!port) throw new Error("The SQLite writer runs in a worker thread; open the engine with openSqlite.");
const say = (message: FromWriter, transfer: MessagePort[] = []): void => port.postMessage(message, transfer);
try {
  const options = workerData as WriterOptions;
  const writer = new Writer(options);
  const [replies, flusher] = [new MessageChannel(), new MessageChannel()];
  const forFlusher: FlusherOptions = {
    wal: `${options.file}-wal`,
    progress: writer.progress,
    said: flusher.port1,
  };
  startThread("flusher", forFlusher, [flusher.port1]);
  port.on("message", (message: ToWriter) => {
    if (message === "close") {
      writer.close();
      say({ closed: true });
      port.close();
    } else {
      replies.port1.postMessage(writer.run(message));
      if (message.alone) flush();
      else writer.handOver();
      writer.rest();
    }
  });
  /** After a failed flush nobody knows what is on disk: it is never tried again. */
  const flush = (): void => {
    try {
      writer.flush();
      say("flushed");
    } catch (error) {
      say(toNotFlushed(error));
    }
  };
  say({ ready: true, replies: replies.port2, flusher: flusher.port2, progress: writer.progress }, [
    replies.port2,
    flusher.port2,
  ]);
} catch (error) {
  say({ notReady: sentenceOf(error) });
  port.close();
}
