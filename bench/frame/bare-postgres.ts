import pg from "pg";
import type { Notes, Place } from "./subject.ts";

export async function serverVersion({ postgres }: Place): Promise<string> {
  return asked(postgres, async (client) => String((await client.query("show server_version")).rows[0]?.server_version));
}

/**
 * Begins to count what the server is asked in a database; the answer says how much it was, over so many runs. A commit
 * is a transaction that wrote: it was given an id, and waited for a flush. Nothing else may write meanwhile.
 */
export async function countStatements(url: string): Promise<(runs: number) => Promise<Notes>> {
  const before = await asked(url, async (client) => {
    await client.query("select pg_advisory_lock(1)"); // two processes may come at once; it is let go with the connection
    await client.query("create extension if not exists pg_stat_statements");
    await client.query("select pg_stat_statements_reset()");
    return transaction(client);
  });
  return (runs) =>
    asked(url, async (client) => {
      const { rows } = await client.query(
        `select sum(calls)::int as calls from pg_stat_statements s join pg_database d on d.oid = s.dbid
          where d.datname = current_database() and query not like '%pg_stat_statements%'`,
      );
      const commits = (await transaction(client)) - before - 1;
      return { "statements a run": Number(rows[0]?.calls) / runs, "commits a run": commits / runs };
    });
}

const transaction = async (client: pg.Client): Promise<number> =>
  Number((await client.query("select pg_current_xact_id()::text as id")).rows[0]?.id);

async function asked<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** As on a disk over a network: each flush of commits takes 2 ms longer (`commit_delay`), for whoever connects from now on. */
export async function slowFlushes({ postgres }: Place): Promise<void> {
  await asked(postgres, async (client) => {
    const database = client.escapeIdentifier(new URL(postgres).pathname.slice(1));
    await client.query(`alter database ${database} set commit_delay = 2000`);
    await client.query(`alter database ${database} set commit_siblings = 0`);
  });
}
