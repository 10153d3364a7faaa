import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqlite } from "trilith/sqlite";
import { engineConformance, type OpenEngine } from "trilith/testing";
import { afterAll } from "vitest";
import { testCases, testHistories } from "./engine-suite.ts";

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
testCases(cases, "SQLite: ");
testHistories("SQLite: ", open);
