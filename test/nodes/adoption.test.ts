import { describe, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, Fault, signal, silentTracing, type Tracing } from "../../src/contracts/index.ts";
import type { Entry, Journal, RunRow } from "../../src/orchestration/host.ts";
import { workflow } from "../../src/orchestration/index.ts";
import { openRunJournal } from "../../src/runtime/run-journal.ts";
import { inMemory, startNode, type TestNode, type World } from "./world.ts";

const Jobs = contract("jobs", "1.0.0", {
  do: command({
    input: z.object({ size: z.int(), stretch: z.int() }),
    output: z.string(),
    signals: { go: signal(z.object({})) },
  }),
});
/** It has three stretches, and waits at the end of each. */
const doIt = workflow(Jobs.do, { version: 1 }, async ({ size, stretch }, { run }) => {
  for (let n = 0; n < size; n++) await run.step("large", () => "x".repeat(1_000_000));
  await run.signal.go;
  if (stretch < 3) throw run.continueAsNew({ size, stretch: stretch + 1 });
  return "done";
});
const by = { id: "bob" };

const start = (world: World, more: object = {}): Promise<TestNode> =>
  startNode(world, { workflows: [doIt], contracts: [Jobs], suspendAfterMs: 0, ...more });
async function begin(world: World, node: TestNode, input: { size: number; stretch: number }): Promise<string> {
  void node
    .client(Jobs, { key: "k" })
    .do(input)
    .catch(() => {});
  const first = async () => (await node.runner.search({}, { limit: 1 })).runs[0];
  await world.until(async () => (await first())?.state === "waiting");
  return (await first())?.run ?? "";
}
const go = (world: World, journal: Journal, run: string): Promise<void> =>
  journal.post(run, { signal: "go", payload: {}, by: "bob", at: world.clock.now() });
/** It has gone on from where it was, and waits again or has ended. */
async function next(world: World, node: TestNode, run: string): Promise<void> {
  const revision = await node.journal.revision(run);
  await node.runner.signal(run, "go", {}, by);
  await world.until(async () => {
    const { state, wakeAt } = (await node.row(run)) ?? {};
    const rests = state === "done" || state === "terminated" || (state === "waiting" && wakeAt === null);
    return rests && (await node.journal.revision(run)) > revision;
  });
}
const claimsOf = (entries: readonly Entry[]) => entries.filter((entry) => entry.type === "Claimed");

it("a claim's term counts every claim of a run, in whichever of its stretches", async () => {
  await using world = await inMemory();
  const node = await start(world);
  const run = await begin(world, node, { size: 0, stretch: 1 });
  for (let n = 0; n < 3; n++) await next(world, node, run);
  expect((await node.row(run))?.state).toBe("done");
  const terms = claimsOf(await node.journal.read(run)).map(({ term }) => term);
  expect(terms.length).toBeGreaterThan(3);
  expect(terms).toEqual(terms.map((_, n) => n + 1));
  expect((await node.row(run))?.term).toBe(terms.length);
  await node.stop();
});

describe("a run whose journal is large", () => {
  it.each([
    { what: "reading it", methods: ["load"] },
    { what: "reading its inbox", methods: ["inbox"] },
    { what: "everything for a while", methods: ["load", "append", "putBack"] },
  ] as const)("is not taken for what ends nodes where their engine fails at $what", async ({ methods }) => {
    await using world = await inMemory();
    const first = await start(world);
    const run = await begin(world, first, { size: 2, stretch: 3 });
    await first.stop();
    await go(world, first.journal, run);
    const node = await start(world);
    const whole = { ...node.journal };
    let failed = 0;
    let isDown = false;
    const unavailable = () => Promise.reject(new Fault("Unavailable", "It is out of reach.", { outcome: "unknown" }));
    const failing =
      (method: "load" | "inbox" | "append" | "putBack") =>
      (...given: unknown[]) => {
        const begins = method === "load" || method === "inbox";
        if (begins && failed < 10) {
          failed++;
          isDown = true;
          world.clock.after(700, () => {
            isDown = false;
          });
          return unavailable();
        }
        return isDown ? unavailable() : (whole[method] as (...given: unknown[]) => Promise<unknown>)(...given);
      };
    Object.assign(node.journal, Object.fromEntries(methods.map((method) => [method, failing(method)])));
    await world.until(async () => ["done", "paused"].includes((await first.row(run))?.state ?? ""), 300_000);
    expect(failed).toBe(10);
    expect(await first.row(run)).toMatchObject({ state: "done", claims: 0 });
    await node.stop();
  });

  it("is not read where somebody wants it to end", async () => {
    await using world = await inMemory();
    const first = await start(world);
    const run = await begin(world, first, { size: 2, stretch: 1 });
    await first.stop();
    const terminate = {
      signal: "",
      payload: null,
      by: "ann",
      at: world.clock.now(),
      control: { to: "terminate" },
    } as const;
    await first.journal.post(run, terminate);
    const engine = await world.engine();
    const journal = await openRunJournal(engine, world.clock);
    expect((await journal.find(run))?.size).toBeGreaterThan(2 ** 20);
    const node = await start(world);
    let loads = 0;
    const { load } = node.journal;
    Object.assign(node.journal, {
      load: (...given: Parameters<typeof load>) => {
        loads++;
        return load(...given);
      },
    });
    await world.until(async () => (await node.row(run))?.endedAt !== null);
    expect(await node.row(run)).toMatchObject({ state: "terminated" });
    expect(loads).toBe(0);
    await node.stop();
  });

  it("goes on where that was meant for a life of it that is over, in the same stretch and in a further one", async () => {
    await using world = await inMemory();
    const first = await start(world);
    const run = await begin(world, first, { size: 2, stretch: 1 });
    await first.runner.steer(run, { to: "terminate", by: "ann" });
    await world.until(async () => (await first.row(run))?.state === "terminated");
    await first.runner.steer(run, { to: "retry", by: "ann" });
    await world.until(async () => (await first.row(run))?.state === "waiting" && first.runner.active === 0);
    for (let n = 0; n < 3; n++) await next(world, first, run);
    expect((await first.row(run))?.state).toBe("done");
    await first.stop();
  });
});

it("a long journal whose run could not be begun makes room for others", async () => {
  await using world = await inMemory();
  const { clock } = world;
  const journal = await openRunJournal(await world.engine(), clock);
  const at = clock.now();
  const principal = { id: "ann", kind: "key", scopes: [] } as const;
  const input = { size: 0, stretch: 3 };
  const started: Entry = {
    ...{ type: "Started", operation: "jobs.do", version: 1, input, digest: "d", principal, traceparent: "", at },
  };
  const said = Array.from({ length: 17_000 }, (_, value): Entry => ({ type: "Progress", value, at }));
  const row: RunRow = {
    ...({ run: "long", operation: "jobs.do", workflow: "jobs.do@1", state: "waiting", owner: null } as const),
    ...{ wakeAt: at, startedAt: at, endedAt: null, startedBy: "ann", traceparent: "", reason: null },
  };
  await journal.append("long", -1, [started, ...said], { begin: row });
  await go(world, journal, "long");
  let begun = 0;
  const tracing: Tracing = {
    ...silentTracing,
    continue: (traceparent) => {
      if (++begun === 1) throw new Error("There is no room for a further trace.");
      return silentTracing.continue(traceparent);
    },
  };
  const node = await start(world, { tracing });
  await world.until(async () => (await node.row("long"))?.state === "done");
  expect(begun).toBe(2);
  await node.stop();
});
