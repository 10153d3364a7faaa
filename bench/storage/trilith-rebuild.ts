import { type Backend, backend } from "trilith";
import { contract, event, query } from "trilith/contracts";
import { readModel, store } from "trilith/storage";
import { z } from "zod";
import { timed } from "../frame/closed-loop.ts";
import { expectEqual, type Place, type Subject } from "../frame/subject.ts";
import { quiet } from "../frame/trilith-settings.ts";
import { toUuids } from "../frame/uuid.ts";
import { everyAccount, toBalances } from "./events.ts";
import { fill } from "./fill.ts";
import type { Engine, OpenEngine } from "./trilith.ts";

const Deposited = z.object({ account: z.string(), amount: z.number() });
const Row = z.object({ account: z.string(), balance: z.number(), count: z.int() });
const Movements = contract("movements", "1.0.0", {
  row: query({ input: Row.pick({ account: true }), output: Row.optional() }),
  caughtUp: query({ input: z.object({ position: z.int() }), output: z.object({ position: z.int() }), timeout: "10m" }),
  Deposited: event(Deposited),
});

type Started = Awaited<ReturnType<Backend["start"]>>;

/** An async read model of a log, built from its first event on in each round, as a new version of itself. */
export async function rebuilds(openEngine: OpenEngine, place: Place): Promise<Subject> {
  const first = await openEngine(place);
  await fillLog(first, 0, place.size);
  await first.close();
  let version = 0;
  return {
    async round() {
      const engine = await openEngine(place);
      const starting = toBackend(++version);
      let running: Started | undefined;
      try {
        // From the start of the backend on, for that is when it begins to build.
        const measured = await timed(place.size, async () => {
          running = await starting.start({ engine, environment: quiet });
          await running.client(Movements).caughtUp({ position: place.size });
        });
        const client = (running as Started).client(Movements); // it has been measured
        const expected = toBalances(place.size);
        // Asked for all at once: looks that come together share a journey.
        const rows = await Promise.all(everyAccount.map((account) => client.row({ account })));
        for (const [index, account] of everyAccount.entries())
          expectEqual(rows[index], { account, ...expected.get(account) }, "The row of a rebuild");
        return measured;
      } finally {
        await running?.stop();
      }
    },
    verify: async () => {}, // each round looks at what it has built
    close: async () => {},
  };
}

export function fillLog(engine: Engine, from: number, to: number): Promise<void> {
  const nextId = toUuids();
  return fill(from, to, async (streams) => {
    const outcomes = await engine.append(
      "main",
      streams.map(({ stream, events }) => ({
        id: nextId(),
        expect: [],
        events: events.map((deposited) => ({
          ...{ stream, type: "movements.Deposited", version: 1 },
          data: JSON.stringify(deposited),
        })),
      })),
    );
    const failed = outcomes.find(({ ok }) => !ok);
    if (failed) throw new Error(`The log was not filled: ${JSON.stringify(failed)}`);
  });
}

function toBackend(version: number): Backend {
  const rows = readModel("row", {
    version,
    kept: "async",
    events: Movements,
    row: Row,
    key: "account",
    on: { Deposited: ({ account, amount }, rows) => rows.increment(account, { balance: amount, count: 1 }) },
  });
  const movements = store(
    Movements,
    { rows },
    {
      row: ({ account }, { rows }) => rows.get(account),
      caughtUp: async ({ position }, { rows }) => {
        await rows.caughtUp({ position, within: "10m" });
        return { position };
      },
    },
  );
  return backend("bench", { storage: [movements] });
}
