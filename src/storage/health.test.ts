import { expect, test, vi } from "vitest";
import { openSqlite } from "../engines/sqlite/index.ts";
import { toHealth } from "./host.ts";
import { subscription } from "./index.ts";
import { openOn, Tally, toChanged, toFolder, toTallyStore } from "./test-kit.test-d.ts";

test("the status is said in one sentence a part, and a model that is being built keeps the node from being ready", async () => {
  const { folder, remove } = toFolder();
  const engine = await openSqlite({ folder });
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const held = toChanged(engine, {
    commit: async (checkpoint, writes) => {
      await gate;
      return engine.commit(checkpoint, writes);
    },
  });
  try {
    await engine.append("main", [
      {
        id: "x",
        expect: [],
        events: [{ stream: "sum/a", type: "tally.Added", version: 1, data: '{"id":"a","amount":1}' }],
      },
    ]);
    const mail = subscription("mail", { events: Tally, from: "now", handle: { Added: () => {} } });
    await using backend = await openOn(held, [toTallyStore(), mail]);
    const health = async () => toHealth(await backend.storage.status());
    const building = await health();
    expect(building.ready).toBe(false);
    expect(building.parts.readModels).toEqual({
      ready: false,
      detail: expect.stringMatching(/^"tally.row@1" is being built, 0 of 1 positions/),
    });
    release();
    await vi.waitFor(async () => expect((await health()).ready).toBe(true));
    await backend.call("tally.add", { id: "a", amount: 1 });
    await vi.waitFor(async () =>
      expect((await health()).parts.subscriptions?.detail).toBe('"mail" hands over, 0 positions behind.'),
    );
    const { parts } = await health();
    expect(parts.log?.detail).toMatch(
      /^On sqlite 3\.[\d.]+, "main" is at position 2, \d+ kB on disk, appends take [\d.]+ ms \(p50\) to [\d.]+ ms \(p99\), 0 are waiting, no replica\.$/,
    );
    expect(parts.readModels?.detail).toBe("It follows the log, 0 positions behind at most.");
  } finally {
    await engine.close();
    remove();
  }
});

test("a reader that has stopped is said without its reason, which is reported", async () => {
  const { folder, remove } = toFolder();
  const engine = await openSqlite({ folder });
  const told: string[] = [];
  try {
    await using backend = await openOn(engine, [toTallyStore()], { report: (sentence) => told.push(sentence) });
    await backend.storage.log.append({
      events: [{ stream: "sum/a", type: "tally.Added", version: 2, data: "secret" }],
    });
    await vi.waitFor(async () => {
      const { readModels } = toHealth(await backend.storage.status()).parts;
      expect(readModels?.detail).toBe('"tally.row@1" has stopped, 1 positions behind.');
    });
    expect(told).toEqual([
      expect.stringContaining('"tally.row@1" has stopped. The log holds events tally.Added in version 2'),
    ]);
  } finally {
    await engine.close();
    remove();
  }
});
