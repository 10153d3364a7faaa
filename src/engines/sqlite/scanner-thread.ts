import type { Worker } from "node:worker_threads";
import { Fault } from "../../contracts/index.ts";
import type { ReadQuery, StoredEvent, TextQuery } from "../../storage/host.ts";
import { unpackEvents } from "./packed-events.ts";
import type { FromScanner, ToScanner } from "./scanner.ts";
import { startThread } from "./thread.ts";

type Answer = Exclude<FromScanner, { readonly failed: string }>;
interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** The scanner, as the main thread sees it: started by the first scan. */
export class ScannerThread {
  readonly #file: string;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #next = 1;
  constructor(file: string) {
    this.#file = file;
  }

  async read(log: string, query: ReadQuery): Promise<readonly StoredEvent[]> {
    const answer = await this.#ask({ id: this.#next++, log, query });
    return "page" in answer ? unpackEvents(answer.page) : [];
  }

  async texts(log: string, texts: TextQuery): Promise<readonly string[]> {
    const answer = await this.#ask({ id: this.#next++, log, texts });
    return "texts" in answer ? answer.texts : [];
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(asked: ToScanner): Promise<Answer> {
    this.#worker ??= this.#start();
    this.#worker.postMessage(asked);
    return new Promise((resolve, reject) => this.#waiting.set(asked.id, { resolve, reject }));
  }

  // A scanner that ends unasked costs the scans that were under way; the next one starts another.
  #start(): Worker {
    const worker = startThread("scanner", this.#file);
    let why = "The engine was closed.";
    worker.on("message", (message: FromScanner) => {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if ("failed" in message) waiting?.reject(new Fault("Unavailable", `The log cannot be read. ${message.failed}`));
      else waiting?.resolve(message);
    });
    worker.on("error", (error) => {
      why = error instanceof Error ? error.message : String(error);
    });
    worker.on("exit", () => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const { reject } of this.#waiting.values())
        reject(new Fault("Unavailable", `The log was not read to the end. ${why}`));
      this.#waiting.clear();
    });
    return worker;
  }
}
