import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, test, vi } from "vitest";
import { systemClock } from "../../contracts/index.ts";
import { type Command, progressOf } from "./messages.ts";
import { pack } from "./packed.ts";
import { startThread } from "./thread.ts";
import { WriterThread } from "./writer-thread.ts";

test("a writer that dies leaves what it had got unknown, what it had not got undone, and says so from then on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "trilith-writer-"));
  try {
    const worker = startThread("writer", { file: join(folder, "trilith.db"), now: 0, maxBytes: undefined });
    const writer = await WriterThread.over(worker, systemClock, { count: 1_000, size: 2 ** 26 });
    const event = { stream: "s/a", type: "t.Said", version: 1, data: "1" };
    const command = pack("main", [{ id: "a", expect: [], events: Array(20_000).fill(event) }]);
    await writer.run(command, 1);
    const sent = writer.run(command, 1).catch((error: unknown) => error);
    // It leaves for the thread in the check phase of this turn; after that it is the writer's.
    await new Promise((resolve) => setImmediate(resolve));
    void worker.terminate();
    const queued = writer.run(command, 1).catch((error: unknown) => error);
    expect(await sent).toMatchObject({ code: "Unavailable", outcome: "unknown" });
    expect(await queued).toMatchObject({ code: "Unavailable" });
    expect(writer.stopped).toBe("Its thread ended.");
    await expect(writer.run(command, 1)).rejects.toMatchObject({ code: "Unavailable", outcome: "not done" });
    await writer.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** A writer that begins commits, and whose flusher answers when it is told to. */
const play = (): Worker =>
  new Worker(
    `const { parentPort } = require("node:worker_threads");
     const [replies, flusher] = [new MessageChannel(), new MessageChannel()];
     const progress = new Int32Array(new SharedArrayBuffer(12));
     let batches = 0;
     parentPort.on("message", (message) => {
       if (message === "flush") { progress[2] = batches; flusher.port1.postMessage("flushed"); }
       else if (message === "fail") flusher.port1.postMessage({ notFlushed: "The disk failed." });
       else { progress[0] = ++batches; replies.port1.postMessage([{ done: true }]); parentPort.postMessage("begun"); }
     });
     parentPort.postMessage(
       { ready: true, replies: replies.port2, flusher: flusher.port2, progress },
       [replies.port2, flusher.port2],
     );`,
    { eval: true },
  );
const command: Command = { kind: "sweep", log: "main", now: 0, limit: 1 };

test("what was seen before it was flushed is told after the flush, or never", async () => {
  const played = play();
  const writer = await WriterThread.over(played, systemClock, { count: 1_000, size: 2 ** 26 });
  played.removeAllListeners("message"); // what it says from here on is for the test
  const begun = async (): Promise<void> => void (await once(played, "message"));
  expect(writer.flushed()).toBeUndefined();

  const written = writer.run(command, 1);
  await begun();
  let told = false;
  const first = writer.flushed()?.then(() => {
    told = true;
  });
  expect(first).toBeDefined();
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toBe(false);
  played.postMessage("flush");
  await Promise.all([written, first]);
  expect(writer.flushed()).toBeUndefined();

  const lost = writer.run(command, 1).catch((error: unknown) => error);
  await begun();
  const never = writer.flushed()?.catch((error: unknown) => error);
  played.postMessage("fail");
  expect(await lost).toMatchObject({ code: "Unavailable", outcome: "unknown" });
  expect(await never).toMatchObject({ code: "Unavailable" });
  await writer.close();
});

test("what is flushed while somebody else is told of an earlier flush is told as well", async () => {
  const played = play();
  const writer = await WriterThread.over(played, systemClock, { count: 1_000, size: 2 ** 26 });
  played.removeAllListeners("message");
  const seen: (Promise<void> | undefined)[] = [];
  const written: Promise<unknown>[] = [];
  for (let batch = 1; batch <= 2; batch++) {
    written.push(writer.run(command, 1));
    await once(played, "message");
    seen.push(writer.flushed());
  }
  expect(seen.every((one) => one !== undefined)).toBe(true);
  // The first batch is on disk when this thread is told; the second one from its third look on.
  const load = Atomics.load.bind(Atomics) as (array: Int32Array, index: number) => number;
  let looks = 0;
  const watched = vi
    .spyOn(Atomics, "load")
    .mockImplementation(((array: Int32Array, index: number) =>
      index === progressOf.flushed && load(array, index) > 0
        ? ++looks < 3
          ? 1
          : 2
        : load(array, index)) as typeof Atomics.load); // numbers only
  try {
    played.postMessage("flush");
    await seen[0];
    played.postMessage("flush");
    await Promise.all([...written, ...seen]);
    expect(looks).toBeGreaterThan(2);
  } finally {
    watched.mockRestore();
    await played.terminate();
  }
});

test("of two batches that are on disk together, who is answered first is heard before the others are answered", async () => {
  const played = play();
  const writer = await WriterThread.over(played, systemClock, { count: 1_000, size: 2 ** 26 });
  played.removeAllListeners("message");
  const order: string[] = [];
  const post = played.postMessage.bind(played);
  const told: Promise<unknown>[] = [];
  for (const name of ["first", "second"]) {
    const written = writer.run(command, 1).then(() => order.push(name));
    told.push(name === "first" ? written.then(() => writer.run(command, 1)) : written);
    await once(played, "message");
  }
  played.postMessage = (message: unknown) => {
    if (message !== "flush") order.push("asked anew");
    post(message);
  };
  post("flush");
  await told[1];
  await once(played, "message");
  expect(order).toEqual(["first", "asked anew", "second"]);
  post("flush");
  await told[0];
  await played.terminate();
});

test("what is on disk when the writer stops is answered, though its turn had not come", async () => {
  const played = play();
  const writer = await WriterThread.over(played, systemClock, { count: 1_000, size: 2 ** 26 });
  played.removeAllListeners("message");
  const outcomes: Promise<unknown>[] = [];
  for (let batch = 1; batch <= 2; batch++) {
    outcomes.push(writer.run(command, 1));
    await once(played, "message");
  }
  played.postMessage("flush");
  played.postMessage("fail"); // both are there when this thread looks
  const held = performance.now() + 100;
  while (performance.now() < held);
  expect(await Promise.all(outcomes)).toEqual([true, true]);
  await expect(writer.run(command, 1)).rejects.toMatchObject({ outcome: "not done" });
  await writer.close();
});
