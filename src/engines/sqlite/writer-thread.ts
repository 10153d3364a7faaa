import { type MessagePort, receiveMessageOnPort, type Worker } from "node:worker_threads";
import { type Clock, Fault } from "../../contracts/index.ts";
import { type Bounds, Capacity } from "../../storage/capacity.ts";
import { Latencies } from "../../storage/latencies.ts";
import {
  type Command,
  type Failure,
  type FromFlusher,
  type FromWriter,
  progressOf,
  type Reply,
  type Result,
  type ToWriter,
} from "./messages.ts";
import { isPacked, sizeOf } from "./packed.ts";
import { isAfter } from "./progress.ts";

interface Waiting {
  readonly command: Command;
  readonly weight: number;
  /** Of its JSON. */
  readonly size: number;
  readonly since: number;
  resolve(result: Result): void;
  reject(error: Error): void;
}

/** Who has seen what a batch wrote, before it was on disk. */
interface Looker {
  readonly seen: number;
  resolve(): void;
  reject(error: Error): void;
}
type Ready = Extract<FromWriter, { readonly ready: true }>;

/** One is on its way to the writer, one is being written, one is being flushed, and one's answers are on their way back. */
const batchesUnderWay = 4;
/** Unless there is enough for another half, two are: each costs both threads as much as four or five appends. */
const smallUnderWay = 2;
/** What is less goes as one. */
const worthHalving = 32;
/** Longer transactions save nothing more, and keep their first append waiting. */
const longestBatch = 1_024;

/**
 * The writer, as the main thread sees it. Commands that arrive while it is busy travel together in its next transaction;
 * a command is answered only after the commit that it was in.
 */
export class WriterThread {
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #room: Capacity;
  readonly #latencies = new Latencies();
  readonly #sent: (readonly Waiting[])[] = [];
  /** What the writer has said to batches. Nobody listens there: it is fetched when they are on disk. */
  readonly #replies: MessagePort;
  /** How many batches were answered: modulo 2^32, like all numbers of batches. */
  #answered = 0;
  readonly #progress: Int32Array;
  readonly #flusher: MessagePort;
  #lookers: Looker[] = [];
  #queue: Waiting[] = [];
  #scheduled = false;
  /** Whether the next batch is about to be answered. */
  #answering = false;
  #stopped: string | undefined;
  #closing: (() => void) | undefined;

  /** Takes a writer's thread over as soon as it is ready. */
  static async over(worker: Worker, clock: Clock, bounds: Bounds): Promise<WriterThread> {
    const ready = await new Promise<Ready>((resolve, reject) => {
      worker.once("message", (message: FromWriter) => {
        if (typeof message === "object" && "ready" in message) resolve(message);
        else
          reject(new Error(typeof message === "object" && "notReady" in message ? message.notReady : "It was closed."));
      });
      worker.once("error", reject);
    });
    return new WriterThread(worker, ready, clock, bounds);
  }

  private constructor(worker: Worker, { replies, flusher, progress }: Ready, clock: Clock, bounds: Bounds) {
    this.#worker = worker;
    this.#replies = replies;
    this.#flusher = flusher;
    this.#progress = progress;
    this.#clock = clock;
    this.#room = new Capacity(bounds, "writes are waiting for the disk");
    worker.removeAllListeners("error");
    worker.on("message", (message: FromFlusher | Extract<FromWriter, { readonly closed: true }>) => {
      if (message === "flushed" || "notFlushed" in message) this.#receive(message);
      else this.#closing?.();
    });
    worker.on("error", (error) => this.#stop(error instanceof Error ? error.message : String(error)));
    worker.on("exit", () => this.#stop(this.#closing ? "It was closed." : "Its thread ended."));
    flusher.on("message", (message: FromFlusher) => this.#receive(message));
  }

  /** Why nothing can be written any more, where that is so. */
  get stopped(): string | undefined {
    return this.#stopped;
  }

  get queued(): number {
    return this.#room.count;
  }

  /** How long appends took, from being asked for to being durable, in ms. */
  get appendMs(): { readonly p50: number; readonly p99: number } {
    return this.#latencies.percentiles();
  }

  /** Durable when it resolves. `weight` is what it takes of the queue's bound: its appends or writes. */
  run(command: Command, weight: number): Promise<Result> {
    if (this.#stopped !== undefined) return Promise.reject(notWritten(this.#stopped));
    if (this.#closing) return Promise.reject(notWritten("It is being closed."));
    const size = sizeOf(command);
    const full = this.#room.admit(weight, size);
    if (full) return Promise.reject(full);
    return new Promise((resolve, reject) => {
      this.#queue.push({ command, weight, size, since: this.#clock.monotonic(), resolve, reject });
      this.#schedule();
    });
  }

  /**
   * What somebody sees now may not be on disk yet. Nothing where it is; otherwise resolves when it is, and rejects where
   * nobody will ever know.
   */
  flushed(): Promise<void> | undefined {
    const seen = Atomics.load(this.#progress, progressOf.begun);
    if (!this.#isPending(seen)) return undefined;
    if (this.#stopped !== undefined) return Promise.reject(notSeen(this.#stopped));
    return new Promise((resolve, reject) => this.#lookers.push({ seen, resolve, reject }));
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
    if (this.#scheduled || !this.#mayGo()) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #mayGo(): boolean {
    return this.#sent.length < (this.#queue.length < this.#half() ? smallUnderWay : batchesUnderWay);
  }

  /** Of all that is wanted and not answered: one half is written while the other is flushed, answered and asked for anew. */
  #half(): number {
    const underWay = this.#sent.reduce((sum, { length }) => sum + length, 0);
    return Math.min(longestBatch, Math.max(worthHalving, Math.ceil((this.#queue.length + underWay) / 2)));
  }

  #send(): void {
    while (this.#stopped === undefined && this.#queue.length > 0 && this.#mayGo()) {
      const batch = this.#queue.splice(0, this.#half());
      try {
        const alone = batch.length === 1 && this.#queue.length === 0 && this.#sent.length === 0;
        this.#post({ now: this.#clock.now(), commands: batch.map(({ command }) => command), alone });
        this.#sent.push(batch);
      } catch (error) {
        // Something in it cannot be copied to another thread: no JSON text, where the port asks for some.
        for (const { weight, size } of batch) this.#room.leave(weight, size);
        for (const { reject } of batch) reject(error instanceof Error ? error : new Error(String(error)));
      }
    }
    if (this.#closing && this.#queue.length === 0 && this.#sent.length === 0) this.#post("close");
  }

  #post(message: ToWriter): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromFlusher): void {
    if (message !== "flushed") {
      this.#break(message.notFlushed);
      return;
    }
    // Asked once for each: what is flushed between two looks would be told nobody, and whoever waits for it waits for good.
    const { done = [], pending = [] } = Object.groupBy(this.#lookers, ({ seen }) =>
      this.#isPending(seen) ? "pending" : "done",
    );
    this.#lookers = pending;
    for (const { resolve } of done) resolve();
    this.#goOn();
  }

  /**
   * Answers one batch that is on disk, and the next a turn later. What was asked for by then goes first: otherwise whoever
   * is told together asks together from then on, and the writer and this thread wait for each other by turns.
   */
  #goOn(): void {
    if (this.#queue.length > 0) this.#send();
    if (this.#mayAnswer()) this.#answerOne();
    if (this.#mayAnswer() && !this.#answering) {
      this.#answering = true;
      setImmediate(() => {
        this.#answering = false;
        this.#goOn();
      });
    }
    if (this.#queue.length > 0 || this.#closing) this.#schedule();
  }

  #mayAnswer(): boolean {
    return this.#sent.length > 0 && !this.#isPending((this.#answered + 1) | 0);
  }

  /** The reply came before the flush; what lies there of batches that are not on disk yet stays there. False without it. */
  #answerOne(): boolean {
    const received = receiveMessageOnPort(this.#replies) as { readonly message: readonly Reply[] } | undefined;
    if (!received) return false;
    const { message: replies } = received;
    const batch = this.#sent.shift() ?? [];
    const now = this.#clock.monotonic();
    this.#answered = (this.#answered + 1) | 0;
    let broken: string | undefined;
    for (let index = 0; index < batch.length; index++) {
      const waiting = batch[index] as Waiting; // inside the bounds
      const reply = replies[index] as Reply; // one a command
      this.#room.leave(waiting.weight, waiting.size);
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
    if (broken !== undefined) this.#break(broken);
    return true;
  }

  #isPending(batch: number): boolean {
    return isAfter(batch, Atomics.load(this.#progress, progressOf.flushed));
  }

  #break(why: string): void {
    this.#stop(why);
    void this.#worker.terminate();
  }

  // What was sent may be on disk or not, where nobody has said so yet; what was still here is not.
  #stop(why: string): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = why;
    while (this.#mayAnswer() && this.#answerOne());
    for (const waiting of this.#sent.flat()) {
      waiting.reject(
        new Fault("Unavailable", `The SQLite writer stopped before it said whether this was written. ${why}`, {
          outcome: "unknown",
        }),
      );
    }
    for (const waiting of this.#queue) waiting.reject(notWritten(why));
    for (const { reject } of this.#lookers) reject(notSeen(why));
    this.#sent.length = 0;
    this.#lookers = [];
    this.#queue = [];
    this.#room.clear();
    this.#flusher.close();
    this.#replies.close();
    this.#closing?.();
  }
}

function toError({ message, why, outcome }: Failure): Error {
  if (why === "refused") return new TypeError(message);
  return new Fault("Unavailable", message, { outcome });
}

function notSeen(why: string): Fault {
  return new Fault("Unavailable", `The SQLite writer stopped before it said whether what was read is on disk. ${why}`, {
    outcome: "not done",
  });
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
