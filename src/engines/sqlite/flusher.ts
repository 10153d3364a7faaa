/**
 * The flusher's thread: nothing that the writer has committed is answered before it is on disk. The writer commits to the
 * WAL without a flush of its own, so while the disk is busy it is at the next batch, and all that it commits meanwhile
 * shares the next flush. This thread does nothing else, so it sleeps on the shared number itself: a message would wake it
 * later, and cost more.
 */
import { fdatasyncSync, openSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { type FlusherOptions, type FromFlusher, progressOf } from "./messages.ts";
import { flushedUpTo, isAfter } from "./progress.ts";
import { toNotFlushed } from "./trouble.ts";

const { wal, progress, said } = workerData as FlusherOptions;
const say = (message: FromFlusher): void => said.postMessage(message);
const file = orSay(() => openSync(wal, "r+"));
// What an earlier process left behind may be in the system's memory only, and here it is read as committed.
let fine = file !== undefined && flush();

for (let flushed = 0; fine; ) {
  Atomics.wait(progress, progressOf.committed, flushed);
  flushed = Atomics.load(progress, progressOf.committed);
  if (!isAfter(flushed, Atomics.load(progress, progressOf.flushed))) continue; // the writer has flushed it by itself
  fine = flush();
  if (!fine) break;
  flushedUpTo(progress, flushed);
  say("flushed");
}

function flush(): boolean {
  return orSay(() => fdatasyncSync(file as number) ?? true) === true; // without a file there is nobody to call
}

function orSay<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    say(toNotFlushed(error));
    return undefined;
  }
}
