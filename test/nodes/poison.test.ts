import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { toRunId } from "../../src/orchestration/journal/identity.ts";
import { type NodeProcess, startNodeProcess } from "../chaos/processes.ts";
import { openDatabase } from "../shared-postgres.ts";

const file = fileURLToPath(new URL("./poisonous-backend.ts", import.meta.url));
/** A folder for what a backend keeps, which goes when the test has ended its processes. */
async function folderUntil(ends: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "trilith-poison-"));
  ends.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const begin = async (url: string, path: string, key: string): Promise<void> => {
  const headers = { "content-type": "application/json", "idempotency-key": key, prefer: "wait=0" };
  await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify({ id: key }) }).catch(() => {});
};
interface Status {
  readonly state?: string;
  readonly reason?: string;
}

/** Asks one node after the other, for each may be down at the moment. */
const statusOf = async (fleet: readonly NodeProcess[], operation: string, key: string): Promise<Status> => {
  for (const { url } of fleet) {
    const answer = await fetch(`${url}/runs/${toRunId("anonymous", operation, key)}`).catch(() => undefined);
    if (answer?.ok) return (await answer.json()) as Status;
  }
  return {};
};

// Side by side, for most of it is waiting: for leases to run out, and for processes to be held for long enough.
describe.concurrent("poison", () => {
  it.each([
    { how: "ends its process", path: "/exits", operation: "chores.exit", on: "SQLite", nodes: 1 },
    { how: "holds its process", path: "/holds", operation: "chores.hold", on: "SQLite", nodes: 1 },
    { how: "ends its process", path: "/exits", operation: "chores.exit", on: "PostgreSQL", nodes: 2 },
  ])(
    "a run that $how again and again is paused on $on (nodes: $nodes), and those beside it end well",
    { timeout: 330_000 },
    async ({ path, operation, on, nodes }) => {
      await using ends = new AsyncDisposableStack();
      const environment: { [name: string]: string } = {
        ...{ TRILITH_DATA: await folderUntil(ends), TRILITH_LOG: "fatal", TRILITH_CONSOLE: "off" },
        ...(path === "/holds" && { TRILITH_WATCHDOG: "1s" }),
        TRILITH_LEASE: "1s",
      };
      if (on === "PostgreSQL") {
        const postgres = await openDatabase();
        ends.defer(() => postgres.remove());
        environment.TRILITH_POSTGRES = postgres.url;
      }
      const fleet: NodeProcess[] = [];
      ends.defer(async () => void (await Promise.all(fleet.map((node) => node.end()))));
      while (fleet.length < nodes) fleet.push(await startNodeProcess(environment, file));
      const rests = ["a", "b", "c"];
      const [first] = fleet as [NodeProcess, ...NodeProcess[]]; // there is one at least
      for (const key of rests) await begin(first.url ?? "", "/rests", key);
      await begin(first.url ?? "", path, "poison");
      let status: Status = {};
      for (
        const end = performance.now() + 300_000; // sixteen starts, on a machine that others may keep busy
        status.state !== "paused";
        status = await statusOf(fleet, operation, "poison")
      ) {
        expect(performance.now(), JSON.stringify(status)).toBeLessThan(end);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(status.reason).toContain("taken up 8 times, and each time its node was gone");
      for (const key of [...rests, "after"]) {
        if (key === "after") await begin(fleet.find(({ url }) => url)?.url ?? "", "/rests", key); // nothing is left of it
        let rest: Status = {};
        for (let tries = 0; rest.state !== "done" && tries < 1_000; tries++) {
          rest = await statusOf(fleet, "chores.rest", key);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        expect(rest).toMatchObject({ state: "done" });
      }
    },
  );

  it("a run whose journal cannot be read is paused, and no other", { timeout: 120_000 }, async () => {
    await using ends = new AsyncDisposableStack();
    const folder = await folderUntil(ends);
    const environment = { TRILITH_DATA: folder, TRILITH_LOG: "fatal", TRILITH_CONSOLE: "off" };
    const before = await startNodeProcess(environment, file);
    for (const key of ["a", "b"]) await begin(before.url ?? "", "/rests", key);
    before.kill();
    await before.end();

    const broken = toRunId("anonymous", "chores.rest", "a");
    const database = new DatabaseSync(join(folder, "trilith.db"));
    const [log] = database.prepare("select id from log where name = 'runs'").all() as { id: number }[];
    const { changes } = database
      .prepare(`update event_${log?.id} set data = ? where stream = (select id from stream where name = ?)`)
      .run("{ no JSON", `run/${broken}`);
    database.close();
    expect(changes).toBeGreaterThan(0);

    const after = await startNodeProcess(environment, file);
    ends.defer(() => after.end());
    const status = async (key: string): Promise<Status> =>
      (await fetch(`${after.url}/runs/${toRunId("anonymous", "chores.rest", key)}`)).json() as Promise<Status>;
    // Whichever of the two is taken up first.
    const patiently = { timeout: 60_000, interval: 50 };
    await expect.poll(() => status("b"), patiently).toMatchObject({ state: "done" });
    const broke = { state: "paused", reason: expect.stringContaining("is no JSON") };
    await expect.poll(() => status("a"), patiently).toMatchObject(broke);
  });
});
