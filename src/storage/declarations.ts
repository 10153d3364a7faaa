import type { Clock } from "../contracts/index.ts";
import { toColumns } from "./columns.ts";
import type { Collection, Engine, Write } from "./engine.ts";

/**
 * The processes that share a log, and what their code declares. A process has one row at a time, under a key of its own each
 * time that it enters: so a row that was dead stays dead, and whoever saw it dead can remove it at any time.
 */
const rows: Collection = {
  name: "log-process",
  columns: toColumns({ until: "number" }),
  indexes: [["until"]],
};
/** What the code of a process reads of a log. */
export interface Declared {
  /** Its read models. */
  readonly readers: readonly string[];
  /** The newest version of each type of event that it reads. */
  readonly events: { readonly [type: string]: number };
  /** The contracts of which it has to read every event. */
  readonly contracts: readonly string[];
}
/** Another process, as those see it who wait for it. */
export interface LiveProcess extends Declared {
  readonly node: string;
  /** What it calls itself. */
  readonly process: string;
  /** Since when it is there, in ms since 1970. */
  readonly since: number;
}
interface NodeRow extends LiveProcess {
  readonly log: string;
  readonly until: number;
}

const mostNodes = 1_000;

export interface DeclarationPorts {
  readonly engine: Engine;
  readonly log: string;
  readonly clock: Clock;
  readonly node: string;
  /** What this process is called for those who wait for it. */
  readonly process: string;
  /** For how long a process counts that says nothing any more. It says something three times as often. */
  readonly leaseMs: number;
  /** Whether nobody else can share the log: then nothing is kept. */
  readonly alone: boolean;
  readonly write: (documents: readonly Write[]) => Promise<void>;
}

/**
 * Says what is declared by code that runs: so that no read model of it is dropped, and no event is written that it cannot
 * read. It lasts for a lease on the engine's clock: a process that was stopped for longer, and finds a table gone, makes it
 * anew and fills it from the log.
 */
export class Declarations {
  readonly #declared: () => Declared;
  readonly #ports: DeclarationPorts;
  #lapsed: () => Promise<void> = async () => {};
  #since: number | undefined;
  /** How often it has entered, or has tried to: the last time under this number. */
  #entries = 0;
  /** The rows of its own that may be there: more than one only after a write of which nobody knows whether it was done. */
  #own: readonly string[] = [];
  /** Until when the row of the last entry counts; missing where it is not known to be there. */
  #until: number | undefined;
  /** Whether others may have gone on without this process, and `lapsed` was not told yet. */
  #hasLapsed = false;
  /** Whether the code declares more than it has said. */
  #hasMore = false;
  #endWait: (() => void) | undefined;
  #renewing: Promise<void> | undefined;
  #closed = false;
  constructor(declared: () => Declared, ports: DeclarationPorts) {
    this.#declared = declared;
    this.#ports = ports;
  }

  /**
   * Before the tables are made, and before this process believes that it can read the log: so that nobody drops them, or
   * writes something else, in between. `lapsed` is told when others may have, for they took this process for dead; where
   * it throws it is told again.
   */
  async start(lapsed: () => Promise<void>): Promise<void> {
    if (this.#ports.alone) return;
    this.#lapsed = lapsed;
    await this.#ports.engine.define(rows);
    const { readers, events, contracts } = this.#declared();
    if (readers.length + contracts.length + Object.keys(events).length === 0) return;
    await this.#enter();
    this.#wait();
  }

  /** Once the code declares more than at the start. From soon on, others reckon with that as well. */
  again(): void {
    if (this.#ports.alone || this.#closed) return;
    if (this.#renewing) {
      this.#renewing.then(() => this.again());
      return;
    }
    this.#hasMore = true;
    this.#endWait?.();
    this.#renew();
  }

  /** How many processes that run declare a read model. */
  async count(reader: string): Promise<number> {
    return (await this.#live()).filter(({ readers }) => readers.includes(reader)).length;
  }

  /** The other processes that run and share the log. */
  async others(): Promise<readonly LiveProcess[]> {
    const { log, node } = this.#ports;
    return (await this.#live()).filter((row) => row.log === log && row.node !== node);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#endWait?.();
    await this.#renewing;
    if (this.#entries === 0) return;
    await this.#ports.write(removing(this.#own)).catch(() => {}); // then it counts until its lease is over
  }

  async #live(): Promise<readonly NodeRow[]> {
    if (this.#ports.alone) return [];
    const { engine } = this.#ports;
    const where = { until: { from: await engine.time() } };
    const found = await engine.find(rows.name, { where, limit: mostNodes });
    return found.map(({ data }) => data as NodeRow); // only this file writes it
  }

  get #key(): string {
    return `${this.#ports.node}/${this.#entries}`;
  }

  async #enter(): Promise<void> {
    const { engine, log, node, process, leaseMs, write } = this.#ports;
    const isThere = await this.#extend();
    if (isThere && !this.#hasMore) return;
    const now = await engine.time();
    const until = now + leaseMs;
    if (this.#since !== undefined && !isThere) this.#hasLapsed = true;
    this.#since ??= now;
    const gone = await engine.find(rows.name, { where: { until: { to: now - 1 } }, limit: mostNodes });
    const left = new Set([...gone.map(({ key }) => key), ...this.#own]);
    this.#until = undefined;
    this.#entries++;
    this.#own = [...this.#own, this.#key];
    this.#hasMore = false;
    const data: NodeRow = { node, process, log, since: this.#since, until, ...this.#declared() };
    await write([...removing(left), { collection: rows.name, put: this.#key, data: { ...data } }]);
    this.#own = [this.#key];
    this.#until = until;
  }

  /** Whether the row still counted when its time was extended: nobody can have seen it dead, and be about to remove it. */
  async #extend(): Promise<boolean> {
    const { engine, leaseMs } = this.#ports;
    const before = this.#until;
    if (before === undefined) return false;
    const now = await engine.time();
    const until = now + leaseMs;
    const present = { key: this.#key, where: { until: { from: now } }, limit: 1 };
    if ((await engine.claim(rows.name, present, { until })).length === 0) return false;
    if ((await engine.time()) > before) return false;
    this.#until = until;
    return true;
  }

  #wait(): void {
    this.#endWait = this.#ports.clock.after(this.#ports.leaseMs / 3, () => this.#renew());
  }

  #renew(): void {
    this.#renewing = this.#enter()
      .then(async () => {
        if (this.#hasLapsed) await this.#lapsed();
        this.#hasLapsed = false;
      })
      .catch(() => {}) // the next time, perhaps; others say what is wrong with the engine
      .finally(() => {
        this.#renewing = undefined;
        if (!this.#closed) this.#wait();
      });
  }
}

const removing = (keys: Iterable<string>): readonly Write[] =>
  Array.from(keys, (key) => ({ collection: rows.name, remove: key }));
