import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Engine } from "../../storage/host.ts";
import { Checkpoints } from "./checkpoints.ts";
import { openSqlite } from "./index.ts";

let folder: string;
let engine: Engine;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "trilith-checkpoints-"));
  engine = await openSqlite({ folder });
});
afterEach(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

const file = (): string => join(folder, "trilith.db");
const megabytes = (path: string): number => Math.round(statSync(path).size / 1_048_576);
const data = JSON.stringify("x".repeat(65_000));

/** So many events of 64 KiB by 16 clients that never rest; the longest that the WAL was meanwhile, in MiB. */
async function write(events: number): Promise<number> {
  let [next, longest] = [0, 0];
  const client = async (): Promise<void> => {
    while (next < events) {
      const stream = `thing/${next++}`;
      const id = stream;
      await engine.append("main", [{ id, expect: [], events: [{ stream, type: "t.Said", version: 1, data }] }]);
      longest = Math.max(longest, megabytes(`${file()}-wal`));
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));
  return longest;
}

test("the WAL is copied while it is written, and begins again", async () => {
  const longest = await write(2_400); // 150 MiB
  expect(longest).toBeGreaterThan(16); // no commit stopped for it at the first occasion
  expect(megabytes(file())).toBeGreaterThan(50);
  // Where the disk copies slowly it has become longer, and begins again at the first rest.
  await expect.poll(async () => [await write(16), megabytes(`${file()}-wal`)][1], { timeout: 60_000 }).toBeLessThan(80);
  expect(await engine.check()).toEqual([]);
  await engine.close();
  expect(existsSync(`${file()}-wal`)).toBe(false); // nobody holds the file any more
  expect(megabytes(file())).toBeGreaterThan(149);
});

test("while somebody reads for long others write on, and the WAL begins again when he has gone", async () => {
  await write(10);
  const reading = new DatabaseSync(file(), { readOnly: true });
  reading.exec("begin");
  reading.prepare("select count(*) from event_1").get();
  expect(await write(1_600)).toBeGreaterThan(90); // 100 MiB, and none of it may be overwritten
  reading.exec("commit");
  reading.close();
  // The next commit after the last pass begins it again.
  await expect.poll(async () => [await write(16), megabytes(`${file()}-wal`)][1], { timeout: 15_000 }).toBeLessThan(80);
});

test("where the thread cannot start, SQLite copies the WAL by itself", async () => {
  const db = new DatabaseSync(join(folder, "other.db"));
  db.exec("pragma journal_mode = wal; pragma synchronous = off; create table t (a text)");
  const checkpoints = new Checkpoints(db, join(folder, "nowhere", "other.db"));
  const own = (): unknown => db.prepare("pragma wal_autocheckpoint").get()?.wal_autocheckpoint;
  const fill = (): void => {
    for (let n = 0; n < 2_500; n++) {
      db.prepare("insert into t values (?)").run("x".repeat(8_000));
      checkpoints.look();
    }
  };
  expect(own()).toBe(0);
  fill();
  await expect.poll(own).toBe(4_000);
  for (let n = 0; n < 4; n++) fill();
  expect(megabytes(join(folder, "other.db-wal"))).toBeLessThan(50); // of 100
  checkpoints.end();
  db.close();
});
