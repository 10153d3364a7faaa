import { systemClock } from "trilith/contracts";
import { openPostgres } from "trilith/postgres";
import { engineConformance, type OpenEngine } from "trilith/testing";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Engine } from "../src/storage/host.ts";
import { checkHistories, checkRaces, checkSteps } from "./engine-histories.ts";
import { testCases } from "./engine-suite.ts";
import { startPostgres, type TestPostgres } from "./postgres.ts";

describe.each([18, 15] as const)("PostgreSQL %s", (version) => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres(version);
  }, 120_000);

  const open: OpenEngine = async ({ clock }) => {
    const schema = postgres.freshSchema();
    const engines: Engine[] = [];
    const another = async (): Promise<Engine> => {
      const engine = await openPostgres({ url: postgres.url, schema, clock, connections: 4 });
      engines.push(engine);
      return engine;
    };
    const engine = await another();
    return {
      engine,
      second: another,
      reopen: async () => {
        await Promise.all(engines.splice(0).map((open) => open.close()));
        return another();
      },
      close: async () => {
        await Promise.all(engines.splice(0).map((open) => open.close()));
      },
    };
  };

  const { cases, close } = engineConformance(open);
  afterAll(async () => {
    await close();
    await postgres.remove();
  });
  testCases(cases);

  test("histories that fast-check tells have the outcomes of the model", { timeout: 120_000 }, async () => {
    const { engine, close: end } = await open({ clock: systemClock });
    await checkHistories(engine, 8);
    await end();
  });
  test("steps of many writes do what steps of one do", { timeout: 120_000 }, async () => {
    const { engine, close: end } = await open({ clock: systemClock });
    await checkSteps(engine, 15);
    await end();
  });
  test("histories that race from two processes have one order that explains them", { timeout: 120_000 }, async () => {
    const { engine, second, close: end } = await open({ clock: systemClock });
    await checkRaces(
      [engine, await second?.()].filter((one) => one !== undefined),
      15,
    );
    await end();
  });
});
