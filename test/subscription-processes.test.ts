import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openPostgres } from "trilith/postgres";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openOn, toTallyStore } from "../src/storage/test-kit.test-d.ts";
import { openDatabase, type TestDatabase } from "./shared-postgres.ts";

interface Taken {
  readonly id: string;
  readonly amount: number;
  readonly position: number;
  /** When, in ms since 1970. */
  readonly at: number;
}
let postgres: TestDatabase;
const children: ChildProcess[] = [];
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await postgres.remove();
});

async function startSubscriber(schema: string, told: Taken[], partitions = 1) {
  const file = fileURLToPath(new URL("subscriber.ts", import.meta.url));
  const args = ["--conditions=trilith-source", file, postgres.url, schema, String(partitions)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const own: Taken[] = [];
  const open = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line === "open") open.resolve();
    else if (line.startsWith("took ")) {
      const taken = JSON.parse(line.slice(5)) as Taken;
      own.push(taken);
      told.push(taken);
    }
  });
  await open.promise;
  return {
    own,
    kill: async () => {
      child.kill("SIGKILL");
      await once(child, "close");
    },
    /** As an orchestrator ends it: it finishes what it has begun. */
    end: async () => {
      child.kill("SIGTERM");
      await once(child, "close");
    },
  };
}
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 20 });

test("of three processes one hands over, soon after another has appended, and when it is killed the next goes on", async () => {
  const schema = postgres.freshSchema();
  const engine = await openPostgres({ url: postgres.url, schema });
  const backend = await openOn(engine, [toTallyStore({ kept: "inline" })]);
  const told: Taken[] = [];
  const subscribers: Awaited<ReturnType<typeof startSubscriber>>[] = [];
  for (let n = 0; n < 3; n++) subscribers.push(await startSubscriber(schema, told));
  const delivering = () => subscribers.find(({ own }) => own.length > 0);

  const delays: number[] = [];
  for (let amount = 0; amount < 20; amount++) {
    await backend.call("tally.add", { id: "single", amount });
    const appended = Date.now();
    await eventually(() => expect(told).toHaveLength(amount + 1));
    delays.push((told.at(-1)?.at ?? 0) - appended);
  }
  expect(subscribers.filter(({ own }) => own.length > 0)).toHaveLength(1);
  delays.sort((a, b) => a - b);
  expect(delays[10]).toBeLessThan(500); // it was told, and did not only look by itself once in a second

  const amounts = 150;
  const adding = Promise.all(
    ["a", "b", "c", "d", "e"].map(async (id) => {
      for (let amount = 0; amount < amounts; amount++) await backend.call("tally.add", { id, amount });
    }),
  );
  for (let killed = 0; killed < 2; killed++) {
    const before = told.length;
    await eventually(() => expect(told.length).toBeGreaterThan(before + 50));
    const one = delivering() as (typeof subscribers)[number]; // somebody has taken these
    subscribers.splice(subscribers.indexOf(one), 1);
    await one.kill();
    await pause(50);
  }
  await adding;
  const { position } = await engine.head("main");
  await eventually(() => expect(new Set(told.map((taken) => taken.position)).size).toBe(position));
  for (const id of ["a", "b", "c", "d", "e"]) {
    const first = new Set(told.filter((taken) => taken.id === id).map(({ amount }) => amount));
    expect([...first]).toEqual(Array.from({ length: amounts }, (_, amount) => amount));
  }
  // Again is what was in hand when a process was killed, and not more.
  expect(told.length - position).toBeLessThanOrEqual(2 * 100);
  await backend.storage.close();
  await engine.close();
}, 120_000);

test("three processes share a subscription, a fourth joins and one leaves without anything twice, and one killed costs what it had in hand", async () => {
  const schema = postgres.freshSchema();
  const engine = await openPostgres({ url: postgres.url, schema });
  const backend = await openOn(engine, [toTallyStore({ kept: "inline" })]);
  const told: Taken[] = [];
  const start = () => startSubscriber(schema, told, 8);
  const [one, two, three] = await Promise.all([start(), start(), start()]);
  const ids = Array.from({ length: 40 }, (_, index) => `id${index}`);
  let amount = 0;
  const addRound = async () => {
    await Promise.all(ids.map((id) => backend.call("tally.add", { id, amount })));
    amount++;
  };
  /** Adds until each of them takes its part. */
  const addUntilShared = async (among: readonly { own: readonly Taken[] }[]) => {
    const share = () => {
      const latest = told.slice(-80);
      return among.map(({ own }) => latest.filter((taken) => own.includes(taken)).length);
    };
    await vi.waitFor(
      async () => {
        await addRound();
        await eventually(() => expect(new Set(told.map(({ position }) => position)).size).toBe(amount * ids.length));
        // Two or three of eight partitions each; forty streams are not spread quite evenly over them.
        expect(Math.min(...share())).toBeGreaterThan(80 / among.length / 4);
      },
      { timeout: 60_000, interval: 200 },
    );
  };
  await addUntilShared([one, two, three]);
  const four = await start();
  await addUntilShared([one, two, three, four]);
  const ending = two.end();
  await addUntilShared([one, three, four]);
  await ending;
  expect(told).toHaveLength(amount * ids.length); // until here, nothing twice

  const adding = (async () => {
    for (let round = 0; round < 30; round++) await addRound();
  })();
  await pause(100);
  const killed = Date.now();
  await three.kill();
  await adding;
  const { position } = await engine.head("main");
  await eventually(() => expect(new Set(told.map((taken) => taken.position)).size).toBe(position));
  expect(Date.now() - killed).toBeLessThan(60_000);
  expect(told.length - position).toBeLessThanOrEqual(100);
  for (const id of ids) {
    const first = new Set(told.filter((taken) => taken.id === id).map((taken) => taken.amount));
    expect([...first]).toEqual(Array.from({ length: amount }, (_, at) => at));
  }
  for (const subscriber of [one, four]) await subscriber.end();
  await backend.storage.close();
  await engine.close();
}, 180_000);
