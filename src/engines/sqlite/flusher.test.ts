import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageChannel, type Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FromFlusher, Reply } from "./messages.ts";
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

test("batches that were committed before a flush begins share it, and are answered in their order", async () => {
  const wal = join(folder, "wal");
  writeFileSync(wal, "");
  expect(await answerTo(wal, [[{ done: 1 }], [{ done: 2 }, { done: 3 }]])).toEqual({
    batches: [[{ done: 1 }], [{ done: 2 }, { done: 3 }]],
  });
});

test.each([
  ["cannot be opened", () => join(folder, "nowhere")],
  ["cannot be flushed", () => "/dev/null"],
])("nothing is answered over a file that %s, and the reason is told", async (_, wal) => {
  expect(await answerTo(wal(), [[{ done: 1 }]])).toEqual({
    notFlushed: expect.stringMatching(/^The disk failed while it was written\. \((ENOENT|EINVAL)/),
  });
});

async function answerTo(wal: string, batches: readonly (readonly Reply[])[]): Promise<FromFlusher> {
  const [commits, answers] = [new MessageChannel(), new MessageChannel()];
  for (const batch of batches) commits.port1.postMessage(batch);
  const options = { wal, committed: commits.port2, answers: answers.port1 };
  thread = startThread("flusher", options, [commits.port2, answers.port1]);
  const [answer] = (await once(answers.port2, "message")) as [FromFlusher];
  answers.port2.close();
  commits.port1.close();
  return answer;
}
