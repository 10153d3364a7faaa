/** The scanner's thread: walks along a log, which may take long, beside whatever the main thread is serving. */
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { ReadQuery } from "../../storage/host.ts";
import { EventPages } from "./event-pages.ts";
import type { Packed } from "./packed.ts";
import { packEvents } from "./packed-events.ts";
import { sentenceOf } from "./trouble.ts";

export interface ToScanner {
  readonly id: number;
  readonly log: string;
  readonly query: ReadQuery;
}
export type FromScanner =
  | { readonly id: number; readonly page: Packed }
  | { readonly id: number; readonly failed: string };

const port = parentPort;
if (!port) throw new Error("The SQLite scanner runs in a worker thread; open the engine with openSqlite.");
const pages = new EventPages(new DatabaseSync(workerData as string, { readOnly: true, timeout: 5_000 }));
port.on("message", ({ id, log, query }: ToScanner) => {
  let answer: FromScanner;
  try {
    answer = { id, page: packEvents(pages.read(log, query)) };
  } catch (error) {
    answer = { id, failed: sentenceOf(error) };
  }
  port.postMessage(answer);
});
