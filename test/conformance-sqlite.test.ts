import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "trilith/contracts";
import { openSqlite } from "trilith/sqlite";
import { engineConformance, type OpenEngine, type OpenedEngine } from "trilith/testing";
import { afterAll, beforeAll, describe, test } from "vitest";
import { checkHistories, checkRaces, checkSteps } from "./engine-histories.ts";

const open: OpenEngine = async ({ clock }) => {
  const folder = mkdtempSync(join(tmpdir(), "trilith-conformance-"));
  let engine = await openSqlite({ folder, clock });
  return {
    engine,
    reopen: async () => {
      await engine.close();
      engine = await openSqlite({ folder, clock });
      return engine;
    },
    close: async () => {
      await engine.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

const { cases, close } = engineConformance(open);
afterAll(close);
describe.each([...Map.groupBy(cases, ({ topic }) => topic)])("SQLite: %s", (_, ofTopic) => {
  for (const { name, run } of ofTopic)
    test(name, async ({ skip }) => {
      const reason = await run();
      if (reason !== undefined) skip(reason);
    });
});

describe("SQLite: histories that fast-check tells", () => {
  let opened: OpenedEngine;
  beforeAll(async () => {
    opened = await open({ clock: systemClock });
  });
  afterAll(() => opened.close());
  test("have the outcomes and the contents of the model", { timeout: 60_000 }, () => checkHistories(opened.engine, 60));
  test("have one order that explains every outcome, where they race", { timeout: 60_000 }, () =>
    checkRaces([opened.engine], 60),
  );
  test("may be told in steps of many writes or of one", { timeout: 60_000 }, () => checkSteps(opened.engine, 60));
});
