import { systemClock } from "trilith/contracts";
import { engineConformance, Memory, memoryEngine, type OpenEngine, type OpenedEngine } from "trilith/testing";
import { afterAll, beforeAll, describe, test } from "vitest";
import { checkHistories, checkRaces, checkSteps } from "./engine-histories.ts";

const open: OpenEngine = async ({ clock }) => {
  const memory = new Memory();
  const next = () => memoryEngine({ clock, memory });
  const engine = next();
  const opened = [engine];
  return {
    engine,
    reopen: async () => {
      await opened.at(-1)?.close();
      opened.push(next());
      return opened.at(-1) ?? engine;
    },
    second: async () => next(),
    close: async () => {
      for (const one of opened) await one.close();
    },
  };
};

const { cases, close } = engineConformance(open);
afterAll(close);
describe.each([...Map.groupBy(cases, ({ topic }) => topic)])("the engine in memory: %s", (_, ofTopic) => {
  for (const { name, run } of ofTopic)
    test(name, async ({ skip }) => {
      const reason = await run();
      if (reason !== undefined) skip(reason);
    });
});

describe("the engine in memory: histories that fast-check tells", () => {
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
