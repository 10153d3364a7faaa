import { createHash } from "node:crypto";
import { Client, type ClientConfig, Pool, type PoolClient, types } from "pg";
import { NotConnected } from "./trouble.ts";

/** How long a connection may take to come about, in ms. */
const connectMs = 5_000;
/** The server ends a statement of ours after so long, and we the connection a little later: nobody hangs for good. */
const statementMs = 15_000;
const answerMs = 20_000;
const rememberedStatements = 500;

export interface Row {
  readonly [column: string]: unknown;
}

/** Every connection to the server, and how they are set up. */
export class Connections {
  readonly #config: ClientConfig;
  readonly #pool: Pool;
  readonly #names = new Map<string, string>();
  constructor(config: ClientConfig, size: number) {
    this.#config = config;
    this.#pool = new Pool({ ...config, query_timeout: answerMs, max: size, idleTimeoutMillis: 30_000 });
    // Unheard, a lost connection would end the process. Whoever is asking on it is told; the next question takes another.
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => client.on("error", () => {}));
  }

  /** One question on any connection, prepared once on each. Throws what the driver throws, or `NotConnected`. */
  async ask<T extends Row>(sql: string, values: readonly unknown[]): Promise<readonly T[]> {
    let client: PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw new NotConnected("No connection was had.", { cause: error });
    }
    try {
      const { rows } = await client.query<T>({ ...this.#named(sql), values: [...values] });
      client.release();
      return rows;
    } catch (error) {
      client.release(true); // it may be broken, or still be at it
      throw error;
    }
  }

  /** A connection of one's own, for as long as one likes. Throws `NotConnected`. */
  async open(more: ClientConfig = {}): Promise<Client> {
    const client = new Client({ ...this.#config, ...more });
    client.on("error", () => {}); // whoever is asking on it is told as well
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => {});
      throw new NotConnected("No connection was had.", { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  // Past the bound, which only somebody who composes queries endlessly meets, statements are not kept.
  #named(sql: string): { readonly text: string; readonly name?: string } {
    const known = this.#names.get(sql);
    if (known !== undefined) return { text: sql, name: known };
    if (this.#names.size >= rememberedStatements) return { text: sql };
    const name = createHash("sha256").update(sql).digest("hex").slice(0, 24);
    this.#names.set(sql, name);
    return { text: sql, name };
  }
}

/** For a connection on which calls travel one behind the other, without waiting for answers. */
export const pipelined: ClientConfig = { pipeline: true, query_timeout: answerMs };

/**
 * The driver's configuration, with what every session of ours needs: commits that wait for the disk, and plans that keep
 * to the indexes. `settings` are what the server has by itself.
 */
export function toConfig(
  asked: string | ClientConfig,
  settings: { readonly synchronousCommit: string; readonly version: number },
): ClientConfig {
  const { options = "", ...base } = split(asked);
  const session: Record<string, string | number> = {
    statement_timeout: statementMs,
    idle_in_transaction_session_timeout: statementMs,
    // A page is the beginning of an index. By figures that are not of today, gathering everything and sorting it looks cheaper.
    enable_seqscan: "off",
    enable_bitmapscan: "off",
    enable_sort: "off",
    enable_hashjoin: "off",
    enable_mergejoin: "off",
    jit: "off",
  };
  // What waits for more than the disk is left as the operator set it.
  if (!["on", "remote_apply"].includes(settings.synchronousCommit)) session.synchronous_commit = "on";
  // A client that stops between two parts of one message would hold what it has locked; newer servers can end that.
  if (settings.version >= 170_000) session.transaction_timeout = 2 * statementMs;
  const flags = Object.entries(session).map(([name, value]) => `-c ${name}=${value}`);
  return { ...base, options: [options, ...flags].filter((part) => part !== "").join(" ") };
}

/** As it was asked for, and nothing of ours but what a question at the start needs. */
export function split(asked: string | ClientConfig): ClientConfig {
  const usual = { application_name: "trilith", keepAlive: true, connectionTimeoutMillis: connectMs, types: numbers };
  if (typeof asked !== "string") return { ...usual, ...asked };
  if (!URL.canParse(asked)) return { ...usual, connectionString: asked };
  // The driver lets a URL win over everything else, so what we add to has to be taken out of it.
  const url = new URL(asked);
  const options = url.searchParams.get("options");
  url.searchParams.delete("options");
  return { ...usual, connectionString: url.href, ...(options !== null && { options }) };
}

const bigint = 20;
/** Positions and times are safe integers; the driver would give them as text. */
const numbers: NonNullable<ClientConfig["types"]> = {
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    oid === bigint ? Number : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
};
