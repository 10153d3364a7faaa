/** The scanner's thread: walks along a log, and reads long streams, beside whatever the main thread is serving. */
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { ReadQuery, TextQuery } from "../../storage/host.ts";
import { EventPages } from "./event-pages.ts";
import type { Packed } from "./packed.ts";
import { packEvents } from "./packed-events.ts";
import { sentenceOf } from "./trouble.ts";

export type ToScanner = { readonly id: number; readonly log: string } & (
  | { readonly query: ReadQuery }
  | { readonly texts: TextQuery }
);
export type FromScanner =
  | { readonly id: number; readonly page: Packed }
  | { readonly id: number; readonly texts: readonly string[] }
  | { readonly id: number; readonly failed: string };

const port = parentPort;
if (!port) throw new Error("The SQLite scanner runs in a worker thread; open the engine with openSqlite.");
const open = (): DatabaseSync => new DatabaseSync(workerData as string, { readOnly: true, timeout: 5_000 });
const walks = new EventPages(open());
let streams: EventPages | undefined;
port.on("message", (asked: ToScanner) => {
  const { id, log } = asked;
  let answer: FromScanner;
  try {
    if ("texts" in asked) {
      streams ??= new EventPages(cached(open()));
      answer = { id, texts: streams.texts(log, asked.texts) };
    } else answer = { id, page: packEvents(walks.read(log, asked.query)) };
  } catch (error) {
    answer = { id, failed: sentenceOf(error) };
  }
  port.postMessage(answer);
});

/** The events of many streams lie between each other: with the 2 MiB that are usual a page is read again for each. */
function cached(db: DatabaseSync): DatabaseSync {
  db.exec("pragma cache_size = -65536");
  return db;
}
