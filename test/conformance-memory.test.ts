import { engineConformance, Memory, memoryEngine, type OpenEngine } from "trilith/testing";
import { afterAll } from "vitest";
import { testCases, testHistories } from "./engine-suite.ts";

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
testCases(cases, "the engine in memory: ");
testHistories("the engine in memory: ", open);
