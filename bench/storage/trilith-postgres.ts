import pg from "pg";
import { openPostgres } from "trilith/postgres";
import { toWorks } from "./trilith.ts";

export { version } from "./trilith-sqlite.ts";

let copies = 0;
export const works = toWorks(
  ({ postgres }) => openPostgres({ url: postgres }),
  async (place) => {
    const original = new URL(place.postgres).pathname.slice(1);
    const copy = `${original}_copy_${++copies}`;
    // Nobody may be in a database that is copied, and nobody is in the server's own.
    const ask = async (sql: string): Promise<void> => {
      const client = new pg.Client({ connectionString: toUrl(place.postgres, "postgres") });
      await client.connect();
      try {
        await client.query(sql);
      } finally {
        await client.end();
      }
    };
    await ask(`create database ${copy} template ${original}`);
    return {
      place: { ...place, postgres: toUrl(place.postgres, copy) },
      remove: () => ask(`drop database ${copy} with (force)`),
    };
  },
);

function toUrl(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = database;
  return url.href;
}
