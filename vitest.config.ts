import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["trilith-source"] },
  ssr: { resolve: { conditions: ["trilith-source"], externalConditions: ["trilith-source"] } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
    execArgv: ["--conditions=trilith-source"],
    testTimeout: 20_000,
    maxWorkers: 2,
  },
});
