import pg from "pg";
import { serverVersion } from "../frame/bare-postgres.ts";
import type { Open, Place } from "../frame/subject.ts";
import { type Appender, appends } from "./appends.ts";
import { readAll, table } from "./limit-postgres.ts";

/** One table, eight connections, and one prepared insert an event: what a program writes that does nothing about it. */
export const version = serverVersion;
export const works: { readonly [work: string]: Open } = {
  "append-1": async (place) => appends(await open(place), { bytes: place.size }),
};

const text = "insert into event (stream, data) values ($1, $2)";

async function open({ postgres }: Place): Promise<Appender> {
  const pool = new pg.Pool({ connectionString: postgres, max: 8 });
  await pool.query(table);
  return {
    async append(stream, events) {
      for (const event of events) await pool.query({ name: "insert", text, values: [stream, JSON.stringify(event)] });
    },
    all: () => readAll(pool),
    close: () => pool.end(),
  };
}
