import type { Worker } from "node:worker_threads";
import { type Clock, Fault } from "../../contracts/index.ts";
import { Latencies } from "../../storage/latencies.ts";
import type { Command, Failure, FromWriter, Reply, Result, ToWriter } from "./messages.ts";
import { isPacked } from "./packed.ts";

interface Waiting {
  readonly command: Command;
  readonly weight: number;
  readonly since: number;
  resolve(result: Result): void;
  reject(error: Error): void;
}

/** While the writer flushes one batch the next one travels to it; a third would only split what could share a flush. */
const batchesUnderWay = 2;
/** From here on a batch is worth halving, so that this thread and the writer's work at the same time. */
const worthHalving = 64;
/** Longer transactions save nothing more, and keep their first append waiting. */
const longestBatch = 1_024;

/**
 * The writer, as the main thread sees it. Commands that arrive while it is busy travel together in its next transaction;
 * a command is answered only after the commit that it was in.
 */
export class WriterThread {
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #latencies = new Latencies();
  readonly #sent: (readonly Waiting[])[] = [];
  #queue: Waiting[] = [];
  #weight = 0;
  #scheduled = false;
  #stopped: string | undefined;
  #closing: (() => void) | undefined;

  /** Takes a writer's thread over as soon as it is ready. */
  static async over(worker: Worker, clock: Clock, capacity: number): Promise<WriterThread> {
    await new Promise<void>((resolve, reject) => {
      worker.once("message", (message: FromWriter) =>
        "notReady" in message ? reject(new Error(message.notReady)) : resolve(),
      );
      worker.once("error", reject);
    });
    return new WriterThread(worker, clock, capacity);
  }

  private constructor(worker: Worker, clock: Clock, capacity: number) {
    this.#worker = worker;
    this.#clock = clock;
    this.#capacity = capacity;
    worker.removeAllListeners("error");
    worker.on("message", (message: FromWriter) => this.#receive(message));
    worker.on("error", (error) => this.#stop(error instanceof Error ? error.message : String(error)));
    worker.on("exit", () => this.#stop(this.#closing ? "It was closed." : "Its thread ended."));
  }

  /** Why nothing can be written any more, where that is so. */
  get stopped(): string | undefined {
    return this.#stopped;
  }

  get queued(): number {
    return this.#weight;
  }

  /** How long appends took, from being asked for to being durable, in ms. */
  get appendMs(): { readonly p50: number; readonly p99: number } {
    return this.#latencies.percentiles();
  }

  /** Durable when it resolves. `weight` is what it takes of the queue's bound: its appends or writes. */
  run(command: Command, weight: number): Promise<Result> {
    if (this.#stopped !== undefined) return Promise.reject(notWritten(this.#stopped));
    if (this.#closing) return Promise.reject(notWritten("It is being closed."));
    if (this.#weight > 0 && this.#weight + weight > this.#capacity) {
      return Promise.reject(
        new Fault("Unavailable", `${this.#weight} writes are waiting for the disk, and no more may. Try again later.`, {
          outcome: "not done",
        }),
      );
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ command, weight, since: this.#clock.monotonic(), resolve, reject });
      this.#weight += weight;
      this.#schedule();
    });
  }

  /** Lets what was asked for be written, then ends the thread. */
  async close(): Promise<void> {
    if (this.#stopped !== undefined) return void (await this.#worker.terminate());
    await new Promise<void>((resolve) => {
      this.#closing = resolve;
      this.#schedule();
    });
    await this.#worker.terminate();
  }

  // Not a microtask: whoever else is about to write in this turn of the event loop should travel in the same batch.
  #schedule(): void {
    if (this.#scheduled || this.#sent.length >= batchesUnderWay) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    while (this.#stopped === undefined && this.#queue.length > 0 && this.#sent.length < batchesUnderWay) {
      const waiting = this.#queue.length;
      const batch = this.#queue.splice(0, Math.min(longestBatch, Math.max(worthHalving, Math.ceil(waiting / 2))));
      try {
        this.#post({ now: this.#clock.now(), commands: batch.map(({ command }) => command) });
        this.#sent.push(batch);
      } catch (error) {
        // Something in it cannot be copied to another thread: no JSON text, where the port asks for some.
        this.#weight -= batch.reduce((sum, { weight }) => sum + weight, 0);
        for (const { reject } of batch) reject(error instanceof Error ? error : new Error(String(error)));
      }
    }
    if (this.#closing && this.#queue.length === 0 && this.#sent.length === 0) this.#post("close");
  }

  #post(message: ToWriter): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWriter): void {
    if ("closed" in message) this.#closing?.();
    if (!("replies" in message)) return;
    const batch = this.#sent.shift() ?? [];
    const now = this.#clock.monotonic();
    let broken: string | undefined;
    for (let index = 0; index < batch.length; index++) {
      const waiting = batch[index] as Waiting; // inside the bounds
      const reply = message.replies[index] as Reply; // one a command
      this.#weight -= waiting.weight;
      if (isPacked(reply)) {
        this.#latencies.add(now - waiting.since);
        waiting.resolve(reply);
      } else if ("done" in reply) {
        waiting.resolve(reply.done);
      } else {
        waiting.reject(toError(reply.failed));
        if (reply.failed.why === "broken") broken = reply.failed.message;
      }
    }
    if (broken !== undefined) {
      this.#stop(broken);
      void this.#worker.terminate();
    } else if (this.#queue.length > 0 || this.#closing) this.#schedule();
  }

  // What was sent may be on disk or not; what was still here is not.
  #stop(why: string): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = why;
    for (const waiting of this.#sent.flat()) {
      waiting.reject(
        new Fault("Unavailable", `The SQLite writer stopped before it said whether this was written. ${why}`, {
          outcome: "unknown",
        }),
      );
    }
    for (const waiting of this.#queue) waiting.reject(notWritten(why));
    this.#sent.length = 0;
    this.#queue = [];
    this.#weight = 0;
    this.#closing?.();
  }
}

function toError({ message, why, outcome }: Failure): Error {
  if (why === "refused") return new TypeError(message);
  return new Fault("Unavailable", message, { outcome });
}

function notWritten(why: string): Fault {
  return new Fault(
    "Unavailable",
    `The SQLite writer has stopped, so nothing was written. ${why} Start the process again.`,
    {
      outcome: "not done",
    },
  );
}
