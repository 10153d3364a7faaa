import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.ts";

/** Tests that neither measure a whole process nor change what belongs to one: their files share workers, and so what these import. */
const together =
  "src/{aggregation,check,contracts,evolution,gateway,orchestration,storage,transports}/**/!(console|crash|memory|type-growth).test.ts";

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
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    // More than there are cores on the smallest machine: a third of the time files wait for sockets, clocks and processes.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: "alone",
          include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
          exclude: [together],
        },
      },
      { extends: true, test: { name: "together", include: [together], isolate: false } },
    ],
  },
});
