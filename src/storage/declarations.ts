import type { Clock } from "../contracts/index.ts";
import { toColumns } from "./columns.ts";
import type { Collection, Engine, Write } from "./engine.ts";

/** The processes that share a log, and the read models that their code declares. Keyed by node. */
const rows: Collection = {
  name: "read-model-node",
  columns: toColumns({ until: "number" }),
  indexes: [["until"]],
};
interface NodeRow {
  readonly node: string;
  readonly until: number;
  readonly readers: readonly string[];
}

/** For how long a process counts that says nothing any more, and how often it says something, in ms. */
const leaseMs = 30_000;
const renewMs = 10_000;
const mostNodes = 1_000;

export interface DeclarationPorts {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly node: string;
  /** Whether nobody else can share the log: then nothing is kept. */
  readonly alone: boolean;
  readonly write: (documents: readonly Write[]) => Promise<void>;
}

/**
 * Says which read models are declared by code that runs, so that none of them is dropped. It lasts for a lease on the
 * engine's clock: a process that was stopped for longer, and finds a table gone, makes it anew and fills it from the log.
 */
export class Declarations {
  readonly #readers: readonly string[];
  readonly #ports: DeclarationPorts;
  #endWait: (() => void) | undefined;
  #renewing: Promise<void> | undefined;
  #closed = false;
  constructor(readers: readonly string[], ports: DeclarationPorts) {
    this.#readers = readers;
    this.#ports = ports;
  }

  /** Before the tables are made, so that nobody drops them in between. */
  async start(): Promise<void> {
    if (this.#ports.alone) return;
    await this.#ports.engine.define(rows);
    if (this.#readers.length === 0) return;
    await this.#enter();
    this.#wait();
  }

  /** How many processes that run declare a read model. */
  async count(reader: string): Promise<number> {
    if (this.#ports.alone) return 0;
    const { engine } = this.#ports;
    const where = { until: { from: await engine.time() } };
    const found = await engine.find(rows.name, { where, limit: mostNodes });
    return found.filter(({ data }) => (data as NodeRow).readers.includes(reader)).length; // only this file writes it
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#endWait?.();
    await this.#renewing;
    const { alone, node, write } = this.#ports;
    if (alone || this.#readers.length === 0) return;
    await write([{ collection: rows.name, remove: node }]).catch(() => {}); // then it counts until its lease is over
  }

  async #enter(): Promise<void> {
    const { engine, node, write } = this.#ports;
    const now = await engine.time();
    const until = now + leaseMs;
    const renewed = await engine.claim(rows.name, { key: node, limit: 1 }, { until });
    if (renewed.length > 0) return;
    const gone = await engine.find(rows.name, { where: { until: { to: now } }, limit: mostNodes });
    const data: NodeRow = { node, until, readers: this.#readers };
    await write([
      ...gone.map(({ key }) => ({ collection: rows.name, remove: key })),
      { collection: rows.name, put: node, data: { ...data } },
    ]);
  }

  #wait(): void {
    this.#endWait = this.#ports.clock.after(renewMs, () => {
      this.#renewing = this.#enter()
        .catch(() => {}) // the next time, perhaps; others say what is wrong with the engine
        .finally(() => {
          if (!this.#closed) this.#wait();
        });
    });
  }
}
