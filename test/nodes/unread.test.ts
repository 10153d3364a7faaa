import { expect, it } from "vitest";
import { z } from "zod";
import { command, contract, signal } from "../../src/contracts/index.ts";
import { workflow } from "../../src/orchestration/index.ts";
import { inMemory, startNode, type TestNode, type World } from "./world.ts";

const Desk = contract("desk", "1.0.0", {
  listen: command({
    input: z.object({}),
    output: z.number(),
    signals: { told: signal(z.object({ text: z.string() })), other: signal(z.object({})) },
  }),
});
/** It never waits for longer than it is kept in memory. */
const listen = workflow(Desk.listen, { version: 1 }, async (_, { run }) => {
  for (let n = 0; ; ) {
    const told = await run.signal.told.within("1 second");
    if (told?.text === "over") return n;
    if (told) n++;
  }
});
const by = { id: "bob" };

const start = (world: World): Promise<TestNode> =>
  startNode(world, { workflows: [listen], contracts: [Desk], suspendAfterMs: 60_000 });
async function begin(world: World, node: TestNode): Promise<string> {
  void node
    .client(Desk, { key: "k" })
    .listen({})
    .catch(() => {});
  const first = async () => (await node.runner.search({}, { limit: 1 })).runs[0];
  await world.until(async () => (await first()) !== undefined);
  return (await first())?.run ?? "";
}
const takenIn = async (node: TestNode, run: string): Promise<number> =>
  (await node.journal.read(run)).filter(({ type }) => type === "SignalTaken").length;
async function tell(world: World, node: TestNode, run: string, texts: readonly string[]): Promise<void> {
  const taken = await takenIn(node, run);
  for (const text of texts) expect(await node.runner.signal(run, "told", { text }, by)).toBe("taken");
  await world.until(async () => (await takenIn(node, run)) === taken + texts.length);
}

it("a run that stays in memory and takes its signals is sent more than it may leave unread", async () => {
  await using world = await inMemory();
  const node = await start(world);
  const run = await begin(world, node);
  const text = "x".repeat(1_000_000);
  for (let n = 0; n < 20; n++) await tell(world, node, run, [text]);
  expect((await node.row(run))?.unreadSize).toBeLessThan(3_000_000);
  await node.stop();
});

it("how many signals it has not taken is set right as it takes small ones, of those before a restart too", async () => {
  await using world = await inMemory();
  const node = await start(world);
  const run = await begin(world, node);
  await tell(world, node, run, Array.from({ length: 200 }, String));
  expect(await node.row(run)).toMatchObject({ unread: 200 });
  node.die();
  const next = await start(world);
  await world.until(async () => (await next.row(run))?.owner === next.name, 120_000);
  await tell(world, next, run, Array.from({ length: 100 }, String));
  expect((await next.row(run))?.unread).toBeLessThan(100);
  await next.runner.signal(run, "told", { text: "over" }, by);
  await world.until(async () => (await next.row(run))?.state === "done");
  expect((await next.runner.result(run, 0))?.output).toBe(300);
  await next.stop();
});

it.each([
  { how: "is paused", let: (node: TestNode, run: string) => node.runner.steer(run, { to: "pause", by: "ann" }) },
  { how: "is let go of", let: (node: TestNode) => node.stop() },
])("it is set right when the run $how, and counts what was not taken", async ({ let: letGo }) => {
  await using world = await inMemory();
  const node = await start(world);
  const run = await begin(world, node);
  await tell(world, node, run, ["a", "b", "c"]);
  for (let n = 0; n < 2; n++) await node.runner.signal(run, "other", {}, by);
  expect(await node.row(run)).toMatchObject({ unread: 5 });
  await letGo(node, run);
  await world.until(async () => (await node.row(run))?.owner === null);
  expect(await node.row(run)).toMatchObject({ unread: 2 });
  await node.stop();
});
