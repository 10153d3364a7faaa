import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, signal } from "../../src/contracts/index.ts";
import { workflow } from "../../src/orchestration/index.ts";
import {
  inMemory,
  type NodeParts,
  onPostgres,
  openDatabase,
  startNode,
  type TestDatabase,
  type World,
} from "./world.ts";

const Chores = contract("chores", "1.0.0", {
  do: command({
    input: z.object({ id: z.string() }),
    output: z.object({ by: z.string() }),
    signals: { go: signal(z.object({ by: z.string() })) },
  }),
});
const contracts = [Chores];
const leaseMs = 900;

/** A run that says that it has begun, waits for a signal, and says that it has ended. */
function chore(said: string[], version = 1) {
  return workflow(Chores.do, { version }, async ({ id }, { run }) => {
    await run.step("begin", () => void said.push(`${id} begins in version ${version}`));
    const went = await run.signal.go.within("5 minutes");
    await run.step("end", () => void said.push(`${id} ends`));
    return { by: went?.by ?? "nobody" };
  });
}
/** A run that is at one step until it is let go on, and never looks up. */
function longChore(said: string[], gate: { open: Promise<void> }) {
  return workflow(Chores.do, { version: 1 }, async ({ id }, { run }) => {
    await run.step("long", async () => {
      said.push(`${id} is at it`);
      await gate.open;
    });
    await run.step("end", () => void said.push(`${id} ends`));
    return { by: "itself" };
  });
}

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterAll(() => postgres.remove());

describe.each([
  { place: "in memory", open: inMemory },
  { place: "on PostgreSQL", open: () => onPostgres(postgres) },
])("nodes that share runs $place", ({ open }) => {
  const start = (world: World, workflows: NodeParts["workflows"], more: Partial<NodeParts> = {}) =>
    startNode(world, { workflows, contracts, leaseMs, ...more });

  /** Asks a node for a run, and does not wait for its end: the node may not live to tell. */
  const begin = (node: Awaited<ReturnType<typeof start>>, id = "a", key = "k"): void => {
    void node
      .client(Chores, { key })
      .do({ id })
      .catch(() => {});
  };

  it("leave each other's runs alone, whoever starts later", async () => {
    await using world = await open();
    const said: string[] = [];
    const first = await start(world, [chore(said)], { suspendAfterMs: 600_000 });
    begin(first);
    await world.until(() => said.length === 1);
    const second = await start(world, [chore(said)]);
    await world.until(() => pause(world, leaseMs * 2).then(() => true));
    expect([first.runner.active, second.runner.active]).toEqual([1, 0]);
    expect(said).toEqual(["a begins in version 1"]);
    await Promise.all([first.stop(), second.stop()]);
  });

  it("take over what a dead one held within twice its lease, and answer whoever waits elsewhere", async () => {
    await using world = await open();
    const said: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = await start(world, [longChore(said, { open: gate.promise })]);
    const second = await start(world, [longChore(said, { open: Promise.resolve() })]);
    begin(first);
    await world.until(() => said.length === 1);
    const waits = second.client(Chores, { key: "k" }).do({ id: "a" }); // joins the run that the first node has
    await pause(world, 50);
    first.die();
    const died = world.clock.monotonic();
    let answer: unknown;
    void waits.then((given) => {
      answer = given;
    });
    await world.until(() => answer !== undefined);
    expect(answer).toEqual({ by: "itself" });
    expect(world.clock.monotonic() - died).toBeLessThan(2 * leaseMs + 10_000);
    expect(said).toEqual(["a is at it", "a is at it", "a ends"]);
    gate.resolve();
    await second.stop();
  });

  it("hand a signal to a run in another's memory, and its end to whoever waits there, within milliseconds", async () => {
    await using world = await open();
    const said: string[] = [];
    const first = await start(world, [chore(said)], { suspendAfterMs: 600_000 });
    const second = await start(world, [chore(said)], { suspendAfterMs: 600_000 });
    begin(first);
    await world.until(() => said.length === 1);
    await pause(world, leaseMs); // by now each knows that there is another
    let answer: unknown;
    void second
      .client(Chores, { key: "k" })
      .do({ id: "a" })
      .then((given) => {
        answer = given;
      });
    const [run = ""] = await first.journal.heldBy(first.name, 10);
    const posted = world.clock.monotonic();
    expect(await second.runner.signal(run, "go", { by: "bob" }, { id: "bob" })).toBe("taken");
    await world.until(() => answer !== undefined);
    expect(answer).toEqual({ by: "bob" });
    expect(world.clock.monotonic() - posted).toBeLessThan(30_000); // it would have waited in memory for ten minutes
    await Promise.all([first.stop(), second.stop()]);
  });

  it("get a draining one's runs at once", async () => {
    await using world = await open();
    const said: string[] = [];
    const first = await start(world, [chore(said)], { suspendAfterMs: 600_000, leaseMs: 60_000 });
    const second = await start(world, [chore(said)], { suspendAfterMs: 600_000, leaseMs: 60_000 });
    const third = await start(world, [chore(said)], { suspendAfterMs: 600_000, leaseMs: 60_000 });
    const ids = ["a", "b", "c"];
    for (const id of ids) begin(first, id, id);
    await world.until(() => said.length === 3);
    const drained = first.runner.drain(1_000);
    const began = world.clock.monotonic();
    await world.until(() => second.runner.active + third.runner.active === 3);
    expect(world.clock.monotonic() - began).toBeLessThan(30_000);
    await drained;
    expect(said).toHaveLength(3); // nothing was done twice
    await Promise.all([second.stop(), third.stop()]);
  });

  it("get only runs whose workflow they know in its version", async () => {
    await using world = await open();
    const said: string[] = [];
    const older = await start(world, [chore(said, 1)]);
    void older
      .client(Chores, { key: "old" })
      .do({ id: "old" })
      .catch(() => {});
    await world.until(() => said.length === 1);
    const newer = await start(world, [chore(said, 2)]);
    void newer
      .client(Chores, { key: "new" })
      .do({ id: "new" })
      .catch(() => {});
    await world.until(() => said.length === 2);
    expect(said).toEqual(["old begins in version 1", "new begins in version 2"]);
    const [{ key: old = "" } = {}] = await older.engine.find("run", {
      where: { workflow: { equals: "chores.do@1" } },
      limit: 1,
    });
    await older.stop();
    await newer.runner.signal(old, "go", { by: "bob" }, { id: "bob" });
    await pause(world, 1_500);
    expect(await newer.row(old)).toMatchObject({ state: "waiting", owner: null, workflow: "chores.do@1" });

    const both = await start(world, [chore(said, 1), chore(said, 2)]);
    await world.until(async () => (await both.row(old))?.state === "done");
    expect(said).toContain("old ends");
    await Promise.all([newer.stop(), both.stop()]);
  });

  it("take an owner that is on no list for dead", async () => {
    await using world = await open();
    const said: string[] = [];
    const first = await start(world, [chore(said)], { suspendAfterMs: 600_000 });
    begin(first);
    await world.until(() => said.length === 1);
    const [run = ""] = await first.journal.heldBy(first.name, 10);
    first.die();
    const second = await start(world, [chore(said)], { suspendAfterMs: 600_000 });
    await second.journal.nodes.leave(first.name); // as if somebody had cleaned up
    await world.until(() => second.runner.active === 1, 2 * leaseMs);
    expect((await second.row(run))?.owner).toBe(second.name);
    await second.stop();
  });

  it("that cannot keep their lease drop what they have, and come back by another id", async () => {
    await using world = await open();
    const said: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = await start(world, [longChore(said, { open: gate.promise })]);
    begin(first);
    await world.until(() => said.length === 1);
    const [run = ""] = await first.journal.heldBy(first.name, 10);
    const mend = first.cutOff();
    await world.until(() => first.runner.active === 0, 2 * leaseMs);
    mend();
    await world.until(() => said.length === 2); // it has it again, by itself, as another
    expect((await first.row(run))?.owner).toBe(`${first.name}.1`);
    gate.resolve();
    await world.until(async () => (await first.row(run))?.state === "done");
    expect(said).toEqual(["a is at it", "a is at it", "a ends"]);
    await first.stop();
  });

  it("wake what a dead one had put to sleep, when it is due", async () => {
    await using world = await open();
    const said: string[] = [];
    const nap = workflow(Chores.do, { version: 1 }, async (_, { run }) => {
      await run.step("begin", () => void said.push("begins"));
      await run.sleep("3s");
      await run.step("end", () => void said.push("ends"));
      return { by: "itself" };
    });
    const first = await start(world, [nap], { suspendAfterMs: 0 });
    const second = await start(world, [nap], { suspendAfterMs: 0 });
    begin(first);
    await world.until(() => said.length === 1 && first.runner.active === 0);
    first.die();
    await world.until(() => said.length === 2, 5_000);
    await second.stop();
  });

  it("find again what an answer that was lost left with them", async () => {
    await using world = await open();
    const said: string[] = [];
    const first = await start(world, [chore(said)], { suspendAfterMs: 0 });
    begin(first);
    await world.until(() => said.length === 1 && first.runner.active === 0);
    const { claimDue } = first.journal;
    let lost = 0;
    Object.assign(first.journal, {
      claimDue: async (...given: Parameters<typeof claimDue>) => {
        const rows = await claimDue(...given);
        if (rows.length > 0 && lost++ === 0) throw new Error("The answer was lost.");
        return rows;
      },
    });
    const [{ key: run = "" } = {}] = await first.engine.find("run", { limit: 1 });
    await first.runner.signal(run, "go", { by: "bob" }, { id: "bob" });
    await world.until(() => said.includes("a ends"), 5_000);
    expect(lost).toBeGreaterThan(0);
    await first.stop();
  });
});

/** Lets time pass, where nothing is to be waited for but time itself. */
async function pause(world: World, ms: number): Promise<void> {
  const end = world.clock.monotonic() + ms;
  await world.until(() => world.clock.monotonic() >= end);
}
