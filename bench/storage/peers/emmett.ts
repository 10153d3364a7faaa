import { CommandHandler, type Event } from "@event-driven-io/emmett";
import {
  getPostgreSQLEventStore,
  postgreSQLProjection,
  rebuildPostgreSQLProjections,
} from "@event-driven-io/emmett-postgresql";
import pg from "pg";
import { closedLoop, timed } from "../../frame/closed-loop.ts";
import { expectEqual, type Open, type Place, type Subject, Wrong } from "../../frame/subject.ts";
import { versionOf } from "../../frame/version.ts";
import { type Appender, appends } from "../appends.ts";
import { accounts, type Booked, type Deposited, everyAccount, toBalances } from "../events.ts";
import { fill } from "../fill.ts";

/** Emmett on PostgreSQL as its documentation sets it up: one event store over a pool of connections. */
export const version = (): Promise<string> => versionOf("@event-driven-io/emmett-postgresql");
export const works: { readonly [work: string]: Open } = {
  "append-1": async (place) => appends(await open(place), { bytes: place.size }),
  "append-100": async (place) => appends(await open(place), { perAppend: 100 }),
  "entity-command": commands,
  rebuild,
};

async function open({ postgres }: Place): Promise<Appender> {
  const store = getPostgreSQLEventStore(postgres);
  await store.schema.migrate();
  return {
    async append(stream, events) {
      await store.appendToStream(
        stream,
        events.map((data) => ({ type: "Booked", data: { ...data } })),
      );
    },
    async *all() {
      const pool = new pg.Pool({ connectionString: postgres });
      try {
        for (let position = "0"; ; ) {
          const { rows } = await pool.query(
            "select global_position, message_data from emt_messages where global_position > $1 order by 1 limit 5000",
            [position],
          );
          if (rows.length === 0) return;
          for (const { message_data } of rows) yield message_data as Booked; // as written
          position = rows.at(-1).global_position;
        }
      } finally {
        await pool.end();
      }
    },
    close: () => store.close(),
  };
}

type DepositedEvent = Event<"Deposited", Deposited & Record<string, unknown>>;

async function commands({ postgres }: Place): Promise<Subject> {
  const store = getPostgreSQLEventStore(postgres);
  await store.schema.migrate();
  const handle = CommandHandler<{ readonly balance: number }, DepositedEvent>({
    initialState: () => ({ balance: 0 }),
    evolve: ({ balance }) => ({ balance: balance + 1 }),
    retry: { onVersionConflict: true },
  });
  const done = new Array<number>(accounts).fill(0);
  return {
    round: (asked) =>
      closedLoop(asked, async () => {
        const index = Math.floor(Math.random() * accounts);
        const before = done[index] ?? 0;
        const { newState } = await handle(store, `account-${index}`, () => ({
          type: "Deposited",
          data: { account: `account-${index}`, amount: 1 },
        }));
        if (newState.balance <= before)
          throw new Wrong(`The account ${index} has ${newState.balance}, and had ${before}.`);
        done[index] = (done[index] ?? 0) + 1;
        return 1;
      }),
    async verify() {
      for (const [index, expected] of done.entries()) {
        if (index % 97 !== 0) continue;
        const { events } = await store.readStream(`account-${index}`);
        expectEqual(events.length, expected, `The number of events of the account ${index}`);
      }
    },
    close: () => store.close(),
  };
}

const batchSize = 1_000;

async function rebuild({ postgres, size }: Place): Promise<Subject> {
  const store = getPostgreSQLEventStore(postgres);
  await store.schema.migrate();
  // One append after the other. Its reader sorts by transaction and goes on behind the last position that it saw, so of
  // appends that were under way at the same time it misses some (seen here: 4,455 of 30,000, with 25 at once).
  await fill(0, size, async (streams) => {
    for (const { stream, events } of streams)
      await store.appendToStream(
        stream,
        events.map((data) => ({ type: "Deposited", data: { ...data } })),
      );
  });
  const pool = new pg.Pool({ connectionString: postgres });
  await pool.query("create table row (account text primary key, balance float8 not null, count bigint not null)");
  const text = `insert into row values ($1, $2, 1)
    on conflict (account) do update set balance = row.balance + excluded.balance, count = row.count + 1`;
  const projection = postgreSQLProjection<DepositedEvent>({
    name: "rows",
    canHandle: ["Deposited"],
    // It is handed one event at a time, whatever the batch.
    handle: async (events, { connection }) => {
      for (const { data } of events)
        await connection.client.query({ name: "row", text, values: [data.account, data.amount] });
    },
  });
  let version = 0;
  return {
    async round() {
      await pool.query("truncate row");
      version++;
      const measured = await timed(size, async () => {
        const consumer = rebuildPostgreSQLProjections({
          connectionString: postgres,
          projections: [{ projection, processorId: `rows-${version}`, truncateOnStart: false }],
          pulling: { batchSize, pullingFrequencyInMs: 1 },
        });
        await consumer.start();
        await consumer.close();
      });
      const expected = toBalances(size);
      const { rows } = await pool.query("select account, balance, count::int from row");
      const found = new Map(rows.map(({ account, ...row }) => [account, row]));
      for (const account of everyAccount)
        expectEqual(found.get(account), expected.get(account), "The row of a rebuild");
      return measured;
    },
    verify: async () => {}, // each round looks at what it has built
    close: async () => {
      await pool.end();
      await store.close();
    },
  };
}
