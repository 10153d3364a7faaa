import type { ClientConfig } from "pg";
import { Client } from "pg";
import { type Clock, type Duration, systemClock, toMs } from "../../contracts/index.ts";
import type { Engine } from "../../storage/host.ts";
import { Connections, split, toConfig } from "./connections.ts";
import { PostgresEngine } from "./engine.ts";
import { migrate } from "./migrate.ts";
import { sentenceOf } from "./trouble.ts";

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`. This, or `connection`. */
  readonly url?: string;
  /** As the driver `pg` takes it, for what a URL cannot say. */
  readonly connection?: ClientConfig;
  /** Where everything is kept; made where it is missing and the role may. "trilith" unless told. */
  readonly schema?: string;
  readonly clock?: Clock;
  /** How many appends may wait; past it they are refused as `Unavailable`. 20,000 unless told. */
  readonly queue?: number;
  /** How many characters of JSON they may hold together. 64 Mi (67,108,864) unless told. */
  readonly queueSize?: number;
  /** How many connections may ask at once, beside the one that appends and the one that listens. 8 unless told. */
  readonly connections?: number;
  /** How long appends and questions wait for a server that is away before they fail as `Unavailable`. "30s" unless told. */
  readonly patience?: Duration;
  /** Told what an operator should know: that a log begins a new epoch. */
  readonly report?: (sentence: string) => void;
}

const oldest = 150_000;

/**
 * Opens the storage engine on PostgreSQL 15 or later, and brings its schema up to date. Any number of processes may. The
 * connections must be sessions: a pooler in front has to be one by session. Throws a sentence where the server will not do.
 */
export async function openPostgres(options: PostgresOptions): Promise<Engine> {
  const { url, connection, clock = systemClock, patience = "30s", report = () => {} } = options;
  const queue = { count: options.queue ?? 20_000, size: options.queueSize ?? 67_108_864 };
  const asked = url ?? connection;
  if (asked === undefined) throw new TypeError('openPostgres needs a "url" or a "connection".');
  const name = checkSchema(options.schema ?? "trilith");
  const schema = `"${name}"`;
  const patienceMs = toMs(patience);
  const client = new Client(split(asked));
  client.on("error", () => {}); // whoever is asking on it is told as well
  try {
    await client.connect();
    const settings = await readSettings(client);
    await migrate(client, schema);
    await client.query(`delete from ${schema}.call where at < now() - interval '1 day'`);
    const connections = new Connections(toConfig(asked, settings), options.connections ?? 8);
    return new PostgresEngine({ connections, schema, clock, queue, patienceMs, report });
  } catch (error) {
    throw new Error(`The schema "${name}" in PostgreSQL cannot be opened. ${sentenceAtStart(error)}`, { cause: error });
  } finally {
    await client.end().catch(() => {});
  }
}

async function readSettings(client: Client): Promise<{ readonly synchronousCommit: string; readonly version: number }> {
  const { rows } = await client.query<{ [name: string]: string }>(
    `select current_setting('server_version_num') as version, current_setting('synchronous_commit') as commit,
       current_setting('server_encoding') as encoding, pg_is_in_recovery()::text as replica`,
  );
  const { version = "", commit = "", encoding = "", replica = "" } = rows[0] ?? {};
  if (Number(version) < oldest)
    throw new Unsuitable(`It is version ${version}, and version 15 is the oldest that will do.`);
  if (encoding !== "UTF8") throw new Unsuitable(`Its encoding is ${encoding}; make a database with encoding UTF8.`);
  if (replica === "true") throw new Unsuitable("It is a replica, which cannot be written to. Name the primary.");
  return { synchronousCommit: commit, version: Number(version) };
}

/** Its message is a sentence already. */
class Unsuitable extends Error {}

const sentenceAtStart = (error: unknown): string => {
  const ours = error instanceof Error && (error instanceof Unsuitable || error.message.startsWith("The schema has"));
  return ours ? error.message : sentenceOf(error);
};

/** It stands in statements where no parameter can, so it is a plain name. */
function checkSchema(name: string): string {
  if (/^[a-z_][a-z0-9_]{0,40}$/.test(name) && !name.startsWith("pg_")) return name;
  throw new TypeError(
    `"${name}" is not a name for a schema: use up to 41 lower-case letters, digits and "_", and not "pg_" at the start.`,
  );
}
