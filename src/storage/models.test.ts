import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Fault } from "../contracts/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import type { Engine } from "./host.ts";
import { type On, openOn, toChanged, toFolder, toTallyStore, usual } from "./test-kit.test-d.ts";

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

const add = (backend: { call: (operation: string, input: unknown) => Promise<unknown> }, id: string, amount: number) =>
  backend.call("tally.add", { id, amount });
const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 10 });
const modelOf = async (backend: Awaited<ReturnType<typeof openOn>>, place = 0) =>
  (await backend.storage.status()).readModels[place];

test("a query that waits for its read model sees every command that was acknowledged before", async () => {
  await using backend = await openOn(engine, [toTallyStore()]);
  let sum = 0;
  for (let amount = 1; amount <= 60; amount++) {
    sum += amount;
    await add(backend, "a", amount);
    expect(await backend.call("tally.get", { id: "a", wait: "15s" })).toEqual({ id: "a", sum, adds: amount });
  }
  await Promise.all(Array.from({ length: 100 }, () => add(backend, "b", 1)));
  expect(await backend.call("tally.get", { id: "b", wait: "15s" })).toMatchObject({ adds: 100 });
});

test("events that are no concern of a read model cost it no commit", async () => {
  let commits = 0;
  const counting = toChanged(engine, {
    commit: (checkpoint, writes) => {
      commits++;
      return engine.commit(checkpoint, writes);
    },
  });
  await using backend = await openOn(counting, [toTallyStore()]);
  await add(backend, "a", 1);
  await backend.call("tally.get", { id: "a", wait: "15s" });
  const before = commits;
  for (let round = 0; round < 30; round++) {
    const other = { stream: "other/x", type: "others.Done", data: {} };
    await backend.storage.log.append({ events: [other] });
    await backend.call("tally.get", { id: "a", wait: "15s" });
  }
  expect(commits).toBe(before);
  expect(await modelOf(backend)).toMatchObject({ position: 31, behind: 0 });
  await add(backend, "a", 1);
  expect(await backend.call("tally.get", { id: "a", wait: "15s" })).toMatchObject({ adds: 2 });
  expect(await engine.checkpoint("main", "tally.row@1")).toEqual({ epoch: 1, position: 32 });
  for (let round = 0; round < 5; round++)
    await backend.storage.log.append({ events: [{ stream: "other/x", type: "others.Done", data: {} }] });
  await backend.call("tally.get", { id: "a", wait: "15s" });
  // A rebuild begins at the beginning, and not behind what was looked at before; neither where somebody lets an event go.
  await Promise.all([backend.storage.rebuild("tally.row@1"), backend.storage.dismiss("tally.row@1", 1)]);
  await eventually(async () => expect(await modelOf(backend)).toMatchObject({ position: 37, behind: 0 }));
  expect(await backend.call("tally.get", { id: "a", wait: "15s" })).toMatchObject({ adds: 2 });
  await backend.storage.rebuild("tally.row@1");
  await eventually(async () => expect(await modelOf(backend)).toMatchObject({ position: 37, behind: 0 }));
  expect(await backend.call("tally.get", { id: "a", wait: "15s" })).toMatchObject({ adds: 2 });
});

test("waiting fails in time where the read model does not come along", async () => {
  const stuck = toChanged(engine, { commit: () => Promise.reject(new Fault("Unavailable", "The disk sleeps.")) });
  await using slow = await openOn(stuck, [toTallyStore()]);
  await add(slow, "a", 1);
  await expect(slow.call("tally.get", { id: "a", wait: "50ms" })).rejects.toThrow("has not come to 1 in time");
});

test("an event that its handler cannot take is parked with the reason, and taken once the handler is mended", async () => {
  const picky: On = (event, rows) => {
    if (event.amount === 13) throw new Error("Thirteen brings bad luck.");
    usual(event, rows);
  };
  {
    await using backend = await openOn(engine, [toTallyStore({ on: picky })]);
    for (const amount of [1, 13, 2]) await add(backend, "a", amount);
    expect(await backend.call("tally.get", { id: "a", wait: "15s" })).toEqual({ id: "a", sum: 3, adds: 2 });
    expect(await modelOf(backend)).toMatchObject({ parked: 1, behind: 0 });
    expect(await backend.storage.parked("tally.row@1")).toEqual([
      {
        reader: "tally.row@1",
        position: 2,
        event: expect.any(String),
        stream: "sum/a",
        type: "tally.Added",
        reason: "Thirteen brings bad luck.",
        at: expect.any(Number),
      },
    ]);
    expect(await backend.storage.resume("tally.row@1")).toEqual({ done: 0, parked: 1 });
  }
  await using mended = await openOn(engine, [toTallyStore()]);
  expect(await mended.storage.resume("tally.row@1")).toEqual({ done: 1, parked: 0 });
  expect(await mended.storage.resume("tally.row@1")).toEqual({ done: 0, parked: 0 });
  expect(await mended.call("tally.get", { id: "a", wait: "15s" })).toEqual({ id: "a", sum: 16, adds: 3 });
  expect(await modelOf(mended)).toMatchObject({ parked: 0 });
});

test("what the engine refuses is found among its neighbours, parked, and can be let go", async () => {
  const wrong: On = ({ id, amount }, rows) => {
    usual({ id, amount }, rows);
    if (amount === 5) rows.patch(id, { sum: "five" as never });
  };
  const shelf = toTallyStore({ on: wrong });
  await using writer = await openOn(engine, [toTallyStore({ version: 9 })]);
  for (let amount = 0; amount < 9; amount++) await add(writer, "a", amount);
  await using backend = await openOn(engine, [shelf]);
  expect(await backend.call("tally.get", { id: "a", wait: "15s" })).toBeNull();
  await eventually(async () => expect(await modelOf(backend)).toMatchObject({ behind: 0, parked: 1 }));
  expect(await backend.call("tally.get", { id: "a" })).toEqual({ id: "a", sum: 31, adds: 8 });
  expect(await backend.storage.parked("tally.row@1")).toMatchObject([
    { position: 6, reason: expect.stringContaining("is an index column of type number") },
  ]);
  await backend.storage.dismiss("tally.row@1", 6);
  expect(await backend.storage.parked("tally.row@1")).toEqual([]);
  await expect(backend.storage.resume("tally.raw@1")).rejects.toThrow(
    'There is no reader "tally.raw@1". There are: tally.row@1.',
  );
});

test("what the engine refuses is found behind what its handler refuses as well", async () => {
  const wrong: On = ({ id, amount }, rows) => {
    if (amount === 0) throw new Error("Nothing is nothing.");
    usual({ id, amount }, rows);
    if (amount === 5) rows.patch(id, { sum: "five" as never });
  };
  await using writer = await openOn(engine, [toTallyStore({ version: 9 })]);
  for (const amount of [0, 5, 1]) await add(writer, "a", amount);
  await using backend = await openOn(engine, [toTallyStore({ on: wrong })]);
  await eventually(async () => expect(await modelOf(backend)).toMatchObject({ behind: 0, parked: 2 }));
  expect(await backend.call("tally.get", { id: "a", wait: "15s" })).toEqual({ id: "a", sum: 1, adds: 1 });
});

test("a reader that would park everything stops instead, and goes on when it is resumed", async () => {
  let broken = true;
  const on: On = (event, rows) => {
    if (broken) throw new Error("Broken.");
    usual(event, rows);
  };
  await using backend = await openOn(engine, [toTallyStore({ on })]);
  await Promise.all(Array.from({ length: 1_100 }, (_, index) => add(backend, `id${index % 50}`, 1)));
  await eventually(async () => {
    expect(await modelOf(backend)).toMatchObject({
      stopped: expect.stringContaining("has parked 1000 events"),
      ready: expect.any(Boolean),
    });
  });
  await expect(backend.call("tally.get", { id: "id1", wait: "15s" })).rejects.toMatchObject({ code: "Unavailable" });
  broken = false;
  expect((await backend.storage.resume("tally.row@1")).parked).toBe(0);
  expect(await backend.call("tally.get", { id: "id1", wait: "15s" })).toEqual({ id: "id1", sum: 22, adds: 22 });
});

test("an event version that this code does not know stops the reader, parks nothing and skips nothing", async () => {
  await using backend = await openOn(engine, [toTallyStore()]);
  await add(backend, "a", 1);
  await backend.storage.log.append({
    events: [{ stream: "sum/a", type: "tally.Added", version: 2, data: { id: "a", much: 1 } }],
  });
  await eventually(async () =>
    expect(await modelOf(backend)).toMatchObject({
      stopped:
        "The log holds events tally.Added in version 2, and this code knows it up to version 1. Start the newer code.",
      parked: 0,
      position: 1,
      behind: 1,
    }),
  );
  await backend.storage.resume("tally.row@1");
  await eventually(async () => expect((await modelOf(backend))?.stopped).toContain("in version 2"));
});

test("nodes of the old and of the new code, side by side, keep the rows of both complete", async () => {
  const shared = toChanged(engine, { status: async () => ({ ...(await engine.status()), exclusive: false }) });
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ old: fc.boolean(), burst: fc.nat(3) }), { maxLength: 12 }), async (steps) => {
      const id = `id${round++}`;
      const log = `rolling-${round}`;
      const versions = { old: round * 2 - 1, new: round * 2 };
      await using before = await openOn(shared, [toTallyStore({ kept: "inline", version: versions.old })], { log });
      await using after = await openOn(shared, [toTallyStore({ kept: "inline", version: versions.new })], { log });
      let adds = 0;
      for (const { old, burst } of steps) {
        adds += burst;
        await Promise.all(Array.from({ length: burst }, () => add(old ? before : after, id, 1)));
      }
      const { position } = await engine.head(log);
      expect(position).toBe(adds);
      for (const backend of [before, after]) {
        await eventually(async () => expect(await modelOf(backend)).toMatchObject({ behind: 0 }));
        expect(await backend.call("tally.get", { id })).toEqual(adds === 0 ? null : { id, sum: adds, adds });
      }
    }),
    { numRuns: 12 },
  );
});

test("the version before stays readable beside the new one, and goes only when told", async () => {
  {
    await using old = await openOn(engine, [toTallyStore({ kept: "inline" })]);
    for (let amount = 0; amount < 5; amount++) await add(old, "a", amount);
  }
  {
    await using both = await openOn(engine, [toTallyStore({ kept: "inline", version: 2 })]);
    await add(both, "a", 100);
    expect(await both.call("tally.get", { id: "a" })).toMatchObject({ sum: 110 });
    expect(await both.storage.retired()).toEqual(["tally.row@1"]);
    await expect(both.storage.drop("tally.row@2")).rejects.toThrow('"tally.row@2" is what this code reads.');
  }
  {
    // A rollback: the old code finds its table, and reads on from where it was.
    await using back = await openOn(engine, [toTallyStore({ kept: "inline" })]);
    expect(await back.call("tally.get", { id: "a" })).toEqual({ id: "a", sum: 110, adds: 6 });
  }
  await using forth = await openOn(engine, [toTallyStore({ kept: "inline", version: 2 })]);
  await forth.storage.drop("tally.row@1");
  expect(await forth.storage.retired()).toEqual([]);
  expect(await engine.collections()).not.toContain("tally.row@1");
  await expect(forth.storage.drop("tally.row@1")).rejects.toThrow('no retired read model "tally.row@1"');
});

test("a new epoch stops the readers with the reason, and a rebuild mends them", async () => {
  {
    await using backend = await openOn(engine, [toTallyStore({ kept: "inline" })]);
    for (let amount = 0; amount < 4; amount++) await add(backend, "a", amount);
  }
  await engine.close();
  const db = new DatabaseSync(join(folder, "trilith.db"));
  db.exec("update log set epoch = 2 where name = 'main'; delete from event_1 where position = 4");
  db.close();
  engine = await openSqlite({ folder });
  await using backend = await openOn(engine, [toTallyStore({ kept: "inline" })]);
  const stopped = '"tally.row@1" has read epoch 1 of the log "main", which is in epoch 2 now';
  expect(await modelOf(backend)).toMatchObject({ ready: false, stopped: expect.stringContaining(stopped) });
  // Rows that are kept with each event are not to be taken for the present ones now.
  await expect(backend.call("tally.get", { id: "a" })).rejects.toThrow(stopped);
  await add(backend, "a", 50);
  await backend.storage.rebuild("tally.row@1");
  await eventually(async () => expect(await modelOf(backend)).toMatchObject({ ready: true, behind: 0 }));
  expect(await backend.call("tally.get", { id: "a" })).toEqual({ id: "a", sum: 53, adds: 4 });
  await add(backend, "a", 7);
  expect(await backend.call("tally.get", { id: "a" })).toEqual({ id: "a", sum: 60, adds: 5 });
});

test("a rebuild says how it comes along", async () => {
  {
    await using backend = await openOn(engine, [toTallyStore()]);
    await Promise.all(Array.from({ length: 1_200 }, (_, index) => add(backend, `id${index % 9}`, 1)));
  }
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let commits = 0;
  const paused = toChanged(engine, {
    // Short pages are batches of their own.
    read: (log, query) => engine.read(log, { ...query, limit: Math.min(query.limit, 400) }),
    commit: async (checkpoint, writes) => {
      if (commits++ === 2) await gate;
      return engine.commit(checkpoint, writes);
    },
  });
  await using backend = await openOn(paused, [toTallyStore({ version: 2 })]);
  await eventually(async () => expect((await modelOf(backend))?.position).toBe(800));
  const model = await modelOf(backend);
  expect(model).toMatchObject({ ready: false, behind: 400, progress: { done: 800, of: 1_200 } });
  expect(model?.progress?.perSecond).toBeGreaterThan(0);
  expect(model?.progress?.secondsLeft).toBeGreaterThan(0);
  release();
  await eventually(async () => expect(await modelOf(backend)).toMatchObject({ ready: true, behind: 0 }));
  expect(await modelOf(backend)).not.toHaveProperty("progress");
});
