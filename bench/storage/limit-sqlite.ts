import { inTransaction, openBareSqlite, sqliteVersion } from "../frame/bare-sqlite.ts";
import { timed } from "../frame/closed-loop.ts";
import { gather } from "../frame/gathered.ts";
import { expectEqual, type Open, type Place, type Subject } from "../frame/subject.ts";
import { type Appender, appends } from "./appends.ts";
import { type Booked, type Deposited, everyAccount, toBalances } from "./events.ts";
import { fill } from "./fill.ts";

/** Inserts into one table without an index, a transaction and a flush for whatever came in meanwhile. No checks, no revisions. */
export const version = sqliteVersion;
export const works: { readonly [work: string]: Open } = {
  "append-1": async (place) => appends(open(place), { bytes: place.size }),
  "append-100": async (place) => appends(open(place), { perAppend: 100 }),
  rebuild,
};

const table = "create table event (position integer primary key, stream text not null, data text not null) strict";

function open({ folder }: Place): Appender {
  const database = openBareSqlite(folder);
  database.exec(table);
  const insert = database.prepare("insert into event (stream, data) values (?, ?)");
  const write = gather<{ readonly stream: string; readonly events: readonly Booked[] }>((appends) =>
    inTransaction(database, () => {
      for (const { stream, events } of appends) for (const event of events) insert.run(stream, JSON.stringify(event));
    }),
  );
  return {
    append: (stream, events) => write({ stream, events }),
    async *all() {
      for (const { data } of database.prepare("select data from event").iterate())
        yield JSON.parse(String(data)) as Booked; // as written
    },
    close: async () => database.close(),
  };
}

const page = 1_000;

/** Reads pages, folds them, and writes a page's rows and the checkpoint in one transaction. */
async function rebuild(place: Place): Promise<Subject> {
  const database = openBareSqlite(place.folder);
  database.exec(`${table}; create table checkpoint (position integer not null) strict;
    create table row (account text primary key, balance real not null, count integer not null) strict`);
  const insert = database.prepare("insert into event (stream, data) values (?, ?)");
  await fill(0, place.size, async (streams) =>
    inTransaction(database, () => {
      for (const { stream, events } of streams) for (const event of events) insert.run(stream, JSON.stringify(event));
    }),
  );
  const read = database.prepare("select position, data from event where position > ? order by position limit ?");
  const write = database.prepare(`insert into row (account, balance, count) values (?, ?, ?)
    on conflict do update set balance = balance + excluded.balance, count = count + excluded.count`);
  const advance = database.prepare("update checkpoint set position = ?");
  return {
    async round() {
      database.exec("delete from row; delete from checkpoint; insert into checkpoint values (0)");
      const measured = await timed(place.size, async () => {
        for (let position = 0; ; ) {
          const events = read.all(position, page);
          if (events.length === 0) return;
          position = Number(events.at(-1)?.position);
          inTransaction(database, () => {
            for (const [account, { balance, count }] of sums(events)) write.run(account, balance, count);
            advance.run(position);
          });
        }
      });
      const expected = toBalances(place.size);
      const select = database.prepare("select balance, count from row where account = ?");
      for (const account of everyAccount)
        expectEqual(select.get(account), expected.get(account), "The row of a rebuild");
      return measured;
    },
    verify: async () => {}, // each round looks at what it has built
    close: async () => database.close(),
  };
}

function sums(events: readonly { readonly [column: string]: unknown }[]) {
  const rows = new Map<string, { balance: number; count: number }>();
  for (const { data } of events) {
    const { account, amount } = JSON.parse(String(data)) as Deposited; // as it was filled
    const row = rows.get(account);
    if (row) {
      row.balance += amount;
      row.count++;
    } else rows.set(account, { balance: amount, count: 1 });
  }
  return rows;
}
