import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { openPostgres } from "../src/engines/postgres/index.ts";
import { openSqlite } from "../src/engines/sqlite/index.ts";
import type { Engine } from "../src/storage/host.ts";
import { openDatabase, type TestDatabase } from "./shared-postgres.ts";

/** Tests of both engines: each story is told on a file, or a schema, of its own. */
export function onBothEngines(
  tests: (story: (tell: (engine: Engine) => Promise<void>) => Promise<void>) => void,
): void {
  let postgres: TestDatabase;
  beforeAll(async () => {
    postgres = await openDatabase();
  }, 120_000);
  afterAll(() => postgres.remove());

  const onSqlite = async () => {
    const folder = await mkdtemp(join(tmpdir(), "trilith-both-"));
    const engine = await openSqlite({ folder });
    return { engine, remove: () => engine.close().then(() => rm(folder, { recursive: true })) };
  };
  const onPostgres = async () => {
    const engine = await openPostgres({ url: postgres.url, schema: postgres.freshSchema() });
    return { engine, remove: () => engine.close() };
  };
  describe.each([
    ["SQLite", onSqlite],
    ["PostgreSQL", onPostgres],
  ] as const)("on %s", (_, open) => {
    tests(async (tell) => {
      const { engine, remove } = await open();
      try {
        await tell(engine);
      } finally {
        await remove();
      }
    });
  });
}
