import { afterEach, beforeEach, expect, test } from "vitest";
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

/** A process that declares some read models, and renews that when it is told to. */
function declare(node: string, readers: readonly string[], alone = false) {
  const log = new Log("main", { engine, clock: systemClock });
  let wake = (): void => {};
  const write: ConstructorParameters<typeof Declarations>[1]["write"] = async (documents) => {
    expect(await log.append({ events: [], documents })).toMatchObject({ ok: true });
  };
  const after: Clock["after"] = (_, renew) => {
    wake = renew;
    return () => {};
  };
  const declarations = new Declarations(() => ({ readers, events: {}, contracts: [] }), {
    ...{ engine, log: "main", clock: { ...clock, after }, node, process: node, leaseMs: 30_000, alone, write },
  });
  return { declarations, renew: () => wake() };
}
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
  await expect.poll(async () => (await engine.find("read-model-node", { limit: 9 }))[0]?.revision).toBe(2);
  passed(29);
  expect(await counts()).toEqual([1, 0, 0]);
  passed(2); // it was killed
  expect(await counts()).toEqual([0, 0, 0]);

  // Whoever comes next strikes it off; and if it was only stopped, it is there again.
  const third = declare("third", ["s.b@1"]);
  await third.declarations.start(async () => {});
  expect((await engine.find("read-model-node", { limit: 9 })).map(({ key }) => key)).toEqual(["third"]);
  other.renew();
  await expect.poll(counts).toEqual([1, 1, 0]);
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
