import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, signal } from "../../src/contracts/index.ts";
import { type RunFilter, type RunQuery, Unreadable } from "../../src/orchestration/host.ts";
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

const Input = z.object({ id: z.string(), tenant: z.string(), month: z.int() });
type Job = z.infer<typeof Input>;
const Jobs = contract("jobs", "1.0.0", {
  do: command({ input: Input, output: z.string(), signals: { go: signal(z.object({})) } }),
  other: command({ input: Input }),
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
])("orders $place", ({ place, open }) => {
  const undone: string[] = [];
  const start = (world: World, options: FlowOptions<Job> = {}, more = {}): Promise<TestNode> => {
    const tags = ({ tenant, month }: Job) => ({ tenant, month });
    const doIt = workflow(Jobs.do, { version: 1, tags, ...options }, async ({ id }, { run }) => {
      await run.step("take", () => id).undo(() => void undone.push(id));
      if (id.startsWith("bad")) throw new Error("bad");
      await run.signal.go;
      return id;
    });
    const other = workflow(Jobs.other, { version: 2 }, async () => {});
    return startNode(world, { workflows: [doIt, other], contracts: [Jobs], leaseMs: 900, ...more });
  };
  const begin = async (node: TestNode, id: string, about: Partial<Job> = {}): Promise<string> => {
    const handle = node.runner.providers.find(({ operation }) => operation === "jobs.do")?.handle;
    const input = { id, tenant: "acme", month: 1, ...about };
    const call = {
      ...{ principal: { id: "ann", kind: "key" as const, scopes: [] }, aborted: new AbortController().signal },
      ...{ trace: (await import("../../src/contracts/index.ts")).silent, key: id, detached: true },
    };
    const reply = await handle?.(input, call, input);
    return (reply as { readonly run: string }).run;
  };
  const stateIs = (world: World, node: TestNode, run: string, state: string) =>
    world.until(async () => (await node.row(run))?.state === state);
  const by = "ann";

  it("reach a run wherever it lives: in another's memory, on disk, in line, paused", async () => {
    await using world = await open();
    const first = await start(world, { concurrency: 1 }, { suspendAfterMs: 600_000 });
    const second = place === "on SQLite" ? first : await start(world, { concurrency: 1 }, { suspendAfterMs: 600_000 });
    const active = await begin(first, `${place} active`);
    const queued = await begin(first, `${place} queued`);
    const paused = await begin(first, `${place} paused`);
    const kept = await begin(first, `${place} kept`);
    await world.until(async () => (await first.journal.read(active)).some(({ type }) => type === "SignalAwaited"));
    expect((await first.row(queued))?.state).toBe("queued");

    expect(await second.runner.steer(paused, { to: "pause", by })).toEqual({ ok: true, state: "paused" });
    expect(await second.runner.steer(queued, { to: "cancel", by })).toEqual({ ok: true, state: "cancelled" });
    expect(await second.runner.steer(active, { to: "cancel", by })).toMatchObject({ ok: true });
    await stateIs(world, first, active, "cancelled");
    expect(undone).toContain(`${place} active`);
    expect(undone).not.toContain(`${place} queued`);
    // The place that was freed goes to the next in line, and not to the one that is paused.
    await world.until(async () => (await first.journal.read(kept)).some(({ type }) => type === "SignalAwaited"));
    expect((await first.row(paused))?.state).toBe("paused");
    expect(await first.runner.steer(paused, { to: "resume", by })).toEqual({ ok: true, state: "queued" });
    expect(await first.runner.steer(kept, { to: "terminate", by })).toMatchObject({ ok: true });
    await stateIs(world, first, kept, "terminated");
    await world.until(async () => (await first.journal.read(paused)).some(({ type }) => type === "SignalAwaited"));
    expect(await first.runner.signal(paused, "go", {}, { id: by })).toBe("taken");
    await stateIs(world, first, paused, "done");
    expect(await second.runner.result(paused, 1_000)).toEqual({ output: `${place} paused` });
    for (const node of new Set([first, second])) await node.stop();
  });

  it("are in the journal with who gave them and why, and reach a run that sleeps on disk", async () => {
    await using world = await open();
    const first = await start(world, {}, { suspendAfterMs: 0 });
    const run = await begin(first, `${place} asleep`);
    await stateIs(world, first, run, "waiting");
    await world.until(() => first.runner.active === 0);
    await first.runner.steer(run, { to: "pause", by, reason: "lunch" });
    await stateIs(world, first, run, "paused");
    expect((await first.row(run))?.reason).toBe("Paused by ann: lunch");
    await first.runner.steer(run, { to: "cancel", by: "bob", reason: "a duplicate" });
    await stateIs(world, first, run, "cancelled");
    const entries = await first.journal.read(run);
    expect(entries).toContainEqual(expect.objectContaining({ type: "Steered", to: "pause", by, reason: "lunch" }));
    expect(entries).toContainEqual(expect.objectContaining({ type: "Cancelled", by: "bob", reason: "a duplicate" }));
    await expect(first.runner.result(run, 1_000)).rejects.toMatchObject({ code: "Cancelled" });
    await first.stop();
  });

  it("terminate a run whose journal nobody can read, and no order makes it go on", async () => {
    await using world = await open();
    const node = await start(world, { concurrency: 1 }, { suspendAfterMs: 0 });
    const spoil = async (run: string): Promise<void> => {
      const events = [{ stream: `run/${run}`, type: "Odd", version: 1, data: "null" }];
      await node.engine.append("runs", [{ id: crypto.randomUUID(), expect: [], events }]);
    };
    const asleep = await begin(node, `${place} unreadable`);
    const inLine = await begin(node, `${place} unreadable in line`);
    await world.until(async () => (await node.row(asleep))?.state === "waiting" && node.runner.active === 0);
    await spoil(asleep);
    await spoil(inLine);
    await node.runner.signal(asleep, "go", {}, { id: by });
    await stateIs(world, node, asleep, "paused");
    expect((await node.row(asleep))?.reason).toContain("is no entry: null");
    expect(await node.runner.steer(inLine, { to: "terminate", by })).toEqual({ ok: true, state: "terminated" });
    await node.runner.steer(asleep, { to: "terminate", by, reason: "spoilt" });
    await stateIs(world, node, asleep, "terminated");
    for (const run of [asleep, inLine]) {
      expect(await node.journal.last(run)).toMatchObject({ type: "Ended", state: "terminated" });
      await expect(node.runner.result(run, 1_000)).rejects.toMatchObject({ code: "Terminated" });
    }
    await node.stop();
  });

  it("end a run whose workflow no node has, and one whose node is dead", async () => {
    await using world = await open();
    const first = await start(world, {}, { suspendAfterMs: 0 });
    const run = await begin(first, `${place} stranger`);
    await stateIs(world, first, run, "waiting");
    await first.stop();
    const other = await startNode(world, {
      workflows: [workflow(Jobs.other, { version: 3 }, async () => {})],
      contracts: [Jobs],
      leaseMs: 900,
    });
    await other.runner.steer(run, { to: "terminate", by });
    await stateIs(world, other, run, "terminated");
    await other.stop();
  });

  /** How many places of the operation are taken, as the line counts them. */
  const held = async (node: TestNode): Promise<number> =>
    (await node.engine.find("run lane", { limit: 10 })).reduce(
      (sum, { data }) => sum + (data as { readonly held: number }).held,
      0,
    );
  const waits = (world: World, node: TestNode, run: string) =>
    world.until(async () => (await node.journal.read(run)).at(-1)?.type === "SignalAwaited");

  it.each(["cancel", "terminate"] as const)(
    "end a run that was paused in line without its code, and free no place that it never had: %s",
    async (to) => {
      await using world = await open();
      const node = await start(world, { concurrency: 1 }, { suspendAfterMs: 600_000 });
      const first = await begin(node, `${to} ${place} first`);
      await waits(world, node, first);
      const run = await begin(node, `${to} ${place} paused`);
      await node.runner.steer(run, { to: "pause", by });
      const state = to === "cancel" ? "cancelled" : "terminated";
      expect(await node.runner.steer(run, { to, by })).toEqual({ ok: true, state });
      expect((await node.journal.read(run)).map(({ type }) => type)).toEqual([
        ...["Started", "Steered", "Paused", "Steered", "Ended"],
      ]);
      expect(await node.row(run)).toMatchObject({ state, reason: null });
      expect(await held(node)).toBe(1);
      const next = await begin(node, `${to} ${place} next`);
      await node.runner.signal(first, "go", {}, { id: by });
      await waits(world, node, next);
      expect(await held(node)).toBe(1);
      await node.runner.steer(next, { to: "terminate", by });
      await stateIs(world, node, next, "terminated");
      expect(await held(node)).toBe(0);
      await node.stop();
    },
  );

  it.each(["queued", "paused"] as const)(
    "undo what a run had done that a retry has brought back into line, and free no place: %s",
    async (how) => {
      await using world = await open();
      const node = await start(world, { concurrency: 1 }, { suspendAfterMs: 600_000 });
      const id = `${how} ${place} again`;
      const run = await begin(node, id);
      await waits(world, node, run);
      await node.runner.steer(run, { to: "terminate", by });
      await stateIs(world, node, run, "terminated");
      const other = await begin(node, `${how} ${place} other`);
      await waits(world, node, other);
      expect(await node.runner.steer(run, { to: "retry", by })).toEqual({ ok: true, state: "queued" });
      if (how === "paused") await node.runner.steer(run, { to: "pause", by });
      expect(await node.runner.steer(run, { to: "cancel", by })).toMatchObject({ ok: true });
      await stateIs(world, node, run, "cancelled");
      expect(undone.filter((one) => one === id)).toHaveLength(1);
      expect(await held(node)).toBe(1);
      const waiting = await node.engine.find("run turn", { limit: 10 });
      expect(waiting.map(({ data }) => (data as { readonly waiting: number }).waiting)).toEqual([0]);
      expect(await node.runner.steer(other, { to: "terminate", by })).toMatchObject({ ok: true });
      await stateIs(world, node, other, "terminated");
      expect(await held(node)).toBe(0);
      await node.stop();
    },
  );

  it("retry a failed run, in line where its workflow has limits, and fork it", async () => {
    await using world = await open();
    let bad = true;
    const doIt = workflow(Jobs.do, { version: 1, concurrency: 1 }, async ({ id }, { run }) =>
      run.step("try", () => (bad ? Promise.reject(new Error("bad")) : `${id}!`), { attempts: 1 }),
    );
    const node = await startNode(world, { workflows: [doIt], contracts: [Jobs], leaseMs: 900 });
    const run = await begin(node, `${place} retried`);
    await stateIs(world, node, run, "failed");
    bad = false;
    expect(await node.runner.steer(run, { to: "retry", by })).toEqual({ ok: true, state: "queued" });
    await stateIs(world, node, run, "done");
    const who = { by: { id: by, kind: "key" as const, scopes: [] }, traceparent: "" };
    const input = { id: "new", tenant: "b", month: 2 };
    const forked = await node.runner.fork(run, { ...who, input: { value: input } });
    if (!forked.ok) throw new Error(forked.sentence);
    await stateIs(world, node, forked.run, "done");
    expect(await node.runner.result(forked.run, 1_000)).toEqual({ output: "new!" });
    await node.stop();
  });

  it("retry a run that was cancelled in line: it takes its place there again, with its input", async () => {
    await using world = await open();
    const node = await start(world, { concurrency: 1 }, { suspendAfterMs: 600_000 });
    const before = await begin(node, `${place} before`);
    const run = await begin(node, `${place} in line`);
    expect(await node.runner.steer(run, { to: "cancel", by })).toEqual({ ok: true, state: "cancelled" });
    expect(await node.runner.steer(run, { to: "retry", by })).toEqual({ ok: true, state: "queued" });
    await node.runner.steer(before, { to: "terminate", by });
    await world.until(async () => (await node.journal.read(run)).some(({ type }) => type === "SignalAwaited"));
    expect(await node.runner.signal(run, "go", {}, { id: by })).toBe("taken");
    await stateIs(world, node, run, "done");
    expect((await node.journal.read(run)).find(({ type }) => type === "Retried")).toMatchObject({ back: 2 });
    await node.stop();
  });

  it("that a run has ended before it heard of are over when it is retried", async () => {
    await using world = await open();
    let bad = true;
    const doIt = workflow(Jobs.do, { version: 1 }, async ({ id }, { run }) =>
      run.step("try", () => (bad ? Promise.reject(new Error("bad")) : `${id}!`), { attempts: 1 }),
    );
    const node = await startNode(world, { workflows: [doIt], contracts: [Jobs], leaseMs: 900 });
    const run = await begin(node, `${place} stale`);
    await stateIs(world, node, run, "failed");
    for (const to of ["cancel", "terminate"] as const) // as one that came with the run's last commit
      await node.journal.post(run, { signal: "", payload: null, by, at: world.clock.now(), control: { to } });
    bad = false;
    await node.runner.steer(run, { to: "retry", by });
    await world.until(async () => (await node.row(run))?.endedAt !== null);
    expect((await node.row(run))?.state).toBe("done");
    await node.stop();
  });

  it("reach a run that the journal is about to refuse the next entry of", async () => {
    await using world = await open();
    for (const to of ["cancel", "terminate"] as const) {
      const doIt = workflow(Jobs.do, { version: 1 }, async ({ id }, { run }) => {
        const self = run.id;
        await run.step("large", async () => {
          const control = { to };
          await node.journal.post(self, { signal: "", payload: null, by, at: world.clock.now(), control }); // by another node
          return "x".repeat(5_000_000);
        });
        return id;
      });
      const node: TestNode = await startNode(world, { workflows: [doIt], contracts: [Jobs], leaseMs: 900 });
      const run = await begin(node, `${place} large ${to}`);
      await stateIs(world, node, run, to === "cancel" ? "cancelled" : "terminated");
      await node.stop();
    }
  });

  it("go to all runs that a filter finds, in the background, and say how many followed", async () => {
    await using world = await open();
    const node = await start(world, {}, { suspendAfterMs: 0 });
    const ids: string[] = [];
    for (let n = 0; n < 70; n++) ids.push(await begin(node, `bulk ${place} ${n}`, { tenant: n < 60 ? "many" : "few" }));
    const { id } = await node.runner.steerAll({ tags: { tenant: "many" } }, { to: "cancel", by, reason: "all" });
    const late = await begin(node, `bulk ${place} late`, { tenant: "few" });
    await world.until(async () => (await node.runner.bulk(id))?.state === "done");
    expect(await node.runner.bulk(id)).toMatchObject({ found: 60, taken: 60, order: { by, reason: "all" } });
    await world.until(
      async () => (await node.runner.search({ states: ["cancelled"] }, { limit: 200 })).runs.length === 60,
    );
    expect((await node.row(late))?.state).not.toBe("cancelled");
    const again = await node.runner.steerAll({ tags: { tenant: "many" } }, { to: "resume", by });
    await world.until(async () => (await node.runner.bulk(again.id))?.state === "done");
    expect(await node.runner.bulk(again.id)).toMatchObject({ found: 60, taken: 0 });
    await node.stop();
  });

  it("in bulk pass over a run that cannot be read, and say why each did not follow", async () => {
    await using world = await open();
    const node = await start(world);
    const bad = await Promise.all([1, 2, 3].map((n) => begin(node, `bad ${place} ${n}`)));
    for (const run of bad) await stateIs(world, node, run, "failed");
    const [broken = "", ...sound] = bad;
    const { read } = node.journal;
    const refuse = (error: Error): object =>
      Object.assign(node.journal, {
        read: (run: string, ...rest: readonly number[]) =>
          run === broken ? Promise.reject(error) : read(run, ...rest),
      });
    for (const error of [new Unreadable("What is kept of it is no JSON."), new Error("The line is cut.")]) {
      refuse(error);
      const { id } = await node.runner.steerAll({ states: ["failed"] }, { to: "terminate", by });
      await world.until(async () => (await node.runner.bulk(id))?.state === "done");
      const again = await node.runner.steerAll({ states: ["failed"] }, { to: "retry", by });
      await world.until(async () => (await node.runner.bulk(again.id))?.state === "done");
      const bulk = await node.runner.bulk(again.id);
      expect(bulk).toMatchObject({ found: 3, taken: 0 });
      expect(bulk?.refusals).toContainEqual({ run: broken, why: error.message });
      for (const run of sound)
        expect(bulk?.refusals).toContainEqual({ run, why: expect.stringContaining("was undone") });
    }
    await node.stop();
  });

  it("in bulk retry a run once, also where a node dies before it has noted how far it came", async () => {
    await using world = await open();
    const tried: string[] = [];
    const doIt = workflow(Jobs.do, { version: 1 }, async ({ id }, { run }) =>
      run.step(
        "try",
        (): string => {
          tried.push(id);
          throw new Error("bad");
        },
        { attempts: 1 },
      ),
    );
    const node = await startNode(world, { workflows: [doIt], contracts: [Jobs], leaseMs: 900 });
    const runs = await Promise.all([1, 2, 3].map((n) => begin(node, `${place} once ${n}`)));
    for (const run of runs) await stateIs(world, node, run, "failed");
    const { advance } = node.journal.bulks;
    Object.assign(node.journal.bulks, { advance: async () => false }); // as if another node had it by now
    const { id } = await node.runner.steerAll({}, { to: "retry", by });
    const retries = async (run: string) =>
      (await node.journal.read(run)).filter((entry) => entry.type === "Retried" && entry.bulk === id).length;
    for (const run of runs) {
      await world.until(async () => (await retries(run)) > 0);
      await stateIs(world, node, run, "failed");
    }
    await node.stop();
    Object.assign(node.journal.bulks, { advance });
    const second = await startNode(world, { workflows: [doIt], contracts: [Jobs], leaseMs: 900 });
    await world.until(async () => (await second.runner.bulk(id))?.state === "done", 60_000);
    expect(await second.runner.bulk(id)).toMatchObject({ found: 3, taken: 3 });
    for (const run of runs) {
      await stateIs(world, second, run, "failed");
      expect(await retries(run)).toBe(1);
    }
    expect(tried).toHaveLength(6);
    await second.stop();
  });

  it("in bulk are gone on with by another node where the one that began is dead", async () => {
    if (place === "on SQLite") return; // one process has it alone: the next one is its other node
    await using world = await open();
    const first = await start(world, {}, { suspendAfterMs: 0 });
    const run = await begin(first, `left ${place}`);
    await stateIs(world, first, run, "waiting");
    const bulk = { id: "left", order: { to: "cancel", by }, filter: {}, at: world.clock.now() } as const;
    const fresh = { state: "under way", endedAt: null, found: 0, taken: 0, after: null } as const;
    await first.journal.bulks.add({ ...bulk, ...fresh }); // as a node leaves it that dies over its first page
    await first.stop();
    const second = await start(world, {}, { suspendAfterMs: 0 });
    await world.until(async () => (await second.runner.bulk("left"))?.state === "done", 60_000);
    await stateIs(world, second, run, "cancelled");
    await second.stop();
  });

  it("in bulk are gone on with at once after a stop, and after a kill where the process has the engine alone", async () => {
    await using world = await open();
    const first = await start(world, {}, { suspendAfterMs: 0 });
    const run = await begin(first, `halfway ${place}`);
    await stateIs(world, first, run, "waiting");
    const bulk = { order: { to: "cancel", by }, filter: {}, at: world.clock.now() } as const;
    const fresh = { state: "under way", endedAt: null, found: 0, taken: 0, after: null } as const;
    await first.journal.bulks.add({ id: "halfway", ...bulk, ...fresh });
    expect(await first.journal.bulks.claim(first.name, 600_000)).toMatchObject({ id: "halfway" }); // it is at its first page
    await first.stop();
    const second = await start(world, {}, { suspendAfterMs: 0 });
    await world.until(async () => (await second.runner.bulk("halfway"))?.state === "done", 5_000);
    await stateIs(world, second, run, "cancelled");
    await second.stop();
    if (place !== "on SQLite") return;
    const { bulks } = second.journal;
    await bulks.add({ id: "killed", ...bulk, ...fresh });
    expect(await bulks.claim("a process that is gone", 600_000)).toMatchObject({ id: "killed" });
    const third = await start(world, {}, { suspendAfterMs: 0 });
    await world.until(async () => (await third.runner.bulk("killed"))?.state === "done", 5_000);
    await third.stop();
  });

  it("find runs by workflow, state, id, time and tags, page by page, and count them", async () => {
    await using world = await open();
    const node = await start(world, {}, { suspendAfterMs: 0 });
    const ids: string[] = [];
    for (let n = 0; n < 30; n++) {
      const bad = n % 5 === 0;
      const about = { tenant: n % 2 === 0 ? "even" : "odd", month: n - 10 };
      ids.push(await begin(node, `${bad ? "bad" : "good"} ${place} ${n}`, about));
    }
    await world.until(async () => {
      const states = await Promise.all(ids.map(async (run) => (await node.row(run))?.state));
      return states.every((state) => state === "failed" || state === "waiting");
    });
    const all = async (
      filter: RunFilter,
      query: Omit<RunQuery, "limit"> = {},
      limit = 7,
    ): Promise<readonly string[]> => {
      const found: string[] = [];
      for (let after: string | undefined; ; ) {
        const page = await node.runner.search(filter, { ...query, limit, ...(after !== undefined && { after }) });
        expect(page.runs.length).toBeLessThanOrEqual(limit);
        found.push(...page.runs.map(({ run }) => run));
        after = page.next;
        if (after === undefined) break;
      }
      expect(new Set(found).size).toBe(found.length);
      return found;
    };
    const where = (is: (n: number) => boolean) => ids.filter((_, n) => is(n)).sort();
    const sorted = (runs: readonly string[]) => [...runs].sort();
    const rows = await Promise.all(ids.map((run) => node.row(run)));
    const startedAt = (run: string) => rows.find((row) => row?.run === run)?.startedAt ?? 0;
    const everyone = await all({});
    expect(sorted(everyone)).toEqual(sorted(ids));
    expect(everyone.map(startedAt)).toEqual([...everyone.map(startedAt)].sort((a, b) => b - a));
    expect(await all({}, { ascending: true })).toEqual([...everyone].reverse());
    expect(sorted(await all({ states: ["failed"] }))).toEqual(where((n) => n % 5 === 0));
    expect(sorted(await all({ operation: "jobs.do", states: ["waiting"] }))).toEqual(where((n) => n % 5 !== 0));
    expect(await all({ operation: "jobs.other" })).toEqual([]);
    expect(await all({ workflow: "jobs.do@1" })).toHaveLength(30);
    expect(await all({ workflow: "jobs.do@2" })).toEqual([]);
    expect(sorted(await all({ tags: { tenant: "even" } }))).toEqual(where((n) => n % 2 === 0));
    expect(sorted(await all({ tags: { tenant: "even" }, states: ["failed"] }))).toEqual(where((n) => n % 10 === 0));
    expect(sorted(await all({ tags: { month: -3 } }))).toEqual(where((n) => n === 7));
    expect(sorted(await all({ tags: { month: { from: -2, to: 2 } } }))).toEqual(where((n) => n >= 8 && n <= 12));
    expect(await all({ tags: { tenant: "none" } })).toEqual([]);
    expect(await all({ prefix: ids[3] as string })).toEqual([ids[3]]);
    expect(await all({ key: (await node.row(ids[3] as string))?.key ?? "" })).toEqual([ids[3]]);
    expect((await node.row(ids[3] as string))?.key).toBeTruthy();
    expect(await all({ key: "nobody's" })).toEqual([]);
    expect(await all({ key: (await node.row(ids[3] as string))?.key ?? "", states: ["cancelled"] })).toEqual([]);
    expect(await all({ prefix: (ids[3] as string).slice(0, 12) })).toEqual([ids[3]]);
    const at = startedAt(ids[15] as string);
    expect(sorted(await all({ started: { from: at } }))).toEqual(sorted(ids.filter((run) => startedAt(run) >= at)));
    expect(sorted(await all({ started: { to: at - 1 } }))).toEqual(sorted(ids.filter((run) => startedAt(run) < at)));
    const ends = await all({}, { orderBy: "endedAt" });
    expect(sorted(ends)).toEqual(where((n) => n % 5 === 0));
    expect(await all({ ended: { from: world.clock.now() + 1_000 } }, { orderBy: "endedAt" })).toEqual([]);
    await expect(node.runner.search({}, { limit: 1, after: "x" })).rejects.toThrow("no place to go on from");
    expect(await node.runner.count({}, 1_000)).toEqual([
      { operation: "jobs.do", workflow: "jobs.do@1", state: "waiting", count: 24, more: false },
      { operation: "jobs.do", workflow: "jobs.do@1", state: "failed", count: 6, more: false },
    ]);
    expect(await node.runner.count({ operation: "jobs.do" }, 10)).toContainEqual(
      expect.objectContaining({ state: "waiting", count: 10, more: true }),
    );
    await node.stop();
  });
});
