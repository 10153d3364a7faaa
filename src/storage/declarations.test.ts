import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Clock, systemClock } from "../contracts/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import { Declarations } from "./declarations.ts";
import { type Engine, Log } from "./host.ts";
import { openOn, toChanged, toFolder, toTallyStore } from "./test-kit.test-d.ts";

let remove: () => void;
let engine: Engine;
let now = 1_000_000;
const clock: Clock = { ...systemClock, now: () => now };
beforeEach(async () => {
  const { folder, remove: away } = toFolder();
  remove = away;
  engine = await openSqlite({ folder, clock });
});
afterEach(async () => {
  await engine.close();
  remove();
});

/** A process that declares some read models, and renews that when it is told to. `writes` is waited for before it writes. */
function declare(node: string, readers: readonly string[], alone = false, on = engine, writes = async () => {}) {
  const log = new Log("main", { engine, clock: systemClock });
  let wake = (): void => {};
  let rounds = 0;
  const write: ConstructorParameters<typeof Declarations>[1]["write"] = async (documents) => {
    await writes();
    expect(await log.append({ events: [], documents })).toMatchObject({ ok: true });
  };
  const after: Clock["after"] = (_, renew) => {
    wake = renew;
    rounds++;
    return () => {};
  };
  const declarations = new Declarations(() => ({ readers, events: {}, contracts: [] }), {
    ...{ engine: on, log: "main", clock: { ...clock, after }, node, process: node, leaseMs: 30_000, alone, write },
  });
  const renewed = async () => {
    const before = rounds;
    wake();
    await expect.poll(() => rounds).toBe(before + 1);
  };
  return { declarations, renew: () => wake(), renewed, rounds: () => rounds };
}
/** Of whom there is a row. */
const nodes = async () =>
  (await engine.find("log-process", { limit: 9 })).map(({ data }) => (data as { readonly node: string }).node);
const passed = (seconds: number): void => {
  now += 1_000 * seconds;
};

test("what a process declares counts until it ends, and where it was killed until its lease is over", async () => {
  const one = declare("one", ["s.a@1", "s.b@1"]);
  const other = declare("other", ["s.a@1"]);
  const looking = declare("looking", []).declarations;
  for (const { declarations } of [one, other]) await declarations.start(async () => {});
  await looking.start(async () => {});
  const counts = () => Promise.all(["s.a@1", "s.b@1", "s.a@2"].map((reader) => looking.count(reader)));
  expect(await counts()).toEqual([2, 1, 0]);
  await one.declarations.close();
  expect(await counts()).toEqual([1, 0, 0]);

  passed(29);
  other.renew();
  await expect.poll(async () => (await engine.find("log-process", { limit: 9 }))[0]?.revision).toBe(2);
  passed(29);
  expect(await counts()).toEqual([1, 0, 0]);
  passed(2); // it was killed
  expect(await counts()).toEqual([0, 0, 0]);

  // Whoever comes next strikes it off; and if it was only stopped, it is there again.
  const third = declare("third", ["s.b@1"]);
  await third.declarations.start(async () => {});
  expect(await nodes()).toEqual(["third"]);
  other.renew();
  await expect.poll(counts).toEqual([1, 1, 0]);
});

test("a process that is back is not struck off by one that saw it dead before", async () => {
  const stopped = declare("stopped", ["s.a@1"]);
  let lapsed = 0;
  await stopped.declarations.start(async () => void lapsed++);
  passed(31);
  const next = declare("next", ["s.a@1"], false, engine, async () => {
    stopped.renew(); // after the look of the other one, and before it writes
    await expect.poll(() => lapsed).toBe(1);
  });
  await next.declarations.start(async () => {});
  expect(await nodes()).toEqual(["next", "stopped"]);
  expect((await next.declarations.others()).map(({ node }) => node)).toEqual(["stopped"]);
  for (const { declarations } of [stopped, next]) await declarations.close();
  expect(await nodes()).toEqual([]);
});

test("a process of which the lease runs out while it renews that has lapsed, and is told so until it has seen to it", async () => {
  let late = 0;
  const slow = toChanged(engine, {
    claim: async (...asked) => {
      passed(late);
      return engine.claim(...asked);
    },
  });
  const { declarations, renewed } = declare("one", ["s.a@1"], false, slow);
  let told = 0;
  await declarations.start(async () => {
    if (++told === 1) throw new Error("The engine is away.");
  });
  const heard: number[] = [];
  for (late of [29, 31, 1, 1]) {
    await renewed();
    heard.push(told);
  }
  expect(heard).toEqual([0, 1, 2, 2]);
  expect(await nodes()).toEqual(["one"]);
  await declarations.close();
});

test("a process that declares more than at the start says so, at once or after what it is about to say", async () => {
  const readers = ["s.a@1"];
  const one = declare("one", readers);
  const looking = declare("looking", []).declarations;
  await looking.start(async () => {});
  const lapsed = vi.fn(async () => {});
  await one.declarations.start(lapsed);
  readers.push("s.b@1");
  one.declarations.again();
  await expect.poll(() => looking.count("s.b@1")).toBe(1);
  one.renew();
  readers.push("s.c@1");
  one.declarations.again();
  await expect.poll(() => looking.count("s.c@1")).toBe(1);
  expect([await nodes(), lapsed.mock.calls]).toEqual([["one"], []]);
  await one.declarations.close();
});

test("a process that could not say more counts once, when it could, and not at all when it has ended", async () => {
  let isDown = false;
  const one = declare("one", ["s.a@1"], false, engine, async () => {
    if (isDown) throw new Error("The disk is full.");
  });
  const looking = declare("looking", []).declarations;
  await looking.start(async () => {});
  await one.declarations.start(async () => {});
  isDown = true;
  one.declarations.again();
  await expect.poll(() => one.rounds()).toBe(2); // it failed
  await one.renewed(); // and failed again
  isDown = false;
  await one.renewed();
  expect(await nodes()).toEqual(["one"]);
  expect(await looking.count("s.a@1")).toBe(1);
  isDown = true;
  one.declarations.again();
  await expect.poll(() => one.rounds()).toBe(5);
  isDown = false;
  await one.declarations.close();
  expect(await nodes()).toEqual([]);
});

test("a process that has the log to itself keeps nothing of it", async () => {
  const { declarations } = declare("one", ["s.a@1"], true);
  await declarations.start(async () => {});
  expect([await declarations.count("s.a@1"), await engine.collections()]).toEqual([0, []]);
  await declarations.close();
});

test("a read model is dropped once no process that runs declares it, and not before", async () => {
  const shared = toChanged(engine, { status: async () => ({ ...(await engine.status()), exclusive: false }) });
  const old = await openOn(shared, [toTallyStore({ kept: "inline" })]);
  await using next = await openOn(shared, [toTallyStore({ kept: "inline", version: 2 })]);
  await expect(next.storage.drop("tally.row@1")).rejects.toThrow(
    '"tally.row@1" is read by another process that is running, or ended within the last half minute.',
  );
  expect(await next.storage.retired()).toEqual(["tally.row@1"]);
  await old.storage.close();
  await next.storage.drop("tally.row@1");
  expect(await next.storage.retired()).toEqual([]);
});
