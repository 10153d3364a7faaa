import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.ts";

/** Tests that measure their own process, or change what belongs to one. All others share workers, and so what they import. */
const alone = ["src/storage/memory", "test/nodes/sleeping", "test/oldest-postgres"].map((file) => `${file}.test.ts`);

export default defineConfig({
  resolve: { conditions: ["trilith-source"] },
  // module-sync as Node has it: without it `graphql` would be there twice, once for us and once for its server.
  ssr: {
    resolve: { conditions: ["trilith-source", "module-sync"], externalConditions: ["trilith-source", "module-sync"] },
  },
  test: {
    execArgv: ["--conditions=trilith-source"],
    // Programs that tests start, hundreds of them, load the same code: with Node's cache of what it compiled in half the time.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/trilith-tests") },
    globalSetup: "test/before-all.ts",
    // Nothing here is timed: these end what hangs, on a machine that is slow and busy too.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    // More than there are cores on the smallest machine: a third of the time files wait for sockets, clocks and processes.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: "alone", include: alone } },
      {
        extends: true,
        test: {
          name: "together",
          include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
          exclude: alone,
          isolate: false,
        },
      },
    ],
  },
});
