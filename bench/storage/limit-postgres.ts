import pg from "pg";
import { serverVersion } from "../frame/bare-postgres.ts";
import { timed } from "../frame/closed-loop.ts";
import { gather } from "../frame/gathered.ts";
import { expectEqual, type Open, type Place, type Subject } from "../frame/subject.ts";
import { type Appender, appends } from "./appends.ts";
import { type Booked, type Deposited, everyAccount, toBalances } from "./events.ts";
import { fill } from "./fill.ts";

/** One table, two connections, and one `unnest` for whatever came in meanwhile. No checks, no revisions. */
export const version = serverVersion;
export const works: { readonly [work: string]: Open } = {
  "append-1": async (place) => appends(await open(place), { bytes: place.size }),
  "append-100": async (place) => appends(await open(place), { perAppend: 100 }),
  rebuild,
};

export const table = `create table event (
  position bigint generated always as identity primary key, stream text not null, data text not null)`;
const insert = {
  name: "insert",
  text: "insert into event (stream, data) select * from unnest($1::text[], $2::text[])",
};
const connections = 2;

async function open({ postgres }: Place): Promise<Appender> {
  const pool = new pg.Pool({ connectionString: postgres, max: connections });
  await pool.query(table);
  const write = gather<{ readonly stream: string; readonly events: readonly Booked[] }>(async (appends) => {
    const streams = appends.flatMap(({ stream, events }) => events.map(() => stream));
    const data = appends.flatMap(({ events }) => events.map((event) => JSON.stringify(event)));
    await pool.query({ ...insert, values: [streams, data] });
  }, connections);
  return { append: (stream, events) => write({ stream, events }), all: () => readAll(pool), close: () => pool.end() };
}

export async function* readAll(pool: pg.Pool): AsyncGenerator<Booked> {
  for (let position = "0"; ; ) {
    const { rows } = await pool.query("select * from event where position > $1 order by position limit 5000", [
      position,
    ]);
    if (rows.length === 0) return;
    for (const { data } of rows) yield JSON.parse(data);
    position = rows.at(-1)?.position;
  }
}

const page = 1_000;

/** Reads a page while the one before is written: its rows and the checkpoint in one statement. */
async function rebuild(place: Place): Promise<Subject> {
  const pool = new pg.Pool({ connectionString: place.postgres, max: connections });
  await pool.query(`${table}; create table checkpoint (position bigint not null);
    create table row (account text primary key, balance float8 not null, count bigint not null)`);
  await fill(0, place.size, async (streams) => {
    const texts = streams.flatMap(({ stream, events }) => events.map(() => stream));
    const data = streams.flatMap(({ events }) => events.map((event) => JSON.stringify(event)));
    await pool.query({ ...insert, values: [texts, data] });
  });
  const read = async (after: string) => {
    const text = "select position, data from event where position > $1 order by position limit $2";
    return (await pool.query<{ position: string; data: string }>({ name: "read", text, values: [after, page] })).rows;
  };
  const write = async (events: Awaited<ReturnType<typeof read>>) => {
    const rows = sums(events);
    const text = `with written as (insert into row select * from unnest($1::text[], $2::float8[], $3::bigint[])
      on conflict (account) do update set balance = row.balance + excluded.balance, count = row.count + excluded.count)
      update checkpoint set position = $4`;
    const values = [
      [...rows.keys()],
      [...rows.values()].map(({ balance }) => balance),
      [...rows.values()].map(({ count }) => count),
      events.at(-1)?.position,
    ];
    await pool.query({ name: "write", text, values });
  };
  return {
    async round() {
      await pool.query("truncate row; truncate checkpoint; insert into checkpoint values (0)");
      const measured = await timed(place.size, async () => {
        let events = await read("0");
        while (events.length > 0) {
          const last = events.at(-1)?.position ?? "0";
          const [next] = await Promise.all([read(last), write(events)]);
          events = next;
        }
      });
      const expected = toBalances(place.size);
      const { rows } = await pool.query("select account, balance, count::int from row");
      const found = new Map(rows.map(({ account, ...row }) => [account, row]));
      for (const account of everyAccount)
        expectEqual(found.get(account), expected.get(account), "The row of a rebuild");
      return measured;
    },
    verify: async () => {}, // each round looks at what it has built
    close: () => pool.end(),
  };
}

function sums(events: readonly { readonly data: string }[]) {
  const rows = new Map<string, { balance: number; count: number }>();
  for (const { data } of events) {
    const { account, amount } = JSON.parse(data) as Deposited; // as it was filled
    const row = rows.get(account) ?? { balance: 0, count: 0 };
    rows.set(account, { balance: row.balance + amount, count: row.count + 1 });
  }
  return rows;
}
