import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["trilith-source"] },
  // module-sync as Node has it: without it `graphql` would be there twice, once for us and once for its server.
  ssr: {
    resolve: { conditions: ["trilith-source", "module-sync"], externalConditions: ["trilith-source", "module-sync"] },
  },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
    execArgv: ["--conditions=trilith-source"],
    testTimeout: 20_000,
    maxWorkers: 2,
  },
});
