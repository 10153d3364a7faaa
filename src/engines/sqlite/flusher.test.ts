import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FromFlusher, progressOf } from "./messages.ts";
import { startThread } from "./thread.ts";

let folder: string;
let thread: Worker | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trilith-flusher-"));
});
afterEach(async () => {
  await thread?.terminate();
  rmSync(folder, { recursive: true, force: true });
});

test("batches that were committed before a flush begins share it, and those after it have one of their own", async () => {
  const wal = join(folder, "wal");
  writeFileSync(wal, "");
  const progress = toProgress();
  commit(progress, 2);
  const answers = flusher(wal, progress);
  expect(await next(answers)).toBe("flushed");
  expect(progress[progressOf.flushed]).toBe(2);
  commit(progress, 5);
  expect(await next(answers)).toBe("flushed");
  expect(progress[progressOf.flushed]).toBe(5);
});

test("what the writer has flushed by itself is not flushed again, and what comes after it is", async () => {
  const wal = join(folder, "wal");
  writeFileSync(wal, "");
  const progress = toProgress();
  commit(progress, 1);
  const answers = flusher(wal, progress);
  const said = (): unknown => receiveMessageOnPort(answers)?.message;
  await expect.poll(said).toBe("flushed");
  Atomics.store(progress, progressOf.flushed, 2);
  commit(progress, 2);
  // Once it sleeps again, which whoever wakes it is told, it has said all that there is to say.
  const asleep = (): Promise<void> => expect.poll(() => Atomics.notify(progress, progressOf.committed)).toBe(1);
  await asleep();
  expect(said()).toBeUndefined();
  commit(progress, 3);
  await expect.poll(() => progress[progressOf.flushed]).toBe(3);
  await asleep();
  expect([said(), said()]).toEqual(["flushed", undefined]);
});

test.each([
  ["cannot be opened", () => join(folder, "nowhere")],
  ["cannot be flushed", () => "/dev/null"],
])("nothing is called flushed over a file that %s, and the reason is told", async (_, wal) => {
  const progress = toProgress();
  commit(progress, 1);
  expect(await next(flusher(wal(), progress))).toEqual({
    notFlushed: expect.stringMatching(/^The disk failed while it was written\. \((ENOENT|EINVAL)/),
  });
  expect(progress[progressOf.flushed]).toBe(0);
});

const toProgress = (): Int32Array => new Int32Array(new SharedArrayBuffer(12));

function commit(progress: Int32Array, batch: number): void {
  Atomics.store(progress, progressOf.committed, batch);
  Atomics.notify(progress, progressOf.committed);
}

function flusher(wal: string, progress: Int32Array): MessagePort {
  const { port1, port2 } = new MessageChannel();
  thread = startThread("flusher", { wal, progress, said: port1 }, [port1]);
  return port2;
}

async function next(answers: MessagePort): Promise<FromFlusher> {
  const [answer] = (await once(answers, "message")) as [FromFlusher];
  return answer;
}
