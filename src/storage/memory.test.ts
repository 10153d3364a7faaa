import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqlite } from "../engines/sqlite/index.ts";
import type { Engine, StoredEvent } from "./host.ts";
import { openOn, toChanged, toFolder, toTallyStore } from "./test-kit.test-d.ts";

const count = 90_000;

let remove: () => void;
let engine: Engine;
beforeEach(async () => {
  const { folder, remove: removeFolder } = toFolder();
  remove = removeFolder;
  engine = await openSqlite({ folder });
  let drawn = 0;
  const toEvent = () => ({
    stream: `sum/id${drawn % 100}`,
    type: "tally.Added",
    version: 1,
    data: JSON.stringify({ id: `id${drawn++ % 100}`, amount: 1 }),
  });
  for (let n = 0; n < count / 1_000; n++) {
    const id = `0190c0de-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;
    await engine.append("main", [{ id, expect: [], events: Array.from({ length: 1_000 }, toEvent) }]);
  }
}, 120_000);
afterEach(async () => {
  await engine.close();
  remove();
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** How many more bytes are held in the last third of a rebuild than were in the first. */
async function growth(over: Engine): Promise<number> {
  const held: { readonly position: number; readonly bytes: number }[] = [];
  await using backend = await openOn(over, [toTallyStore()]);
  for (let behind = count; behind > 0; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const [model] = (await backend.storage.status()).readModels;
    behind = model?.behind ?? 0;
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    held.push({ position: model?.position ?? 0, bytes: heapUsed + arrayBuffers });
  }
  const most = (from: number, to: number): number =>
    Math.max(...held.filter(({ position }) => position >= from && position <= to).map(({ bytes }) => bytes));
  return most((2 * count) / 3, count) - most(0, count / 3);
}

test("a rebuild holds no more of a long log than of a short one", async () => {
  expect(await growth(engine)).toBeLessThan(4_000_000);
}, 120_000);

test("the check above can fail: a reader that keeps what it has read is caught by it", async () => {
  const kept: StoredEvent[] = [];
  const keeping = toChanged(engine, {
    read: async (log, query) => {
      const page = await engine.read(log, query);
      kept.push(...page);
      return page;
    },
  });
  expect(await growth(keeping)).toBeGreaterThan(8_000_000);
  expect(kept.length).toBeGreaterThanOrEqual(count);
}, 120_000);
