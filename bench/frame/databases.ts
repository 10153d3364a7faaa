import { startPostgres, type TestPostgres } from "../../test/postgres.ts";

/** Empty databases on the one PostgreSQL of a run, which starts when the first is asked for. */
export interface Databases {
  create(): Promise<{ readonly url: string; drop(): Promise<void> }>;
  /** `18.4`, or nothing where no database was asked for. */
  version(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** The same for everybody. Both of the first are the defaults of PostgreSQL, and are said because everything rests on them. */
export const postgresSettings: { readonly [name: string]: string | number } = {
  fsync: "on",
  synchronous_commit: "on",
  wal_sync_method: "fdatasync",
  wal_writer_delay: "200ms",
  shared_buffers: "512MB",
  max_wal_size: "4GB",
  max_connections: 300,
  shared_preload_libraries: "pg_stat_statements", // so that statements can be counted, for everybody alike
};

export function openDatabases(): Databases {
  let server: Promise<TestPostgres> | undefined;
  let made = 0;
  return {
    async create() {
      server ??= startPostgres(18, postgresSettings);
      const { url, query } = await server;
      const name = `bench_${++made}`;
      await query(`create database ${name}`);
      return {
        url: url.replace(/postgres$/, name),
        drop: async () => void (await query(`drop database ${name} with (force)`)),
      };
    },
    version: async () => server && String((await (await server).query("show server_version"))[0]?.server_version),
    close: async () => void (await (await server)?.remove()),
  };
}
