import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, signal } from "../../src/contracts/index.ts";
import { workflow } from "../../src/orchestration/index.ts";
import {
  inMemory,
  onPostgres,
  onSqlite,
  openDatabase,
  startNode,
  type TestDatabase,
  type TestNode,
  type World,
} from "./world.ts";

const Jobs = contract("jobs", "1.0.0", {
  do: command({
    input: z.object({ size: z.int() }),
    output: z.string(),
    signals: { go: signal(z.object({})), other: signal(z.object({ text: z.string() })) },
  }),
});
const undone: string[] = [];
const doIt = workflow(Jobs.do, { version: 1 }, async ({ size }, { run }) => {
  await run.step("first", () => 1).undo(() => void undone.push("first"));
  for (let n = 0; n < size; n++) await run.step("large", () => "x".repeat(1_000_000));
  await run.signal.go;
  const [other] = await run.all([run.signal.other]);
  return other.text;
});

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterAll(() => postgres.remove());

describe.each([
  { place: "in memory", open: inMemory },
  { place: "on SQLite", open: onSqlite },
  { place: "on PostgreSQL", open: () => onPostgres(postgres) },
])("$place", ({ open }) => {
  const start = (world: World, more: object = {}): Promise<TestNode> =>
    startNode(world, { workflows: [doIt], contracts: [Jobs], suspendAfterMs: 0, ...more });
  const begin = async (world: World, node: TestNode, size: number): Promise<string> => {
    void node
      .client(Jobs, { key: "k" })
      .do({ size })
      .catch(() => {});
    const first = async () => (await node.runner.search({}, { limit: 1 })).runs[0];
    await world.until(async () => ["waiting", "paused"].includes((await first())?.state ?? ""));
    return (await first())?.run ?? "";
  };
  const by = { id: "mallory" };

  it("a signal that nobody waits for does not wake its run, and is there when it is asked for", async () => {
    await using world = await open();
    const node = await start(world);
    const run = await begin(world, node, 0);
    await world.until(() => node.runner.active === 0);
    const before = (await node.journal.read(run)).length;
    for (let n = 0; n < 30; n++) {
      await node.runner.signal(run, "other", { text: `${n}` }, by);
      await world.until(() => node.runner.active === 0);
    }
    expect(await node.journal.read(run)).toHaveLength(before);
    expect(await node.row(run)).toMatchObject({ state: "waiting", wakeAt: null, unread: 30, awaits: ["go"] });
    await node.runner.signal(run, "go", {}, by);
    await world.until(async () => (await node.row(run))?.state === "done");
    expect((await node.runner.result(run, 0))?.output).toBe("0");
    await node.stop();
  });

  it("one that was thought to be unasked for wakes a run that has gone on meanwhile, once for its key", async () => {
    await using world = await open();
    const node = await start(world);
    const run = await begin(world, node, 0);
    const { asleepAt = -1 } = (await node.row(run)) ?? {};
    await node.stop();
    const item = { signal: "other", payload: { text: "x" }, by: "bob", at: world.clock.now(), key: "once" };
    await node.journal.post(run, item, { asleepAt });
    expect(await node.row(run)).toMatchObject({ wakeAt: null });
    await node.journal.post(run, { ...item, key: "twice" }, { asleepAt: asleepAt - 1 });
    expect(await node.row(run)).toMatchObject({ wakeAt: item.at });
    await node.journal.post(run, item, { asleepAt: asleepAt - 1 });
    expect(await node.journal.inbox(run)).toHaveLength(2);
  });

  it("a row forgets a claim without an entry, unless somebody has written since", async () => {
    await using world = await open();
    const node = await start(world);
    const run = await begin(world, node, 0);
    await node.stop();
    const { journal } = node;
    const revision = await journal.revision(run);
    const claimed = { type: "Claimed", node: "other", term: 9, at: world.clock.now() } as const;
    await journal.append(run, revision, [claimed], { row: { claims: 3 } });
    expect(await journal.append(run, revision, [], { row: { claims: 1 } })).toBe("fenced");
    expect(await node.row(run)).toMatchObject({ claims: 3 });
    await journal.append(run, revision + 1, [], { row: { claims: 2 } });
    expect(await node.row(run)).toMatchObject({ claims: 2 });
    expect(await journal.revision(run)).toBe(revision + 1);
  });

  it("a run takes no more signals than it may leave unread, and says so; what operators want it hears", async () => {
    await using world = await open();
    const node = await start(world);
    const run = await begin(world, node, 0);
    const text = "x".repeat(1_000_000);
    const send = () => node.runner.signal(run, "other", { text }, by);
    for (let n = 0; n < 17; n++) expect(await send()).toBe("taken");
    await expect(send()).rejects.toMatchObject({
      code: "TooManyRequests",
      message: expect.stringContaining("has 17 signals that it has not taken"),
    });
    await node.runner.steer(run, { to: "cancel", by: "ann" });
    await world.until(async () => (await node.row(run))?.state === "cancelled");
    await node.stop();
  });
});

describe("a run whose journal is large", () => {
  it("is paused where it would be larger than may be, and can be cancelled then, which undoes it", async () => {
    await using world = await inMemory();
    const node = await startNode(world, { workflows: [doIt], contracts: [Jobs], suspendAfterMs: 0 });
    undone.length = 0;
    void node
      .client(Jobs, { key: "k" })
      .do({ size: 80 })
      .catch(() => {});
    const first = async () => (await node.runner.search({}, { limit: 1 })).runs[0];
    await world.until(async () => (await first())?.state === "paused");
    const run = (await first())?.run ?? "";
    expect((await first())?.reason).toContain("more than 64 MiB of its journal");
    expect((await first())?.size).toBeGreaterThan(64_000_000);
    await node.runner.steer(run, { to: "cancel", by: "ann" });
    await world.until(async () => (await first())?.state === "cancelled");
    expect(undone).toEqual(["first"]);
    await node.stop();
  });

  it("and takes its node with it while it is read is counted, paused without being read, and ends when somebody wants it to", async () => {
    await using world = await inMemory();
    const first = await startNode(world, { workflows: [doIt], contracts: [Jobs], suspendAfterMs: 0 });
    void first
      .client(Jobs, { key: "k" })
      .do({ size: 3 })
      .catch(() => {});
    const row = async () => (await first.journal.search({}, { limit: 1 })).runs[0];
    await world.until(async () => (await row())?.state === "waiting");
    const run = (await row())?.run ?? "";
    await first.stop();
    await first.journal.post(run, { signal: "go", payload: {}, by: "bob", at: world.clock.now() });
    let reads = 0;
    for (let n = 0; n < 12 && (await row())?.state !== "paused"; n++) {
      const before = reads;
      const node = await startNode(world, { workflows: [doIt], contracts: [Jobs] });
      Object.assign(node.journal, {
        load: () => {
          reads++;
          return new Promise(() => {}); // as if the process ended here
        },
      });
      await world.until(async () => reads > before || (await row())?.state === "paused");
      node.die();
    }
    expect(await row()).toMatchObject({ state: "paused", reason: expect.stringContaining("was taken up 8 times") });
    expect(reads).toBe(8);
    const last = await startNode(world, { workflows: [doIt], contracts: [Jobs] });
    await last.runner.steer(run, { to: "terminate", by: "ann" });
    await world.until(async () => (await row())?.state === "terminated");
    await last.stop();
  });
});
