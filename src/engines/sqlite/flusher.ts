/**
 * The flusher's thread: no answer of the writer passes before what it answers is on disk. The writer commits to the WAL
 * without a flush of its own, so while the disk is busy it is at the next batch, and all that it commits meanwhile shares
 * the next flush.
 */
import { fdatasyncSync, openSync } from "node:fs";
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import type { FlusherOptions, FromFlusher, Reply } from "./messages.ts";

const { wal, committed, answers } = workerData as FlusherOptions;
const say = (message: FromFlusher): void => answers.postMessage(message);
const file = orSay(() => openSync(wal, "r+"));
// What an earlier process left behind may be in the system's memory only, and here it is read as committed.
if (file !== undefined) flush();

committed.on("message", (first: readonly Reply[]) => {
  const batches = [first];
  for (let next = receiveMessageOnPort(committed); next; next = receiveMessageOnPort(committed))
    batches.push(next.message as readonly Reply[]);
  if (flush()) say({ batches });
});

function flush(): boolean {
  return orSay(() => fdatasyncSync(file as number) ?? true) === true; // without a file there is nobody to call
}

/** After a failed flush nobody knows what is on disk: asked again, the system may say that all is well. */
function orSay<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    say({ notFlushed: `The disk failed while it was written. (${(error as Error).message})` });
    committed.close();
    return undefined;
  }
}
