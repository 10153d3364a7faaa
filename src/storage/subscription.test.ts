import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Clock, Fault, systemClock } from "../contracts/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import type { Engine } from "./host.ts";
import { type Delivery, subscription } from "./index.ts";
import { type Opened, openOn, Tally, toChanged, toFolder, toTallyStore } from "./test-kit.test-d.ts";

let folder: string;
let remove: () => void;
let engine: Engine;
beforeEach(async () => {
  ({ folder, remove } = toFolder());
  engine = await openSqlite({ folder });
});
afterEach(async () => {
  await engine.close();
  remove();
});

/** Waits are as long as they are, and over soon. */
const hasty: Clock = { ...systemClock, after: (ms, wake) => systemClock.after(Math.min(ms, 5), wake) };
const eventually = (check: () => Promise<void> | void) => vi.waitFor(check, { timeout: 60_000, interval: 10 });

interface Taken {
  readonly id: string;
  readonly amount: number;
  readonly delivery: Delivery;
}
type Parts = Omit<Parameters<typeof subscription<typeof Tally>>[1], "events" | "handle">;

/** A subscription that notes what it takes, after doing something with it. */
function toListener(work: (taken: Taken) => unknown = () => {}, parts: Parts = {}, name = "listener") {
  const taken: Taken[] = [];
  const declared = subscription(name, {
    ...parts,
    events: Tally,
    handle: {
      Added: async ({ id, amount }, delivery) => {
        await work({ id, amount, delivery });
        taken.push({ id, amount, delivery });
      },
    },
  });
  return { declared, taken };
}
const add = (backend: Opened, id: string, amount: number) => backend.call("tally.add", { id, amount });
const statusOf = async (backend: Opened) => (await backend.storage.status()).subscriptions[0];
const amounts = (taken: readonly Taken[], id: string) =>
  taken.filter((one) => one.id === id).map(({ amount }) => amount);

test("a subscription on a store is handed what was, and then what comes, each once and with where it stands", async () => {
  const { declared, taken } = toListener();
  const tally = toTallyStore();
  const withListener = { ...tally, parts: { ...tally.parts, declared } };
  {
    await using before = await openOn(engine, [tally]);
    for (let amount = 0; amount < 3; amount++) await add(before, "a", amount);
  }
  await using backend = await openOn(engine, [withListener]);
  await eventually(() => expect(taken).toHaveLength(3));
  await add(backend, "a", 3);
  await eventually(() => expect(amounts(taken, "a")).toEqual([0, 1, 2, 3]));
  expect(taken[3]?.delivery).toMatchObject({ stream: "sum/a", revision: 3, position: 4, attempt: 1 });
  expect(taken[3]?.delivery.at.getTime()).toBeGreaterThan(Date.now() - 60_000);
  await eventually(async () =>
    expect(await statusOf(backend)).toEqual({
      reader: "tally.listener",
      delivering: true,
      position: 4,
      behind: 0,
      inHand: 0,
      parked: 0,
      partitions: [{ position: 4, behind: 0, here: true, owner: expect.stringMatching(/^[0-9a-f-]{36}$/) }],
    }),
  );
});

test("however long handlers take, the events of a stream come in their order and none is left out", async () => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ id: fc.nat(4), turns: fc.nat(6) }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 12 }),
      async (steps, atOnce, inHand) => {
        const log = `order-${round++}`;
        let most = 0;
        let now = 0;
        const { declared, taken } = toListener(
          async ({ amount }) => {
            most = Math.max(most, ++now);
            for (let turn = 0; turn < (steps[amount]?.turns ?? 0); turn++) await new Promise(setImmediate);
            now--;
          },
          { atOnce, inHand },
        );
        await using backend = await openOn(engine, [toTallyStore(), declared], { log });
        await Promise.all(steps.map(({ id }, index) => add(backend, `id${id}`, index)));
        await eventually(() => expect(taken).toHaveLength(steps.length));
        const written = new Map<string, number[]>();
        for await (const { data } of backend.storage.log.after(0)) {
          const { id, amount } = data as { id: string; amount: number };
          written.set(id, [...(written.get(id) ?? []), amount]);
        }
        for (const [id, list] of written) expect(amounts(taken, id)).toEqual(list);
        expect(most).toBeLessThanOrEqual(Math.min(atOnce, inHand));
      },
    ),
    { numRuns: 15 },
  );
}, 120_000);

test("what was taken is not handed over again after a restart, and what was not is", async () => {
  const first = toListener(({ amount }) => (amount === 3 ? new Promise(() => {}) : undefined), { atOnce: 1 });
  {
    await using backend = await openOn(engine, [toTallyStore(), first.declared], { clock: hasty });
    for (let amount = 0; amount < 6; amount++) await add(backend, "a", amount);
    await eventually(async () => expect(await statusOf(backend)).toMatchObject({ position: 3, inHand: 3 }));
  }
  expect(amounts(first.taken, "a")).toEqual([0, 1, 2]);
  const second = toListener();
  await using backend = await openOn(engine, [toTallyStore(), second.declared]);
  await eventually(() => expect(amounts(second.taken, "a")).toEqual([3, 4, 5]));
  await eventually(async () => expect(await statusOf(backend)).toMatchObject({ position: 6, behind: 0 }));
});

test("closing tells a handler that hangs, and does not wait for it for good", async () => {
  let aborted: AbortSignal | undefined;
  const { declared } = toListener(({ delivery }) => {
    aborted = delivery.aborted;
    return new Promise(() => {});
  });
  const backend = await openOn(engine, [toTallyStore(), declared], { clock: hasty });
  await add(backend, "a", 1);
  await eventually(() => expect(aborted?.aborted).toBe(false));
  await backend.storage.close();
  expect(aborted?.aborted).toBe(true);
});

test("an event that fails is tried again, then parked with what follows in its stream, and taken in order when resumed", async () => {
  let broken = true;
  const attempts: number[] = [];
  const { declared, taken } = toListener(
    ({ id, amount, delivery }) => {
      if (id !== "bad" || amount !== 1 || !broken) return;
      attempts.push(delivery.attempt);
      throw new Error("The receiver is down.");
    },
    { attempts: 3 },
  );
  await using backend = await openOn(engine, [toTallyStore(), declared], { clock: hasty });
  for (let amount = 0; amount < 4; amount++) {
    await add(backend, "bad", amount);
    await add(backend, "good", amount);
  }
  await eventually(async () => expect(await statusOf(backend)).toMatchObject({ position: 8, behind: 0, parked: 3 }));
  expect(attempts).toEqual([1, 2, 3]);
  expect(amounts(taken, "good")).toEqual([0, 1, 2, 3]);
  expect(amounts(taken, "bad")).toEqual([0]);
  expect((await backend.storage.parked("listener")).map(({ position, reason }) => [position, reason])).toEqual([
    [3, "The receiver is down."],
    [5, "Waits behind position 3 of its stream, which is parked."],
    [7, "Waits behind position 3 of its stream, which is parked."],
  ]);
  expect(await backend.storage.resume("listener")).toEqual({ done: 0, parked: 3 });
  broken = false;
  const resumed = backend.storage.resume("listener");
  await add(backend, "bad", 4);
  expect(await resumed).toEqual({ done: 3, parked: 0 });
  await eventually(() => expect(amounts(taken, "bad")).toEqual([0, 1, 2, 3, 4]));
  expect(await backend.storage.parked("listener")).toEqual([]);
});

test("what is parked stays parked over a restart, and can be let go", async () => {
  const failing = toListener(
    ({ amount }) => {
      if (amount === 0) throw new Error("Never.");
    },
    { attempts: 1 },
  );
  {
    await using backend = await openOn(engine, [toTallyStore(), failing.declared]);
    await add(backend, "a", 0);
    await eventually(async () => expect(await statusOf(backend)).toMatchObject({ parked: 1, position: 1 }));
  }
  await using backend = await openOn(engine, [toTallyStore(), failing.declared]);
  await add(backend, "a", 1);
  await eventually(async () => expect(await statusOf(backend)).toMatchObject({ parked: 2, position: 2 }));
  await backend.storage.dismiss("listener", 1);
  expect(await backend.storage.resume("listener")).toEqual({ done: 1, parked: 0 });
  expect(amounts(failing.taken, "a")).toEqual([1]);
});

test("no more is read than may be in hand", async () => {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let read = 0;
  const counting = toChanged(engine, {
    read: async (log, query) => {
      const events = await engine.read(log, query);
      if ("after" in query) read += events.length;
      return events;
    },
  });
  const { declared, taken } = toListener(() => gate, { inHand: 10, atOnce: 2 });
  await using backend = await openOn(counting, [toTallyStore({ kept: "inline" }), declared]);
  await Promise.all(Array.from({ length: 100 }, (_, index) => add(backend, `id${index}`, index)));
  await eventually(async () => expect(await statusOf(backend)).toMatchObject({ inHand: 10, behind: 100 }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(read).toBe(10);
  release();
  await eventually(() => expect(taken).toHaveLength(100));
});

test("a subscription from now on is not handed the past, and misses nothing once it is declared", async () => {
  {
    await using before = await openOn(engine, [toTallyStore()]);
    await add(before, "a", 1);
  }
  const first = toListener(undefined, { from: "now" });
  {
    await using backend = await openOn(engine, [toTallyStore(), first.declared]);
    await eventually(async () => expect(await statusOf(backend)).toMatchObject({ delivering: true, position: 1 }));
  }
  {
    await using without = await openOn(engine, [toTallyStore()]);
    await add(without, "a", 2);
  }
  const second = toListener(undefined, { from: "now" });
  await using backend = await openOn(engine, [toTallyStore(), second.declared]);
  await add(backend, "a", 3);
  await eventually(() => expect(amounts(second.taken, "a")).toEqual([2, 3]));
  expect(first.taken).toEqual([]);
});

test("of two processes one hands over, and the other goes on when it ends", async () => {
  const shared = toChanged(engine, { status: async () => ({ ...(await engine.status()), exclusive: false }) });
  const [one, two] = [toListener(), toListener()];
  const ports = { clock: hasty };
  const first = await openOn(shared, [toTallyStore(), one.declared], ports);
  await eventually(async () => expect(await statusOf(first)).toMatchObject({ delivering: true }));
  await using second = await openOn(shared, [toTallyStore(), two.declared], ports);
  for (let amount = 0; amount < 20; amount++) await add(amount % 2 ? first : second, "a", amount);
  await eventually(async () => expect(await statusOf(first)).toMatchObject({ position: 20 }));
  await eventually(async () => expect(await statusOf(second)).toMatchObject({ delivering: false, behind: 0 }));
  await first.storage.close();
  for (let amount = 20; amount < 30; amount++) await add(second, "a", amount);
  await eventually(() => expect(two.taken).toHaveLength(10));
  expect([...amounts(one.taken, "a"), ...amounts(two.taken, "a")]).toEqual(Array.from({ length: 30 }, (_, at) => at));
});

test("a process whose turn was taken stops handing over as soon as it would move the checkpoint", async () => {
  const { declared, taken } = toListener();
  await using backend = await openOn(engine, [toTallyStore(), declared], { clock: hasty });
  await add(backend, "a", 1);
  await eventually(async () => expect(await statusOf(backend)).toMatchObject({ position: 1 }));
  // Somebody else, who takes itself for the one: it has gone ahead to where the log will be.
  const place = { log: "main", reader: "listener", epoch: 1 };
  await engine.append("main", [
    { id: "x", expect: [], events: [{ stream: "sum/b", type: "tally.Subtracted", version: 1, data: "{}" }] },
  ]);
  expect(await engine.commit({ ...place, from: 1, position: 2 }, [])).toBe(true);
  await add(backend, "a", 2);
  await add(backend, "a", 3);
  await eventually(async () => expect(await statusOf(backend)).toMatchObject({ position: 4, behind: 0 }));
  // It found out, looked again, and went on from there: twice is possible, never is not.
  expect(new Set(amounts(taken, "a"))).toEqual(new Set([1, 2, 3]));
});

test("an event version that this code does not know is stopped at, after what came before it", async () => {
  const { declared, taken } = toListener();
  await using backend = await openOn(engine, [toTallyStore(), declared]);
  await add(backend, "a", 1);
  const stream = "sum/a";
  await backend.storage.log.append({ events: [{ stream, type: "tally.Added", version: 2, data: {} }] });
  await add(backend, "b", 2).catch(() => {});
  await eventually(async () =>
    expect(await statusOf(backend)).toMatchObject({
      delivering: false,
      position: 1,
      stopped:
        "The log holds events tally.Added in version 2, and this code knows it up to version 1. Start the newer code.",
    }),
  );
  expect(taken).toHaveLength(1);
  await expect(backend.storage.resume("listener")).resolves.toEqual({ done: 0, parked: 0 });
  await eventually(async () => expect((await statusOf(backend))?.stopped).toContain("in version 2"));
});

test("a new epoch stops a subscription with the reason, until it is told where to begin", async () => {
  let broken = true;
  const { declared, taken } = toListener(
    ({ amount }) => {
      if (amount === 3 && broken) throw new Error("Parked in an epoch that is over.");
    },
    { attempts: 1 },
  );
  {
    await using backend = await openOn(engine, [toTallyStore(), declared]);
    for (let amount = 0; amount < 4; amount++) await add(backend, "a", amount);
    await eventually(async () => expect(await statusOf(backend)).toMatchObject({ position: 4, parked: 1 }));
  }
  await engine.close();
  const db = new DatabaseSync(join(folder, "trilith.db"));
  db.exec("update log set epoch = 2 where name = 'main'; delete from event_1 where position = 4");
  db.close();
  engine = await openSqlite({ folder });
  await using backend = await openOn(engine, [toTallyStore(), declared]);
  await eventually(async () =>
    expect((await statusOf(backend))?.stopped).toContain('"listener" has read epoch 1 of the log "main"'),
  );
  await add(backend, "a", 10);
  expect(taken).toHaveLength(3);
  broken = false;
  await backend.storage.restart("listener", 2);
  await eventually(() => expect(amounts(taken, "a")).toEqual([0, 1, 2, 2, 10]));
  await eventually(async () => expect(await statusOf(backend)).toMatchObject({ position: 4, behind: 0, parked: 0 }));
});

test("trouble of the engine is waited out, and that of a handler is said as long as it is tried again", async () => {
  let fails = 3;
  let broken = true;
  const { declared, taken } = toListener(
    () => {
      if (broken) throw new Error("Busy.");
    },
    { attempts: 1_000_000 },
  );
  const shaky = toChanged(engine, {
    commit: (checkpoint, writes) =>
      checkpoint.position > 0 && fails-- > 0
        ? Promise.reject(new Fault("Unavailable", "The disk sleeps."))
        : engine.commit(checkpoint, writes),
  });
  await using backend = await openOn(shaky, [toTallyStore({ kept: "inline" }), declared], { clock: hasty });
  await add(backend, "a", 1);
  await eventually(async () =>
    expect((await statusOf(backend))?.trouble).toMatch(/^Position 1, attempt \d+ of .*: Busy\.$/),
  );
  broken = false;
  await eventually(async () => expect(await statusOf(backend)).toMatchObject({ position: 1, behind: 0, inHand: 0 }));
  expect(await statusOf(backend)).not.toHaveProperty("trouble");
  await eventually(() => expect(fails).toBeLessThan(0));
  expect(new Set(amounts(taken, "a"))).toEqual(new Set([1]));
});

test("what cannot work is refused where it is declared", async () => {
  expect(() => subscription("Listener", { events: Tally, handle: {} })).toThrow("kebab-case");
  expect(() => subscription("listener", { events: Tally, handle: {}, atOnce: 0 })).toThrow("has atOnce 0");
  expect(() => subscription("listener", { events: Tally, handle: {}, partitions: 0 })).toThrow("has partitions 0");
  expect(() => subscription("listener", { events: Tally, handle: {}, partitions: 257 })).toThrow("256 is the most");
  expect(() => subscription("listener", { events: Tally, handle: {}, lease: "100ms" })).toThrow("a lease of 100ms");
  expect(() => subscription("listener", { events: Tally, handle: { add: () => {} } as {} })).toThrow(
    'handles "add", which is not one of its events',
  );
  const [one, two] = [toListener(), toListener()];
  await expect(openOn(engine, [toTallyStore(), one.declared, two.declared])).rejects.toThrow(
    'two of the subscription "listener"',
  );
});
