import type { Client } from "pg";
import type { Connections } from "./connections.ts";
import { type Patience, rideOut } from "./riding-out.ts";

export interface IndexPorts {
  readonly connections: Connections;
  /** Quoted already. */
  readonly schema: string;
  readonly patience: Patience;
  readonly report: (sentence: string) => void;
}
/** What a table has to do with the indexes that its collection declares; each index by its name, and what it is on. */
export interface Wanted {
  readonly id: number;
  readonly missing: readonly (readonly [name: string, on: string])[];
  /** Indexes that nobody declares any more, or whose making was broken off. */
  readonly leftOver: readonly string[];
}

/** How often a process that waits for another's indexes looks whether they are there. */
const lookMs = 100;

/**
 * Makes and drops indexes of tables that are in use. That takes as long as the table is large, so it is done beside those
 * who read and write it, outside of any transaction, on a connection that no timeout ends. Only one process is at a table;
 * the others wait without a transaction of their own, for the one that builds waits for every transaction to end.
 */
export class Indexes {
  readonly #ports: IndexPorts;
  constructor(ports: IndexPorts) {
    this.#ports = ports;
  }

  /** `look` says what is wanted, on the connection that it is given. */
  async settle(name: string, id: number, look: (client: Client) => Promise<Wanted>): Promise<void> {
    await rideOut(this.#ports.patience, async () => {
      const client = await this.#ports.connections.open();
      const { ended } = this.#ports.patience;
      const end = (): void => void client.end().catch(() => {});
      ended.addEventListener("abort", end, { once: true });
      try {
        await client.query(`select set_config(name, '0', false) from pg_settings where name in
          ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`);
        await this.#lock(client, id);
        await this.#build(client, name, await look(client));
      } finally {
        ended.removeEventListener("abort", end);
        await client.end().catch(() => {}); // and the lock with it
      }
    });
  }

  async #build(client: Client, name: string, { id, missing, leftOver }: Wanted): Promise<void> {
    const { schema, report } = this.#ports;
    const drop = (index: string) => client.query(`drop index concurrently if exists ${schema}.${index}`);
    if (missing.length > 0) {
      const what = missing.length === 1 ? "an index" : `${missing.length} indexes`;
      report(`The collection "${name}" gets ${what} that it does not have yet, which takes a while on a large table.`);
    }
    for (const [index, on] of missing) {
      if (leftOver.includes(index)) await drop(index); // its making was broken off
      await client.query(`create index concurrently ${index} on ${schema}.document_${id} ${on}`);
    }
    for (const index of leftOver) if (missing.every(([name]) => name !== index)) await drop(index);
  }

  async #lock(client: Client, id: number): Promise<void> {
    const { schema, patience } = this.#ports;
    for (;;) {
      const { rows } = await client.query<{ had: boolean }>(
        "select pg_try_advisory_lock(hashtextextended('indexes ' || $1::text, $2::regclass::oid::bigint)) as had",
        [id, `${schema}.log`],
      );
      if (rows[0]?.had) return;
      await new Promise<void>((resolve) => void patience.clock.after(lookMs, resolve));
    }
  }
}
