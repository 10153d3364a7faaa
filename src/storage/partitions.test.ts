import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Clock, type Duration, systemClock } from "../contracts/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import type { Engine, SubscriptionStatus } from "./host.ts";
import { subscription } from "./index.ts";
import { toPartition } from "./stable-hash.ts";
import { type Opened, openOn, Tally, toChanged, toFolder, toTallyStore } from "./test-kit.test-d.ts";

let folder: string;
let remove: () => void;
let engine: Engine;
/** The same, for processes that do not have it to themselves. */
let shared: Engine;
beforeEach(async () => {
  ({ folder, remove } = toFolder());
  engine = await openSqlite({ folder });
  shared = toChanged(engine, { status: async () => ({ ...(await engine.status()), exclusive: false }) });
});
afterEach(async () => {
  await engine.close();
  remove();
});

/** Waits are shorter than they are, but for those for handlers that are under way. */
const hasty: Clock = {
  ...systemClock,
  after: (ms, wake) => systemClock.after(ms === 3_000 || ms === 2_000 ? ms : Math.min(ms, 5), wake),
};
/** All waits are short. */
const hastiest: Clock = { ...systemClock, after: (ms, wake) => systemClock.after(Math.min(ms, 5), wake) };
const eventually = (check: () => Promise<void> | void) => vi.waitFor(check, { timeout: 60_000, interval: 10 });

interface Taken {
  readonly id: string;
  readonly amount: number;
  readonly by: string;
  readonly position: number;
}
const toListener = (
  by: string,
  taken: Taken[],
  partitions: number,
  work: (id: string, amount: number) => unknown = () => {},
  { atOnce = 8, lease = "30s" as Duration } = {},
) =>
  subscription("listener", {
    events: Tally,
    partitions,
    atOnce,
    lease,
    attempts: 1,
    handle: {
      Added: async ({ id, amount }, { position }) => {
        await work(id, amount);
        taken.push({ id, amount, by, position });
      },
    },
  });
const store = toTallyStore({ kept: "inline" });
const start = (declared: ReturnType<typeof subscription>, on = shared) =>
  openOn(on, [store, declared], { clock: hasty });
const add = (backend: Opened, id: string, amount: number) => backend.call("tally.add", { id, amount });
const statusOf = async (backend: Opened) => (await backend.storage.status()).subscriptions[0] as SubscriptionStatus; // there is one
const sharesOf = async (backends: readonly Opened[]) =>
  Promise.all(backends.map(async (one) => (await statusOf(one)).partitions.filter(({ here }) => here).length));
const amountsOf = (taken: readonly Taken[], id: string) =>
  taken.filter((one) => one.id === id).map((one) => one.amount);
const ids = Array.from({ length: 24 }, (_, index) => `id${index}`);
async function addAll(backend: Opened, from: number, to: number) {
  await Promise.all(
    ids.map(async (id) => {
      for (let amount = from; amount < to; amount++) await add(backend, id, amount);
    }),
  );
}

test("processes share the partitions fairly as they come and go, and each event is handed over once and in order", async () => {
  const taken: Taken[] = [];
  const slowly = () => new Promise((resolve) => setTimeout(resolve, 1));
  const backends = [await start(toListener("a", taken, 8, slowly))];
  await eventually(async () => expect(await sharesOf(backends)).toEqual([8]));
  const adding = addAll(backends[0] as Opened, 0, 20); // it was just begun
  for (const by of ["b", "c"]) backends.push(await start(toListener(by, taken, 8, slowly)));
  await eventually(async () => expect((await sharesOf(backends)).toSorted()).toEqual([2, 3, 3]));
  const { partitions } = await statusOf(backends[0] as Opened);
  expect(new Set(partitions.map(({ owner }) => owner)).size).toBe(3);
  const [first] = backends.splice(0, 1);
  await adding;
  await first?.storage.close();
  await eventually(async () => expect(await sharesOf(backends)).toEqual([4, 4]));
  await addAll(backends[0] as Opened, 20, 25);
  await eventually(() => expect(taken.length).toBeGreaterThanOrEqual(25 * ids.length));
  const amounts = Array.from({ length: 25 }, (_, amount) => amount);
  for (const id of ids) expect(amountsOf(taken, id)).toEqual(amounts);
  expect(new Set(taken.map(({ by }) => by))).toEqual(new Set(["a", "b", "c"]));
  for (const backend of backends) await backend.storage.close();
});

test("more processes than partitions wait in reserve", async () => {
  const backends = await Promise.all(["a", "b", "c"].map((by) => start(toListener(by, [], 2))));
  await eventually(async () => expect((await sharesOf(backends)).toSorted()).toEqual([0, 1, 1]));
  for (const backend of backends) await backend.storage.close();
});

test("what is parked is resumed and let go from any process, and a restart is for all of them", async () => {
  const taken: Taken[] = [];
  let broken = true;
  const work = (_: string, amount: number) => {
    if (broken && amount > 0) throw new Error("The receiver is down.");
  };
  const backends = await Promise.all(["a", "b"].map((by) => start(toListener(by, taken, 4, work))));
  const [one, two] = backends as [Opened, Opened];
  await eventually(async () => expect(await sharesOf(backends)).toEqual([2, 2]));
  await addAll(one, 0, 3);
  await eventually(async () => expect(await statusOf(two)).toMatchObject({ parked: 2 * ids.length, behind: 0 }));
  const [first] = await two.storage.parked("listener");
  await one.storage.dismiss("listener", first?.position ?? 0);
  broken = false;
  expect(await two.storage.resume("listener")).toEqual({ done: 2 * ids.length - 1, parked: 0 });
  expect(taken).toHaveLength(3 * ids.length - 1);
  await eventually(async () => expect(await sharesOf(backends)).toEqual([2, 2]));
  taken.length = 0;
  await two.storage.restart("listener", 0);
  await eventually(() => expect(taken).toHaveLength(3 * ids.length));
  for (const id of ids) expect(amountsOf(taken, id)).toEqual([0, 1, 2]);
  await eventually(async () => expect(await sharesOf(backends)).toEqual([2, 2]));
  for (const backend of backends) await backend.storage.close();
});

test("the number of partitions changes without anything handed over twice or left out, wherever each had come to", async () => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ partitions: fc.integer({ min: 1, max: 6 }), held: fc.nat(23), alone: fc.boolean() }), {
        minLength: 2,
        maxLength: 5,
      }),
      async (stages) => {
        const log = `divided-${round++}`;
        const taken: Taken[] = [];
        for (const [stage, { partitions, held, alone }] of stages.entries()) {
          const isLast = stage === stages.length - 1;
          // One handler hangs, and those behind it in the log wait, so that the partitions have come to different places.
          const hung = Promise.withResolvers<void>();
          const work = (id: string) => {
            if (id !== `id${held}` || isLast) return undefined;
            hung.resolve();
            return new Promise(() => {});
          };
          const declared = toListener("a", taken, partitions, work, { atOnce: 1 });
          const backend = await openOn(alone ? engine : shared, [store, declared], { log, clock: hastiest });
          await Promise.all(ids.map((id) => add(backend, id, stage)));
          await eventually(async () => expect((await statusOf(backend)).partitions).toHaveLength(partitions));
          if (isLast) await eventually(() => expect(taken.length).toBeGreaterThanOrEqual(stages.length * ids.length));
          else await hung.promise;
          await backend.storage.close();
        }
        const amounts = stages.map((_, stage) => stage);
        for (const id of ids) expect(amountsOf(taken, id)).toEqual(amounts);
      },
    ),
    { numRuns: 6, endOnFailure: true },
  );
}, 120_000);

test("while processes want different numbers it stays as it is, and changes when the last of the old ones has left", async () => {
  const taken: Taken[] = [];
  const older = await start(toListener("old", taken, 2));
  await eventually(async () => expect(await sharesOf([older])).toEqual([2]));
  const newer = await Promise.all(["new", "newer"].map((by) => start(toListener(by, taken, 6))));
  await eventually(async () =>
    expect((await sharesOf([older, ...newer])).toSorted((a, b) => a - b)).toEqual([0, 1, 1]),
  );
  await addAll(older, 0, 3);
  await older.storage.close();
  await addAll(newer[0] as Opened, 3, 6);
  await eventually(async () => expect(await sharesOf(newer)).toEqual([3, 3]));
  await eventually(() => expect(taken.length).toBeGreaterThanOrEqual(6 * ids.length));
  for (const id of ids) expect(amountsOf(taken, id)).toEqual([0, 1, 2, 3, 4, 5]);
  for (const backend of newer) await backend.storage.close();
});

test("a process that was stopped for longer than its lease moves nothing that another has taken over", async () => {
  const taken: Taken[] = [];
  let isStopped = false;
  const stopped = new Promise<never>(() => {});
  // It looks at no lease and reads no event any more, as one that was stopped in the middle; its handler goes on.
  const stopping = toChanged(shared, {
    time: () => (isStopped ? stopped : engine.time()),
    read: (log, query) => (isStopped ? stopped : engine.read(log, query)),
    head: (log) => (isStopped ? stopped : engine.head(log)),
  });
  const gate = Promise.withResolvers<void>();
  const zombie = await start(
    toListener("zombie", taken, 4, (_, amount) => (amount === 1 ? gate.promise : undefined), { lease: "1s" }),
    stopping,
  );
  await addAll(zombie, 0, 1);
  await eventually(() => expect(taken).toHaveLength(ids.length));
  await add(zombie, "id0", 1);
  await eventually(async () => expect((await statusOf(zombie)).inHand).toBe(1));
  isStopped = true;
  const other = await start(toListener("other", taken, 4));
  await eventually(async () => expect(await sharesOf([other])).toEqual([4]));
  await addAll(other, 2, 4);
  await eventually(async () => expect(await statusOf(other)).toMatchObject({ behind: 0 }));
  gate.resolve();
  isStopped = false;
  await eventually(() => expect(taken.filter(({ by }) => by === "zombie").length).toBe(ids.length + 1));
  // What it had in hand came twice, and nothing else: of the other's own it took and moved nothing.
  expect(amountsOf(taken, "id0").toSorted()).toEqual([0, 1, 1, 2, 3]);
  for (const id of ids.slice(1)) expect(amountsOf(taken, id)).toEqual([0, 2, 3]);
  for (const { position } of (await statusOf(other)).partitions) expect(position).toBe(3 * ids.length + 1);
  void zombie.storage.close(); // its own questions of before are never answered
  await other.storage.close();
});

test("a process reads the log once, however many partitions there are", async () => {
  let read = 0;
  const counting = toChanged(engine, {
    read: async (log, query) => {
      const events = await engine.read(log, query);
      if ("after" in query) read += events.length;
      return events;
    },
  });
  {
    await using before = await openOn(engine, [store]);
    await addAll(before, 0, 10);
  }
  const taken: Taken[] = [];
  await using backend = await start(toListener("a", taken, 64), counting);
  await eventually(() => expect(taken).toHaveLength(10 * ids.length));
  expect(read).toBe(10 * ids.length);
  const partitions = new Set(ids.map((id) => toPartition(`sum/${id}`, 64)));
  await eventually(async () => {
    const status = await statusOf(backend);
    expect(status.partitions.filter(({ behind }) => behind === 0)).toHaveLength(64);
    expect(partitions.size).toBeGreaterThan(10);
  });
});

test("a subscription that had one checkpoint goes on from it, in as many partitions as are declared", async () => {
  {
    await using before = await openOn(engine, [store]);
    await addAll(before, 0, 1);
  }
  await engine.commit({ log: "main", reader: "listener", epoch: 1, from: 0, position: ids.length }, []);
  const taken: Taken[] = [];
  await using backend = await start(toListener("a", taken, 4));
  await addAll(backend, 1, 2);
  await eventually(() => expect(taken).toHaveLength(ids.length));
  expect(taken.every(({ amount }) => amount === 1)).toBe(true);
  await eventually(async () => expect((await statusOf(backend)).partitions).toHaveLength(4));
});
