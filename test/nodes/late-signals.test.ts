import { describe, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, signal } from "../../src/contracts/index.ts";
import { type Run, workflow } from "../../src/orchestration/index.ts";
import { openRunJournal } from "../../src/runtime/run-journal.ts";
import type { VirtualClock } from "../../src/testing/index.ts";
import { inMemory, startNode, type TestNode, type World } from "./world.ts";

const day = 86_400_000;
const Jobs = contract("jobs", "1.0.0", {
  do: command({
    input: z.object({ id: z.string() }),
    output: z.string(),
    signals: { go: signal(z.object({ n: z.int() })), stop: signal(z.object({})) },
  }),
});
type Body = (run: Run<typeof Jobs.do, readonly []>) => Promise<string>;
const toWorkflow = (body: Body) => workflow(Jobs.do, { version: 1 }, (_, { run }) => body(run));

async function begin(world: World, node: TestNode): Promise<string> {
  void node
    .client(Jobs, { key: "k" })
    .do({ id: "x" })
    .catch(() => {});
  await world.until(async () => (await node.runner.search({}, { limit: 1 })).runs[0]?.state === "waiting");
  return (await node.runner.search({}, { limit: 1 })).runs[0]?.run ?? "";
}

/** A run waits, and no node is there while the signals come; then one is, after four days. */
async function afterDays(body: Body, signals: readonly { name: string; n?: number; day: number }[]): Promise<unknown> {
  await using world = await inMemory();
  const clock = world.clock as VirtualClock;
  const first = await startNode(world, { workflows: [toWorkflow(body)], contracts: [Jobs] });
  const run = await begin(world, first);
  const began = (await first.row(run))?.startedAt ?? 0;
  await first.stop();
  const journal = await openRunJournal(await world.engine(), clock);
  for (const { name, n = 0, day: when } of signals) {
    await clock.advance(began + when * day - clock.now());
    await journal.post(run, { signal: name, payload: name === "go" ? { n } : {}, by: "bob", at: clock.now() });
  }
  await clock.advance(began + 4 * day - clock.now());
  const second = await startNode(world, { workflows: [toWorkflow(body)], contracts: [Jobs] });
  await world.until(async () => (await second.row(run))?.state === "done");
  const result = await second.runner.result(run, 0);
  await second.stop();
  return result?.output;
}

describe("of a signal and a time it is the earlier that counts, also where no node was there", () => {
  const within: Body = async (run) => ((await run.signal.go.within("2 days")) ? "in time" : "too late");
  const race: Body = async (run) => (await run.race({ go: run.signal.go, late: run.sleep("2 days") })).winner;
  const group: Body = async (run) => {
    const came = await run.within("2 days", run.signal.go).catch(() => undefined);
    return came ? "in time" : "too late";
  };

  it.each([
    { how: "within", body: within, before: "in time", after: "too late" },
    { how: "a race", body: race, before: "go", after: "late" },
    { how: "run.within", body: group, before: "in time", after: "too late" },
  ])("$how", async ({ body, before, after }) => {
    expect(await afterDays(body, [{ name: "go", day: 1 }])).toBe(before);
    expect(await afterDays(body, [{ name: "go", day: 3 }])).toBe(after);
    expect(
      await afterDays(body, [
        { name: "stop", day: 1 },
        { name: "go", day: 3 },
      ]),
    ).toBe(after);
    expect(await afterDays(body, [])).toBe(after);
  });

  it("of two signals too, and of two times", async () => {
    const two: Body = async (run) => (await run.race({ go: run.signal.go, stop: run.signal.stop })).winner;
    expect(
      await afterDays(two, [
        { name: "stop", day: 1 },
        { name: "go", day: 2 },
      ]),
    ).toBe("stop");
    const times: Body = async (run) => (await run.race({ two: run.sleep("2 days"), one: run.sleep("1 day") })).winner;
    expect(await afterDays(times, [])).toBe("one");
  });

  it("and one that lost is there for whoever asks for it next", async () => {
    const body: Body = async (run) => {
      const first = await run.race({ late: run.sleep("2 days"), go: run.signal.go });
      const next = await run.signal.go;
      return `${first.winner}, then ${next.n}`;
    };
    expect(await afterDays(body, [{ name: "go", n: 7, day: 3 }])).toBe("late, then 7");
  });
});

it("a signal that has come and that the node was not told of is in time", async () => {
  await using world = await inMemory();
  const clock = world.clock as VirtualClock;
  const body: Body = async (run) => (await run.race({ late: run.sleep("900ms"), go: run.signal.go })).winner;
  const node = await startNode(world, { workflows: [toWorkflow(body)], contracts: [Jobs], suspendAfterMs: 60_000 });
  void node
    .client(Jobs, { key: "k" })
    .do({ id: "x" })
    .catch(() => {});
  await world.until(async () => (await node.runner.search({}, { limit: 1 })).runs.length === 1);
  const run = (await node.runner.search({}, { limit: 1 })).runs[0]?.run ?? "";
  await world.until(async () => (await node.journal.last(run))?.type === "SignalAwaited");
  await node.journal.post(run, { signal: "go", payload: { n: 1 }, by: "bob", at: clock.now() }); // and tells nobody
  await world.until(async () => (await node.row(run))?.state === "done");
  expect((await node.runner.result(run, 0))?.output).toBe("go");
  await node.stop();
});

it("a signal that newer code has taken pauses the run on an older node, undoes nothing, and is taken once it can be", async () => {
  await using world = await inMemory();
  const undone: string[] = [];
  const jobs = (ways: readonly [string, ...string[]]) =>
    contract("jobs", "1.0.0", {
      do: command({
        input: z.object({}),
        output: z.string(),
        signals: { go: signal(z.object({ how: z.enum(ways) })) },
      }),
    });
  const start = (contract: ReturnType<typeof jobs>) => {
    const doIt = workflow(contract.do, { version: 1 }, async (_, { run }) => {
      await run.step("charge", () => 1).undo(() => void undone.push("charge"));
      return `went ${(await run.signal.go).how}`;
    });
    return startNode(world, { workflows: [doIt], contracts: [contract] });
  };
  const older = jobs(["fast"]);
  const first = await start(older);
  void first
    .client(older, { key: "k" })
    .do({})
    .catch(() => {});
  await world.until(async () => (await first.runner.search({}, { limit: 1 })).runs[0]?.state === "waiting");
  const run = (await first.runner.search({}, { limit: 1 })).runs[0]?.run ?? "";
  const newer = jobs(["fast", "slow"]);
  await first.stop();
  const fresh = await start(newer);
  await fresh.stop();
  expect(await fresh.runner.signal(run, "go", { how: "slow" }, { id: "bob" })).toBe("taken");
  const old = await start(older);
  await world.until(async () => !["waiting", "running"].includes((await old.row(run))?.state ?? ""));
  expect(await old.row(run)).toMatchObject({ state: "paused", reason: expect.stringContaining('The signal "go"') });
  expect(undone).toEqual([]);
  await old.stop();
  const last = await start(newer);
  await last.runner.resume(run);
  await world.until(async () => (await last.row(run))?.state === "done");
  expect((await last.runner.result(run, 0))?.output).toBe("went slow");
  await last.stop();
});
