import type { Worker } from "node:worker_threads";
import { Fault } from "../../contracts/index.ts";
import type { ReadQuery, StoredEvent } from "../../storage/host.ts";
import { unpackEvents } from "./packed-events.ts";
import type { FromScanner, ToScanner } from "./scanner.ts";
import { startThread } from "./thread.ts";

interface Waiting {
  resolve(events: readonly StoredEvent[]): void;
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

  read(log: string, query: ReadQuery): Promise<readonly StoredEvent[]> {
    this.#worker ??= this.#start();
    const id = this.#next++;
    this.#worker.postMessage({ id, log, query } satisfies ToScanner);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  // A scanner that ends unasked costs the scans that were under way; the next one starts another.
  #start(): Worker {
    const worker = startThread("scanner", this.#file);
    let why = "The engine was closed.";
    worker.on("message", (message: FromScanner) => {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if ("page" in message) waiting?.resolve(unpackEvents(message.page));
      else waiting?.reject(new Fault("Unavailable", `The log cannot be read. ${message.failed}`));
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
