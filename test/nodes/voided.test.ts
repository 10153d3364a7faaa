import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, event } from "../../src/contracts/index.ts";
import { workflow } from "../../src/orchestration/index.ts";
import type { Engine, Outcome } from "../../src/storage/host.ts";
import { entity, store } from "../../src/storage/index.ts";
import { inMemory, onPostgres, openDatabase, startNode, type TestDatabase, type World } from "./world.ts";

const Seat = z.object({ seat: z.string() });
const Seats = contract("seats", "1.0.0", {
  take: command({ input: Seat }),
  giveBack: command({ input: Seat }),
  Taken: event(Seat),
  GivenBack: event(Seat),
});
const Trips = contract("trips", "1.0.0", { book: command({ input: Seat }) });
const contracts = [Seats, Trips];
const row = entity("row", {
  events: Seats,
  state: z.object({ taken: z.int() }),
  initial: { taken: 0 },
  evolve: { Taken: ({ taken }) => ({ taken: taken + 1 }), GivenBack: ({ taken }) => ({ taken: taken - 1 }) },
});
const seats = store(
  Seats,
  { row },
  {
    take: (seat, { row }) => row("all").decide((_, { Taken }) => Taken(seat)),
    giveBack: (seat, { row }) => row("all").decide((_, { GivenBack }) => GivenBack(seat)),
  },
);
const book = workflow(Trips.book, { version: 1, uses: [Seats] }, async (seat, { seats }) => {
  await seats.take(seat).undo(() => seats.giveBack(seat));
});

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterAll(() => postgres.remove(), 120_000);

describe.each([
  { place: "in memory", open: inMemory },
  { place: "on PostgreSQL", open: () => onPostgres(postgres) },
])("$place", ({ open }) => {
  it("a zombie's command to the store is refused once its key was voided, and takes no effect", async () => {
    await using world = await open();
    let isReached = false;
    const thawed = Promise.withResolvers<void>();
    let told: Outcome | undefined;
    /** The node stands still in the middle of its command: the append is on its way, and comes when the node is thawed. */
    const stuck: World = {
      ...world,
      engine: async () =>
        withAppend(await world.engine(), async (append, log, group) => {
          if (log !== "main" || group.every(({ events }) => events.length === 0)) return append(log, group);
          isReached = true;
          await thawed.promise;
          const outcomes = await append(log, group);
          told = outcomes[0];
          return outcomes;
        }),
    };
    const parts = { workflows: [book], stores: [seats], contracts };
    const zombie = await startNode(stuck, parts);
    const survivor = await startNode(world, parts);
    void zombie
      .client(Trips, { key: "k" })
      .book({ seat: "1A" })
      .catch(() => {});
    await world.until(() => isReached);
    const [run = ""] = await zombie.journal.heldBy(zombie.name, 10);
    const thaw = zombie.cutOff();

    expect(await survivor.runner.steer(run, { to: "cancel", by: "ann" })).toMatchObject({ ok: true });
    await world.until(async () => (await survivor.row(run))?.state === "cancelled");
    const entries = await survivor.journal.read(run);
    expect(entries.map(({ type }) => type)).not.toContain("StepDone");

    thawed.resolve();
    thaw();
    await world.until(() => told !== undefined);
    expect(told).toMatchObject({ ok: false, why: "voided" });
    expect(await survivor.engine.read("main", { after: 0, limit: 10 })).toEqual([]); // neither taken nor given back
    expect(await survivor.journal.read(run)).toEqual(entries);
    await Promise.all([zombie.stop(), survivor.stop()]);
  });
});

type Appending = Engine["append"];

/** The same engine, with something in the way of its appends. */
function withAppend(
  engine: Engine,
  around: (append: Appending, ...given: Parameters<Appending>) => ReturnType<Appending>,
) {
  return new Proxy(engine, {
    get(target, name: keyof Engine) {
      if (name === "append") return (...given: Parameters<Appending>) => around(target.append.bind(target), ...given);
      return target[name]?.bind(target); // whoever awaits an engine asks for its "then"
    },
  });
}
