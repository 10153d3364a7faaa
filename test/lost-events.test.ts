import { command, contract, event, failure, query } from "trilith/contracts";
import { openPostgres } from "trilith/postgres";
import { entity, readModel, store } from "trilith/storage";
import { testStores } from "trilith/testing";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import type { Engine } from "../src/storage/host.ts";
import { openDatabase, type TestDatabase } from "./shared-postgres.ts";

let postgres: TestDatabase;
const ends: (() => Promise<void>)[] = [];
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
afterAll(() => postgres.remove());

const Seat = z.object({ flight: z.string(), who: z.string() });
const Seats = contract("seats", "1.0.0", {
  hold: command({ input: Seat, failures: { SoldOut: failure(409, "No seat is left.") } }),
  look: query({ input: Seat.pick({ flight: true }), output: z.array(z.string()) }),
  Held: event(Seat),
});

/** A node with memories of its own. */
async function node(schema: string, seats: number, snapshotEvery?: number) {
  const flights = entity("flight", {
    events: Seats,
    state: z.object({ taken: z.array(z.string()) }),
    initial: { taken: [] },
    evolve: { Held: ({ taken }, { who }) => ({ taken: [...taken, who] }) },
    ...(snapshotEvery !== undefined && { snapshotEvery }),
  });
  const declared = store(
    Seats,
    { flights },
    {
      hold: (seat, { flights, fail }) =>
        flights(seat.flight).decide(({ taken }, { Held }) => (taken.length < seats ? Held(seat) : fail.SoldOut())),
      look: async ({ flight }, { flights }) => (await flights(flight).state())?.taken ?? [],
    },
  );
  const engine = await openPostgres({ url: postgres.url, schema, connections: 2, patience: "5s" });
  const stores = await testStores([declared], { engine });
  ends.push(() => stores.close().then(() => engine.close()));
  const client = stores.client(Seats);
  return {
    engine,
    hold: async (...names: string[]) => {
      for (const who of names) await client.hold({ flight: "UA1", who });
    },
    look: () => client.look({ flight: "UA1" }),
  };
}

/** What a replica that lagged knows, as it takes over. */
async function lose(schema: string, after: number): Promise<void> {
  await postgres.query(`delete from ${schema}.event_row where position > $1`, [after]);
  await postgres.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'trilith'",
  );
}

test("an entity is never decided on, or shown, by events that are lost, also where others took their revisions", async () => {
  const schema = postgres.freshSchema();
  const one = await node(schema, 6);
  await one.hold("a", "b", "c", "d", "e");
  await lose(schema, 3);
  expect(await one.look()).toEqual(["a", "b", "c"]);
  await one.hold("f", "g");
  expect(await one.look()).toEqual(["a", "b", "c", "f", "g"]);

  await lose(schema, 3);
  const other = await node(schema, 6);
  await other.hold("x", "y"); // at the revisions of f and g
  expect(await one.look()).toEqual(["a", "b", "c", "x", "y"]);
  await one.hold("z");
  await expect(one.hold("late")).rejects.toMatchObject({ code: "SoldOut" });
  expect([await one.look(), await other.look()]).toEqual(Array(2).fill(["a", "b", "c", "x", "y", "z"]));
});

test("a decision of an epoch that is over is not written over what has its revision now", async () => {
  const schema = postgres.freshSchema();
  const [one, other] = [await node(schema, 3), await node(schema, 3)];
  await one.hold("a", "b");
  await lose(schema, 1);
  await other.hold("x"); // one remembers a and b, and the revision is the same
  await one.hold("c");
  expect(await other.look()).toEqual(["a", "x", "c"]);

  // It remembers that nothing is left, which is not so any more.
  await lose(schema, 2);
  await other.engine.append("main", [toHeld("y")]);
  await lose(schema, 2);
  await one.hold("z");
  expect(await one.look()).toEqual(["a", "x", "z"]);
});

test("a failure that was decided over lost events is decided again", async () => {
  const schema = postgres.freshSchema();
  const [one, other] = [await node(schema, 2), await node(schema, 2)];
  await one.hold("a", "b");
  await expect(one.hold("c")).rejects.toMatchObject({ code: "SoldOut" });
  await lose(schema, 0);
  await expect(one.hold("c")).resolves.toBeUndefined();
  expect(await other.look()).toEqual(["c"]);
});

test("snapshots go on in the epoch that follows, from what is there", async () => {
  const schema = postgres.freshSchema();
  const one = await node(schema, 100, 3);
  const snapshot = async (engine: Engine) => (await engine.find("snapshot", { key: "flight/UA1", limit: 1 }))[0];
  await one.hold("a", "b", "c", "d", "e", "f", "g", "h", "i");
  await expect.poll(() => snapshot(one.engine), { timeout: 60_000 }).toMatchObject({ data: { revision: 8 } });
  await lose(schema, 2);
  await one.hold("k", "l", "m");
  expect(await one.look()).toEqual(["a", "b", "k", "l", "m"]);
  await expect
    .poll(() => snapshot(one.engine))
    .toMatchObject({ data: { revision: 2, state: { taken: ["a", "b", "k"] } } });
  expect(await (await node(schema, 100, 3)).look()).toEqual(["a", "b", "k", "l", "m"]);
});

test("who waits for what it has written does not wait for what is lost", async () => {
  const schema = postgres.freshSchema();
  const engine = await openPostgres({ url: postgres.url, schema, connections: 2 });
  const seats = readModel("seat", {
    version: 1,
    kept: "async",
    events: Seats,
    row: Seat,
    key: "who",
    on: { Held: (seat, rows) => rows.put(seat) },
  });
  const flights = entity("flight", { events: Seats, state: z.object({}), initial: {}, evolve: { Held: () => ({}) } });
  const declared = store(
    Seats,
    { flights, seats },
    {
      hold: (seat, { flights }) => flights(seat.flight).decide((_, { Held }) => Held(seat)),
      look: async (_, { seats }) => {
        await seats.caughtUp({ within: "2s" });
        return (await seats.find({})).map(({ who }) => who);
      },
    },
  );
  const stores = await testStores([declared], { engine });
  ends.push(() => stores.close().then(() => engine.close()));
  const client = stores.client(Seats);
  for (const who of ["a", "b", "c", "d", "e"]) await client.hold({ flight: "UA1", who });
  expect(await client.look({ flight: "UA1" })).toHaveLength(5);
  await lose(schema, 2);
  await stores.storage.rebuild("seats.seat@1");
  expect(await client.look({ flight: "UA1" })).toEqual(["a", "b"]);
  await client.hold({ flight: "UA1", who: "f" });
  expect(await client.look({ flight: "UA1" })).toEqual(["a", "b", "f"]);
});

const toHeld = (who: string) => ({
  id: crypto.randomUUID(),
  expect: [],
  events: [{ stream: "flight/UA1", type: "seats.Held", version: 1, data: JSON.stringify({ flight: "UA1", who }) }],
});
