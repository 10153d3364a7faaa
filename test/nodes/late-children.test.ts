import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, signal } from "../../src/contracts/index.ts";
import { type Run, type Step, type StepPolicy, workflow } from "../../src/orchestration/index.ts";
import { inMemory, onPostgres, onSqlite, openDatabase, startNode, type TestDatabase } from "./world.ts";

const Errands = contract("errands", "1.0.0", {
  fetch: command({ input: z.object({ id: z.string(), ms: z.int() }), output: z.string() }),
  send: command({
    input: z.object({ ms: z.int(), limit: z.int() }),
    output: z.string(),
    signals: { stop: signal(z.object({})) },
  }),
});
const fetchIt = workflow(Errands.fetch, { version: 1 }, async ({ id, ms }, { run }) => {
  await run.sleep(`${ms}ms`);
  return id;
});
interface Parts {
  readonly errands: {
    fetch(input: { id: string; ms: number }, policy?: StepPolicy): Step<string>;
  };
  readonly run: Run<typeof Errands.send, readonly [typeof Errands]>;
}
type Body = (input: { ms: number; limit: number }, parts: Parts) => Promise<string>;

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterAll(() => postgres.remove(), 120_000);

describe.each([
  { place: "in memory", open: inMemory },
  { place: "on SQLite", open: onSqlite },
  { place: "on PostgreSQL", open: () => onPostgres(postgres) },
])("a child that has ended while no node had its parent, $place,", ({ place, open }) => {
  /** The parent's node goes once it waits; the child ends on another one; and then the time of both is over. */
  async function told(body: Body, ms: number, limit: number, stopAt?: number): Promise<string> {
    await using world = await open();
    const send = workflow(
      Errands.send,
      { version: 1, uses: [Errands] },
      (input, parts) => body(input, parts as unknown as Parts), // the same client, with less to say of its steps
    );
    const parts = { contracts: [Errands], suspendAfterMs: 0 };
    const first = await startNode(world, { ...parts, workflows: [send, fetchIt] });
    const began = world.clock.now();
    void first
      .client(Errands, { key: "k" })
      .send({ ms, limit })
      .catch(() => {});
    const rows = async () => (await first.journal.search({}, { limit: 5 })).runs;
    await world.until(async () => {
      const present = await rows();
      return present.some(({ workflow, state }) => workflow === "errands.fetch@1" && state === "waiting");
    });
    const [child, parent] = (await rows()).toSorted((one, other) => (one.workflow < other.workflow ? -1 : 1));
    await first.stop();
    const alone = await startNode(world, { ...parts, workflows: [fetchIt] });
    const ended = () => world.until(async () => (await alone.row(child?.run ?? ""))?.state === "done");
    if (stopAt !== undefined) {
      if (stopAt > ms) await ended();
      await world.until(() => world.clock.now() > began + stopAt);
      await alone.journal.post(parent?.run ?? "", { signal: "stop", payload: {}, by: "bob", at: world.clock.now() });
    }
    await ended();
    await alone.stop();
    await world.until(() => world.clock.now() > began + Math.max(ms, limit) + 100);
    const last = await startNode(world, { ...parts, workflows: [send, fetchIt] });
    await world.until(async () => (await last.row(parent?.run ?? ""))?.endedAt !== null);
    const result = await last.runner.result(parent?.run ?? "", 0);
    await last.stop();
    return result?.output as string; // of the parent
  }

  const within: Body = async ({ ms, limit }, { errands, run }) =>
    run.within(`${limit}ms`, errands.fetch({ id: "in time", ms })).catch(() => "too late");
  const race: Body = async ({ ms, limit }, { errands, run }) => {
    const { winner } = await run.race({
      "in time": errands.fetch({ id: "a", ms }),
      "too late": run.sleep(`${limit}ms`),
    });
    return winner;
  };
  const deadline: Body = async ({ ms, limit }, { errands }) =>
    errands.fetch({ id: "in time", ms }, { deadline: `${limit}ms` }).or(() => "too late");
  const child: Body = async ({ ms, limit }, { run }) => {
    const begun = await run.child(Errands.fetch, { id: "in time", ms });
    return run.within(`${limit}ms`, begun.result()).catch(() => "too late");
  };

  const bodies = [
    { how: "in a race with a time", body: race },
    { how: "with a deadline of its step", body: deadline },
    // What these have of their own has nothing to do with the engine, and there time takes its time.
    ...(place === "in memory"
      ? [
          { how: "within a time", body: within },
          { how: "as a child that was begun before", body: child },
        ]
      : []),
  ];
  /** On an engine a busy machine may hold this process for a second or two. */
  const late = place === "in memory" ? 1_500 : 4_000;
  it.each(bodies)("is in time where it ended in time, and otherwise too late: $how", async ({ body }) => {
    expect(await told(body, 500, late)).toBe("in time");
    expect(await told(body, 1_500, 500)).toBe("too late");
  });

  it("comes before a signal that came after it, and after one that came before", async () => {
    const race: Body = async ({ ms }, { errands, run }) =>
      (await run.race({ child: errands.fetch({ id: "a", ms }), stop: run.signal.stop })).winner;
    expect(await told(race, 500, 0, 1_000)).toBe("child");
    expect(await told(race, late, 0, 500)).toBe("stop");
  });
});

it("an end that a retry has taken back is none: no time waits for it", async () => {
  await using world = await inMemory();
  let isBroken = true;
  const twice = workflow(Errands.fetch, { version: 1 }, async ({ id, ms }, { run }) => {
    await run.sleep(`${ms}ms`);
    await run.step("look", () => (isBroken ? Promise.reject(new Error("broken")) : 1), { attempts: 1 });
    await run.sleep("10s");
    return id;
  });
  const send = workflow(Errands.send, { version: 1, uses: [Errands] }, async ({ ms, limit }, { errands, run }) => {
    const { winner } = await run.race({
      child: errands.fetch({ id: "a", ms }),
      late: run.sleep(`${limit}ms`),
    });
    return winner;
  });
  const parts = { contracts: [Errands], suspendAfterMs: 0 };
  const first = await startNode(world, { ...parts, workflows: [send, twice] });
  const began = world.clock.now();
  void first
    .client(Errands, { key: "k" })
    .send({ ms: 500, limit: 3_000 })
    .catch(() => {});
  /** Asked of the engine, so that it is answered whichever node is there. */
  const rowOf = async (operation: string) => {
    const { runs } = await first.journal.search({ operation }, { limit: 1 });
    return runs[0];
  };
  await world.until(async () => (await rowOf(Errands.fetch.id))?.state === "waiting");
  await first.stop();
  const alone = await startNode(world, { ...parts, workflows: [twice] });
  await world.until(async () => (await rowOf(Errands.fetch.id))?.state === "failed");
  isBroken = false;
  const child = (await rowOf(Errands.fetch.id))?.run ?? "";
  expect(await alone.runner.steer(child, { to: "retry", by: "ann" })).toMatchObject({ ok: true });
  await world.until(async () => (await rowOf(Errands.fetch.id))?.state === "waiting");
  await alone.stop();

  const last = await startNode(world, { ...parts, workflows: [send, twice] });
  await world.until(async () => (await rowOf(Errands.send.id))?.endedAt !== null);
  const parent = (await rowOf(Errands.send.id))?.run ?? "";
  expect((await last.runner.result(parent, 0))?.output).toBe("late");
  expect(world.clock.now() - began).toBeLessThan(9_500); // it was asked, for a second
  await last.stop();
});
