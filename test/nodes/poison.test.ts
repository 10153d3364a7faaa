import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { toRunId } from "../../src/orchestration/journal/identity.ts";
import { startNodeProcess } from "../chaos/processes.ts";

const file = fileURLToPath(new URL("./poisonous-backend.ts", import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-poison-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const begin = async (url: string, path: string, key: string): Promise<void> => {
  const headers = { "content-type": "application/json", "idempotency-key": key, prefer: "wait=0" };
  await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify({ id: key }) }).catch(() => {});
};
interface Status {
  readonly state?: string;
  readonly reason?: string;
}

it.each([
  { how: "ends its process", path: "/exits", operation: "chores.exit" },
  { how: "holds its process", path: "/holds", operation: "chores.hold" },
])(
  "a run that $how again and again is paused, and those beside it end well",
  {
    timeout: 150_000,
  },
  async ({ path, operation }) => {
    await using ends = new AsyncDisposableStack();
    const environment = { TRILITH_DATA: folder, TRILITH_LOG: "fatal", TRILITH_CONSOLE: "off", TRILITH_WATCHDOG: "1s" };
    const node = await startNodeProcess(environment, file);
    ends.defer(() => node.end());
    const statusOf = async (operation: string, key: string): Promise<Status> => {
      const url = `${node.url}/runs/${toRunId("anonymous", operation, key)}`;
      return fetch(url).then(
        (answer) => answer.json() as Promise<Status>,
        () => ({}),
      );
    };
    const rests = ["a", "b", "c"];
    for (const key of rests) await begin(node.url ?? "", "/rests", key);
    await begin(node.url ?? "", path, "poison");
    let status: Status = {};
    for (
      const end = performance.now() + 60_000;
      status.state !== "paused";
      status = await statusOf(operation, "poison")
    ) {
      expect(performance.now(), JSON.stringify(status)).toBeLessThan(end);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(status.reason).toContain("taken up 8 times, and each time its node was gone");
    for (const key of rests) {
      let rest: Status = {};
      for (let tries = 0; rest.state !== "done" && tries < 100; tries++) {
        rest = await statusOf("chores.rest", key);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(rest).toMatchObject({ state: "done" });
    }
  },
);

it("a run whose journal cannot be read is paused, and no other", { timeout: 60_000 }, async () => {
  await using ends = new AsyncDisposableStack();
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
  for (let tries = 0; (await status("b")).state !== "done" && tries < 100; tries++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await status("b")).toMatchObject({ state: "done" });
  expect(await status("a")).toMatchObject({ state: "paused", reason: expect.stringContaining("is no JSON") });
});
