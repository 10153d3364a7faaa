import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { type Clock, command, contract, event, query, systemClock, upcast } from "../contracts/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import { type Engine, toHealth } from "./host.ts";
import { entity, readModel, store } from "./index.ts";
import { type Opened, openOn, toChanged, toFolder, toTallyStore } from "./test-kit.test-d.ts";

let remove: () => void;
let file: Engine;
/** The file as an engine that others may share. */
let engine: Engine;
const opened: Opened[] = [];
const reports: string[] = [];
beforeEach(async () => {
  const { folder, remove: away } = toFolder();
  remove = away;
  file = await openSqlite({ folder });
  engine = toChanged(file, { status: async () => ({ ...(await file.status()), exclusive: false }) });
});
afterEach(async () => {
  reports.length = 0;
  for (const one of opened.splice(0)) await one.storage.close();
  await file.close();
  remove();
});

const First = z.object({ id: z.string(), grams: z.int() });
const Second = z.object({ id: z.string(), kilos: z.number(), fragile: z.boolean().default(false) });
const Third = Second.extend({ label: z.string().default("") });
type Code = "old" | "up only" | "up and down" | "newest" | "with another event";
const up = ({ id, grams }: z.infer<typeof First>) => ({ id, kilos: grams / 1_000, fragile: false });
const toSecond = upcast(First, up, ({ id, kilos, fragile }) =>
  fragile ? undefined : { id, grams: Math.round(kilos * 1_000) },
);
const toThird = upcast(
  Second,
  (old) => ({ ...old, label: "" }),
  ({ label: _, ...old }) => old,
);
const weighed = {
  old: event(First),
  "with another event": event(First),
  "up only": event(Second, { version: 2, from: [upcast(First, up)] }),
  "up and down": event(Second, { version: 2, from: [toSecond] }),
  newest: event(Third, { version: 3, from: [toSecond, toThird] }),
};
function toStore(code: Code) {
  const isOld = code === "old" || code === "with another event";
  const Parcels = contract("parcels", "1.0.0", {
    weigh: command({ input: z.object({ id: z.string(), kilos: z.number(), fragile: z.boolean().optional() }) }),
    lose: command({ input: z.object({ id: z.string() }) }),
    state: query({ input: z.object({ id: z.string() }), output: z.any() }),
    Weighed: weighed[code],
    ...(code === "with another event" && { Lost: event(z.object({ id: z.string() })) }),
  });
  const parcels = entity("parcel", {
    events: Parcels,
    state: z.object({ kilos: z.number() }),
    initial: { kilos: 0 },
    evolve: {
      Weighed: (_: unknown, payload: any) => ({ kilos: payload.kilos ?? payload.grams / 1_000 }), // of either code
      ...(code === "with another event" && { Lost: () => ({ kilos: 0 }) }),
    } as never, // which events there are depends on the code
  });
  const weights = readModel("weight", {
    version: isOld ? 1 : 2,
    events: Parcels,
    row: z.object({ id: z.string(), kilos: z.number() }),
    key: "id",
    on: {
      Weighed: (payload: any, rows) => rows.put({ id: payload.id, kilos: payload.kilos ?? payload.grams / 1_000 }),
    }, // as above
  });
  return store(
    Parcels,
    { parcels, weights },
    {
      weigh: (
        { id, kilos, fragile }: any,
        { parcels }: any, // which events there are depends on the code, here and below
      ) =>
        parcels(id).decide((_: unknown, { Weighed }: any) =>
          Weighed(isOld ? { id, grams: kilos * 1_000 } : { id, kilos, ...(fragile && { fragile }) }),
        ),
      lose: ({ id }: any, { parcels }: any) => parcels(id).decide((_: unknown, { Lost }: any) => Lost({ id })),
      state: async ({ id }: any, { parcels, weights }: any) => [await parcels(id).state(), await weights.get(id)],
    } as never, // as above
  );
}
async function start(code: Code, ports: Parameters<typeof openOn>[2] = {}, on = engine): Promise<Opened> {
  const one = await openOn(on, [toStore(code)], {
    process: `the ${code} one`,
    report: (told) => reports.push(told),
    ...ports,
  });
  opened.push(one);
  return one;
}
async function end(one: Opened): Promise<void> {
  opened.splice(opened.indexOf(one), 1);
  await one.storage.close();
}
const inLog = async () =>
  (await engine.read("main", { after: 0, limit: 99 })).map(({ version, data }) => [version, data]);
/** What was found out is believed for a second; this clock does not wait for it. */
const impatient: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() * 1e6 };

test("an event is led down while older code runs, is what that reads, and takes its new version when it has ended", async () => {
  const old = await start("old");
  const next = await start("up and down", { clock: impatient });
  await next.call("parcels.weigh", { id: "a", kilos: 2.5 });
  expect(await inLog()).toEqual([[1, '{"id":"a","grams":2500}']]);
  for (const one of [old, next])
    await expect.poll(() => one.call("parcels.state", { id: "a" })).toEqual([{ kilos: 2.5 }, { id: "a", kilos: 2.5 }]);
  expect((await next.storage.status()).held).toEqual([
    {
      event: "parcels.Weighed",
      version: 2,
      writes: 1,
      by: [{ node: expect.any(String), process: "the old one", since: expect.any(Date), reads: 1 }],
    },
  ]);
  expect((await old.storage.status()).held).toEqual([]);
  expect(toHealth(await next.storage.status()).parts.events).toEqual({
    ready: true,
    detail: '"parcels.Weighed" is written in version 1 until a process that reads no version 2 has ended.',
  });

  await end(old);
  await next.call("parcels.weigh", { id: "b", kilos: 3 });
  expect((await inLog()).at(-1)).toEqual([2, '{"id":"b","kilos":3}']);
  expect((await next.storage.status()).held).toEqual([]);
  expect(reports).toEqual([
    "parcels.Weighed is to be written in version 2 when the old one (reads it up to version 1) has ended, so it is written in version 1 until then.",
    "parcels.Weighed is written in version 2 from now on.",
  ]);
});

test("where no way leads down, or not for this payload, commands fail and say who is waited for", async () => {
  const old = await start("old");
  const next = await start("up only", { clock: impatient });
  const [{ by: [{ node = "" } = {}] = [] } = {}] = (await next.storage.status()).held;
  const refused = {
    code: "Unavailable",
    outcome: "not done",
    message: `parcels.Weighed is not written in version 2 yet, because the process ${node} cannot read that. Nothing was written; try again when what runs there has ended, or was replaced by newer code.`,
  };
  await expect(next.call("parcels.weigh", { id: "a", kilos: 1 })).rejects.toMatchObject(refused);
  const third = await start("up and down", { clock: impatient });
  await third.call("parcels.weigh", { id: "a", kilos: 1 });
  await expect(third.call("parcels.weigh", { id: "a", kilos: 1, fragile: true })).rejects.toMatchObject(refused);
  await old.call("parcels.weigh", { id: "a", kilos: 4 });
  expect((await inLog()).map(([version]) => version)).toEqual([1, 1]);
  await end(old);
  await next.call("parcels.weigh", { id: "a", kilos: 5 });
  await third.call("parcels.weigh", { id: "a", kilos: 6, fragile: true });
  expect((await inLog()).map(([version]) => version)).toEqual([1, 1, 2, 2]);
});

test("an event that the older code of the same contract does not know is not written while that runs", async () => {
  const old = await start("old");
  const next = await start("with another event", { clock: impatient });
  await next.call("parcels.weigh", { id: "a", kilos: 1 });
  await expect(next.call("parcels.lose", { id: "a" })).rejects.toMatchObject({ code: "Unavailable" });
  await end(old);
  await next.call("parcels.lose", { id: "a" });
  await expect(start("old")).rejects.toThrow("does not declare parcels.Lost any more");
});

test("what begins while a version is being settled is seen, and what begins afterwards is refused", async () => {
  let meanwhile: () => Promise<unknown> = async () => {};
  const slow = toChanged(engine, {
    claim: async (name, query, set) => {
      if ("version" in set) await meanwhile();
      return engine.claim(name, query, set);
    },
  });
  const next = await start("up only", { clock: impatient }, slow);
  meanwhile = () => start("old");
  await expect(next.call("parcels.weigh", { id: "a", kilos: 1 })).rejects.toMatchObject({ code: "Unavailable" });
  const [, old] = opened;
  await old?.call("parcels.weigh", { id: "a", kilos: 1 });
  if (old) await end(old);

  // It is settled, and nothing was written in it yet.
  let late: Promise<unknown> = Promise.resolve();
  const waiting = toChanged(engine, {
    append: async (log, group) => {
      if (group.some(({ events }) => events.length > 0)) {
        late = start("old").catch((error: Error) => error.message);
        await late;
      }
      return engine.append(log, group);
    },
  });
  meanwhile = async () => {};
  const other = await start("up only", { clock: impatient }, waiting);
  await other.call("parcels.weigh", { id: "a", kilos: 2 });
  expect(await late).toBe(
    'The log "main" takes events parcels.Weighed in version 2, and this code knows it up to version 1. Start the newer code, or declare version 2 with its upcasters.',
  );
  expect((await inLog()).map(([version]) => version)).toEqual([1, 2]);
});

test.each(["asks", "settles"])(
  "an older version that is written meanwhile is settled too: still older code is seen that begins before it %s",
  async (moment) => {
    let atClaim: () => Promise<unknown> = async () => {};
    let atAppend: () => Promise<unknown> = async () => {};
    const slow = toChanged(engine, {
      claim: async (name, query, set) => {
        if ("version" in set ? moment === "settles" : moment === "asks" && typeof set.asked === "string")
          await atClaim();
        return engine.claim(name, query, set);
      },
      append: async (log, group) => {
        if (group.some(({ events }) => events.length > 0)) await atAppend();
        return engine.append(log, group);
      },
    });
    await start("up and down");
    const newest = await start("newest", { clock: impatient }, slow);
    let old: Opened | undefined;
    atClaim = async () => {
      atClaim = async () => {};
      old = await start("old");
    };
    await newest.call("parcels.weigh", { id: "a", kilos: 1 });
    expect(await inLog()).toEqual([[1, '{"id":"a","grams":1000}']]);
    expect(await engine.find("event-version", { limit: 9 })).toMatchObject([{ data: { version: 1 } }]);
    await expect.poll(() => old?.call("parcels.state", { id: "a" })).toEqual([{ kilos: 1 }, { id: "a", kilos: 1 }]);
    if (old) await end(old);
    let late: unknown;
    atAppend = async () => {
      late = await start("old").catch((error: Error) => error.message);
    };
    await newest.call("parcels.weigh", { id: "a", kilos: 2 });
    expect(late).toMatch("takes events parcels.Weighed in version 2, and this code knows it up to version 1.");
    expect((await inLog()).map(([version]) => version)).toEqual([1, 2]);
  },
);

test("who reads events of the log that no store of his declares is waited for as well", async () => {
  const reading = await openOn(engine, [toTallyStore()]);
  opened.push(reading);
  const next = await start("up only", { clock: impatient });
  const { contract } = toStore("old");
  const reader = reading.storage.reading(contract as unknown as Parameters<typeof reading.storage.reading>[0]); // a contract has its events by name
  await expect.poll(async () => (await next.storage.status()).held).toHaveLength(1);
  await expect(next.call("parcels.weigh", { id: "a", kilos: 1 })).rejects.toMatchObject({ code: "Unavailable" });
  expect(await reader.head()).toBe(0);
  await end(reading);
  await next.call("parcels.weigh", { id: "a", kilos: 1 });
  expect((await inLog()).map(([version]) => version)).toEqual([2]);
});

test("once it is settled, a command asks nothing more than without versions, in this process and in later ones", async () => {
  const asked: string[] = [];
  const counting = toChanged(engine, {
    find: (name, query) => {
      asked.push(name);
      return engine.find(name, query);
    },
    claim: (name, query, set) => {
      asked.push(name);
      return engine.claim(name, query, set);
    },
  });
  const next = await start("up only", {}, counting);
  await next.call("parcels.weigh", { id: "a", kilos: 1 });
  expect(asked).toContain("event-version");
  const later = await start("up only", {}, counting);
  asked.length = 0;
  for (const one of [next, later]) await one.call("parcels.weigh", { id: "a", kilos: 1 });
  expect(asked).toEqual([]);
});

test("a process that was stopped for longer than its lease is gone on without, and says so when it is back", async () => {
  let now = 1_000_000;
  let isAway = false;
  const timed = toChanged(engine, {
    time: async () => now,
    find: async (name, query) => {
      if (isAway && name === "event-version") throw new Error("The engine is away.");
      return engine.find(name, query);
    },
  });
  let renew = (): void => {};
  const after: Clock["after"] = (ms, wake) => {
    if (ms === 10_000) renew = wake; // a third of the lease
    return () => {};
  };
  const stopped = await start("old", { clock: { ...systemClock, after } }, timed);
  const wakeUp = renew;
  const next = await start("up only", { clock: impatient }, timed);
  now += 29_000;
  await expect(next.call("parcels.weigh", { id: "a", kilos: 1 })).rejects.toMatchObject({ code: "Unavailable" });
  now += 2_000;
  await next.call("parcels.weigh", { id: "a", kilos: 1 });
  // What keeps it from looking is not why; it looks again.
  isAway = true;
  const before = renew;
  wakeUp();
  await expect.poll(() => renew).not.toBe(before);
  expect(reports.at(-1)).toBe("parcels.Weighed is written in version 2 from now on.");
  isAway = false;
  renew();
  await expect
    .poll(() => reports.at(-1))
    .toMatch(/^This process was silent for longer than its lease, .* takes events parcels\.Weighed in version 2,/);
  await expect(stopped.call("parcels.weigh", { id: "a", kilos: 2 })).rejects.toThrow("Start the newer code.");
});

test("a process that has the log to itself waits for nobody, and keeps nothing of it", async () => {
  const alone = await openOn(file, [toStore("up only")]);
  await alone.call("parcels.weigh", { id: "a", kilos: 1 });
  expect((await inLog()).map(([version]) => version)).toEqual([2]);
  expect((await alone.storage.status()).held).toEqual([]);
  expect(await file.collections()).not.toContain("event-version");
  await alone.storage.close();
});
