import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../contracts/index.ts";
import { pack } from "./packed.ts";
import { startThread } from "./thread.ts";
import { WriterThread } from "./writer-thread.ts";

test("a writer that dies leaves what it had got unknown, what it had not got undone, and says so from then on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "trilith-writer-"));
  try {
    const worker = startThread("writer", { file: join(folder, "trilith.db"), now: 0, maxBytes: undefined });
    const writer = await WriterThread.over(worker, systemClock, 1_000);
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
