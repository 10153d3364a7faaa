import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, failure, signal, silent } from "../../src/contracts/index.ts";
import { type FlowOptions, workflow } from "../../src/orchestration/index.ts";
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

const Input = z.object({ id: z.string(), tenant: z.string(), urgent: z.boolean().optional() });
const Jobs = contract("jobs", "1.0.0", {
  do: command({ input: Input, failures: { Broken: failure(409, "It broke.") } }),
});
type Job = z.infer<typeof Input>;

/** What is under way, and what was so at any time: runs stay until they are let go on. */
class Floor {
  readonly begun: string[] = [];
  readonly present = new Set<string>();
  most = 0;
  #open = false;
  readonly #waiting = new Map<string, () => void>();

  async enter({ id }: Job): Promise<void> {
    this.begun.push(id);
    this.present.add(id);
    this.most = Math.max(this.most, this.present.size);
    if (!this.#open) await new Promise<void>((resolve) => this.#waiting.set(id, resolve));
    this.present.delete(id);
  }
  letOneGo(): void {
    const [[id, go] = []] = this.#waiting;
    if (id === undefined || !go) return;
    this.#waiting.delete(id);
    go();
  }
  open(): void {
    this.#open = true;
    for (const go of this.#waiting.values()) go();
    this.#waiting.clear();
  }
}

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterAll(() => postgres.remove());

describe.each([
  { place: "in memory", open: inMemory, several: true },
  { place: "on SQLite", open: onSqlite, several: false },
  { place: "on PostgreSQL", open: () => onPostgres(postgres), several: true },
])("limits of a workflow $place", ({ open, several }) => {
  const start = (world: World, floor: Floor, options: FlowOptions<Job>, more = {}): Promise<TestNode> => {
    const doIt = workflow(Jobs.do, { version: 1, ...options }, async (job, { run, fail }) => {
      await run.step("work", () => floor.enter(job));
      if (job.id.startsWith("bad")) throw fail.Broken();
    });
    // A busy machine may hold this process for some seconds, and nothing is to be taken over for that.
    return startNode(world, { workflows: [doIt], contracts: [Jobs], leaseMs: 5_000, ...more });
  };
  /** Resolves once all of them are on disk; `ended` counts those that have come to their end. */
  const begin = async (node: TestNode, jobs: readonly Job[]): Promise<{ readonly ended: string[] }> => {
    const ended: string[] = [];
    const calls = jobs.map((job) => {
      void node
        .client(Jobs, { key: job.id })
        .do(job)
        .catch(() => {})
        .then(() => ended.push(job.id));
      return job;
    });
    await Promise.all(calls);
    return { ended };
  };
  const toJobs = (count: number, tenant = "a"): Job[] =>
    Array.from({ length: count }, (_, n) => ({ id: `${tenant}${n}`, tenant }));
  const states = async (node: TestNode): Promise<readonly string[]> =>
    (await node.engine.find("run", { limit: 500 })).map(({ data }) => (data as { state: string }).state);

  it("let so many in at a time, over all nodes, and the next when one ends, also when it fails", async () => {
    await using world = await open();
    const floor = new Floor();
    const nodes = [await start(world, floor, { concurrency: 2 })];
    if (several) nodes.push(await start(world, floor, { concurrency: 2 }));
    const jobs = toJobs(11).concat({ id: "bad", tenant: "a" });
    const told = await Promise.all(
      nodes.map((node, index) =>
        begin(
          node,
          jobs.filter((_, n) => n % nodes.length === index),
        ),
      ),
    );
    await world.until(async () => floor.present.size === 2 && (await states(nodes[0] as TestNode)).length === 12);
    expect((await states(nodes[0] as TestNode)).filter((state) => state === "queued")).toHaveLength(10);
    await world.until(() => {
      floor.letOneGo();
      return told.flatMap(({ ended }) => ended).length === 12;
    });
    expect(floor.most).toBe(2);
    expect(floor.begun.toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
    for (const node of nodes) await node.stop();
  });

  it("tell a caller without patience where to look, and later how it ended", async () => {
    await using world = await open();
    const floor = new Floor();
    const node = await start(world, floor, { concurrency: 1 });
    await begin(node, toJobs(1));
    await world.until(() => floor.present.size === 1);
    const provider = node.runner.providers[0];
    const call = {
      ...{ principal: { id: "ann", kind: "key" as const, scopes: [] }, key: "late", patienceMs: 20 },
      ...{ trace: silent, aborted: new AbortController().signal },
    };
    const job = { id: "late", tenant: "a" };
    let reply: unknown;
    void provider?.handle(job, call, job).then((given) => {
      reply = given;
    });
    await world.until(() => reply !== undefined);
    expect(reply).toMatchObject({ accepted: true });
    const { run } = reply as { run: string };
    expect((await node.runner.status(run))?.row.state).toBe("queued");
    floor.open();
    await world.until(async () => (await node.runner.status(run))?.row.state === "done");
    await node.stop();
  });

  it("are held for each key apart", async () => {
    await using world = await open();
    const floor = new Floor();
    const node = await start(world, floor, { concurrency: { limit: 1, key: ({ tenant }) => tenant } });
    const { ended } = await begin(node, [...toJobs(4, "a"), ...toJobs(2, "b"), ...toJobs(1, "c")]);
    await world.until(() => floor.present.size === 3);
    expect([...floor.present].map((id) => id[0]).toSorted()).toEqual(["a", "b", "c"]);
    floor.open();
    await world.until(() => ended.length === 7);
    await node.stop();
  });

  it("do not let a tenant with many runs keep one with few waiting, nor the urgent wait", async () => {
    await using world = await open();
    const floor = new Floor();
    const node = await start(world, floor, {
      concurrency: 1,
      fairness: ({ tenant }) => tenant,
      priority: ({ urgent }) => (urgent ? 1 : 0),
    });
    const many = await begin(node, toJobs(150, "a"));
    await world.until(async () => (await states(node)).length === 150);
    const few = await begin(node, [...toJobs(3, "b"), { id: "urgent", tenant: "c", urgent: true }]);
    await world.until(async () => (await states(node)).length === 154);
    await world.until(() => {
      floor.letOneGo();
      return few.ended.length === 4;
    });
    expect(many.ended.length).toBeLessThan(8);
    expect(floor.begun[1]).toBe("urgent");
    floor.open();
    await world.until(() => many.ended.length === 150, 60_000);
    await node.stop();
  });

  it("let a newcomer in at once, though a hundred thousand of another tenant wait", { timeout: 120_000 }, async () => {
    await using world = await open();
    const floor = new Floor();
    const node = await start(world, floor, { concurrency: 1, fairness: ({ tenant }) => tenant });
    const { ended } = await begin(node, toJobs(10, "a"));
    await world.until(async () => (await states(node)).length === 10 && floor.present.size === 1);
    await queueMany(node, "a", 100_000);
    const few = await begin(node, toJobs(2, "b"));
    await world.until(async () => (await states(node)).length === 12);
    const began = performance.now();
    await world.until(() => {
      floor.letOneGo();
      return few.ended.length === 2;
    });
    expect(performance.now() - began).toBeLessThan(60_000);
    expect(ended.length).toBeLessThan(5);
    node.die(); // the many are there as tickets only, and could not be begun
  });

  it("let runs in at a rate", async () => {
    await using world = await open();
    const floor = new Floor();
    floor.open();
    const node = await start(world, floor, { rate: { limit: 10, per: "1s", burst: 2 } });
    const began = world.clock.monotonic();
    const { ended } = await begin(node, toJobs(8));
    await world.until(() => ended.length === 8);
    const ms = world.clock.monotonic() - began;
    expect(ms).toBeGreaterThanOrEqual(599); // two at once, and then one each 100 ms
    expect(ms).toBeLessThan(20_000);
    await node.stop();
  });

  it("are gone with the code that took them back: whoever waited is let in", async () => {
    await using world = await open();
    const floor = new Floor();
    const before = await start(world, floor, { concurrency: 1 });
    await begin(before, toJobs(5));
    await world.until(async () => (await states(before)).length === 5 && floor.present.size === 1);
    await before.stop();
    floor.open();
    const after = await start(world, floor, {});
    await world.until(async () => (await states(after)).every((state) => state === "done"));
    await after.stop();
  });

  it.runIf(several)("lose nothing with a node that dies: what it held is held by whoever goes on with it", async () => {
    await using world = await open();
    const floor = new Floor();
    const first = await start(world, floor, { concurrency: 2 }, { leaseMs: 900 });
    await begin(first, toJobs(8));
    await world.until(async () => floor.present.size === 2 && (await states(first)).length === 8);
    const second = await start(world, floor, { concurrency: 2 }, { leaseMs: 900 });
    first.die();
    floor.present.clear();
    floor.most = 0;
    await world.until(() => floor.present.size === 2, 20_000); // the same two, on the other node
    expect(new Set(floor.begun).size).toBeLessThanOrEqual(4);
    floor.open();
    await world.until(async () => (await states(second)).every((state) => state === "done"), 20_000);
    expect(floor.most).toBeLessThanOrEqual(2);
    await second.stop();
  });
});

const Later = contract("later", "1.0.0", {
  do: command({ input: z.object({ n: z.int() }), signals: { go: signal(z.object({})) } }),
});

describe.each([
  { place: "in memory", open: inMemory },
  { place: "on SQLite", open: onSqlite },
  { place: "on PostgreSQL", open: () => onPostgres(postgres) },
])("limits of a workflow whose run was asked for later $place", ({ open }) => {
  const start = (world: World, options: FlowOptions<{ n: number }>): Promise<TestNode> => {
    const doIt = workflow(Later.do, { version: 1, ...options }, async ({ n }, { run }) => {
      await run.signal.go;
      if (n < 2) throw run.continueAsNew({ n: n + 1 });
    });
    return startNode(world, { workflows: [doIt], contracts: [Later], leaseMs: 900, suspendAfterMs: 0 });
  };
  const begin = async (node: TestNode, key: string, n: number, startAt?: number): Promise<string> => {
    const input = { n };
    const call = {
      ...{ principal: { id: "ann", kind: "key" as const, scopes: [] }, aborted: new AbortController().signal },
      ...{ trace: silent, key, detached: true, ...(startAt !== undefined && { startAt }) },
    };
    const reply = await node.runner.providers[0]?.handle(input, call, input);
    return (reply as { readonly run: string }).run;
  };
  const types = async (node: TestNode, run: string) => (await node.journal.read(run)).map(({ type }) => type);
  const stateIs = (world: World, node: TestNode, run: string, state: string) =>
    world.until(async () => (await node.row(run))?.state === state);
  const waiting = async (node: TestNode): Promise<number> =>
    (await node.engine.find("run turn", { limit: 9 })).reduce(
      (sum, { data }) => sum + (data as { waiting: number }).waiting,
      0,
    );

  it("do not hold for one that began before there were any, nor when it continues as new", async () => {
    await using world = await open();
    const before = await start(world, {});
    const run = await begin(before, "early", 0, world.clock.now() + 1_500); // later than a slow machine takes to note it
    await world.until(async () => (await types(before, run)).at(-1) === "SignalAwaited");
    await before.stop();
    const after = await start(world, { concurrency: 1 });
    for (const stretch of [2, 3]) {
      expect(await after.runner.signal(run, "go", {}, { id: "ann" })).toBe("taken");
      await world.until(async () => {
        const entries = await after.journal.read(run);
        const last = entries.findLast((entry) => entry.type === "Continued");
        return last?.stretch === stretch && entries.at(-1)?.type === "SignalAwaited";
      }, 60_000);
    }
    expect((await types(after, run)).filter((type) => type === "Queued")).toEqual([]);
    await after.stop();
  });

  it("hold for one that was paused and resumed before its time, and its time holds as well", async () => {
    await using world = await open();
    const node = await start(world, { concurrency: 1 });
    const first = await begin(node, "first", 2);
    await world.until(async () => (await types(node, first)).at(-1) === "SignalAwaited");
    const startAt = world.clock.now() + 2_500;
    const run = await begin(node, "later", 2, startAt);
    await node.runner.steer(run, { to: "pause", by: "ann" });
    await stateIs(world, node, run, "paused");
    expect(await node.runner.steer(run, { to: "resume", by: "ann" })).toMatchObject({ ok: true });
    await stateIs(world, node, run, "queued");
    expect(world.clock.now()).toBeGreaterThanOrEqual(startAt);
    expect((await types(node, run)).filter((type) => type === "Claimed")).toEqual([]);
    await node.runner.signal(first, "go", {}, { id: "ann" });
    await world.until(async () => (await types(node, run)).includes("SignalAwaited"));
    expect((await types(node, run)).filter((type) => type === "Admitted")).toHaveLength(1);
    await node.stop();
  });

  it("count it once, though a node that had it before still writes that it waits", async () => {
    await using world = await open();
    const node = await start(world, { concurrency: 1 });
    await begin(node, "first", 2);
    const run = await begin(node, "later", 2, world.clock.now() + 1_500); // later than a slow machine takes to note it
    await stateIs(world, node, run, "queued");
    const { ticket } = (await node.row(run)) ?? {};
    if (!ticket) throw new Error("It has no ticket.");
    const at = world.clock.now();
    const queues = { ticket, startedAt: at, revision: 1 };
    const change = { row: { state: "queued", owner: null }, queues } as const;
    expect(await node.journal.append(run, 0, [{ type: "Queued", at }], change)).toBe("fenced");
    expect(await waiting(node)).toBe(1);
    await node.stop();
  });
});

/** Many more runs of one tenant, as the line has them. */
async function queueMany(node: TestNode, tenant: string, count: number): Promise<void> {
  const [{ key: turn } = { key: "" }] = await node.engine.find("run turn", { limit: 1 });
  expect(turn).toContain(tenant);
  const atOnce = 2_000;
  const at = node.journal.line ? Date.now() + 86_400_000 : 0; // behind those that are there
  for (let from = 0; from < count; from += atOnce) {
    const tickets = Array.from({ length: atOnce }, (_, n) => ({
      ...{ collection: "run ticket", put: `00000000-0000-8000-8000-${String(from + n).padStart(12, "0")}` },
      data: { turn, at: at + from + n, lane: "" },
    }));
    const more = { collection: "run turn", increment: turn, by: { waiting: atOnce }, initial: { waiting: 0 } };
    const id = `00000000-0000-7000-8000-${String(from).padStart(12, "0")}`;
    const [outcome] = await node.engine.append("runs", [{ id, expect: [], events: [], documents: [...tickets, more] }]);
    expect(outcome?.ok).toBe(true);
  }
}
