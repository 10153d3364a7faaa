// What the engine does when processes and servers are killed, connections are lost and ten nodes start at once, on the
// oldest PostgreSQL that is promised. The conformance suite runs on both versions by itself.
import { describe, expect, test } from "vitest";

process.env.TRILITH_TEST_POSTGRES = "15"; // before test/postgres.ts is loaded, so nothing above may load it
process.env.CRASH_ROUNDS ??= "25"; // a hundred are on the newest; here it is the statements that could differ
const { startPostgres } = await import("./postgres.ts");

test("it is the oldest version on which these tests are told", async () => {
  const postgres = await startPostgres();
  try {
    const [row] = await postgres.query("show server_version_num");
    expect(row.server_version_num).toMatch(/^15/);
  } finally {
    await postgres.remove();
  }
}, 120_000);

describe("processes", async () => {
  await import("../src/engines/postgres/process.test.ts");
});
describe("the engine", async () => {
  await import("../src/engines/postgres/postgres.test.ts");
});
