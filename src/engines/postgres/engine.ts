import type { Client } from "pg";
import type { Clock } from "../../contracts/index.ts";
import type { Bounds } from "../../storage/capacity.ts";
import type {
  Append,
  Checkpoint,
  Collection,
  Columns,
  Document,
  DocumentQuery,
  Engine,
  EngineStatus,
  Outcome,
  Place,
  ReadQuery,
  Receipt,
  StoredEvent,
  TextQuery,
  Write,
} from "../../storage/host.ts";
import { Appender, closed } from "./appender.ts";
import { Asker } from "./asker.ts";
import { Calls } from "./calls.ts";
import { check } from "./check.ts";
import type { Connections, Row } from "./connections.ts";
import { DocumentStore } from "./document-store.ts";
import { Epochs } from "./epochs.ts";
import { EventPages } from "./event-pages.ts";
import { appendStatements } from "./group.ts";
import { Indexes } from "./indexes.ts";
import { Lane } from "./lane.ts";
import { prepare } from "./prepared.ts";
import { ReaderSteps } from "./reader-steps.ts";
import { Receipts } from "./receipts.ts";
import { type Patience, rideOut, toFault } from "./riding-out.ts";
import { readStatus } from "./status.ts";
import { toText } from "./text.ts";
import { Watchers } from "./watchers.ts";

export interface EnginePorts {
  readonly connections: Connections;
  /** Quoted already. */
  readonly schema: string;
  readonly clock: Clock;
  readonly queue: Bounds;
  readonly patienceMs: number;
  readonly report: (sentence: string) => void;
}

/**
 * Appends travel in groups on a connection of their own; everything else is one statement each, on whichever connection is
 * free. What is visible is durable: a commit is seen by others only once it is on disk, so nothing has to be held back.
 */
export class PostgresEngine implements Engine {
  readonly #ports: EnginePorts;
  readonly #schema: string;
  readonly #patience: Patience;
  readonly #asker: Asker;
  readonly #epochs: Epochs;
  readonly #lane: Lane;
  readonly #appender: Appender;
  readonly #pages: EventPages;
  readonly #watchers: Watchers;
  readonly #documents: DocumentStore;
  readonly #steps: ReaderSteps;
  readonly #receipts: Receipts;
  readonly #ended = new AbortController();
  #closing: Promise<void> | undefined;
  constructor(ports: EnginePorts) {
    const { connections, schema, clock, queue, patienceMs, report } = ports;
    this.#ports = ports;
    this.#schema = schema;
    this.#patience = { clock, patienceMs, ended: this.#ended.signal };
    const calls = new Calls();
    this.#asker = new Asker(connections, schema, calls, this.#patience);
    this.#documents = new DocumentStore(
      this.#asker,
      schema,
      clock,
      new Indexes({ connections, schema, patience: this.#patience, report }),
    );
    this.#steps = new ReaderSteps(this.#asker, schema, this.#documents);
    this.#receipts = new Receipts(this.#asker, schema);
    this.#epochs = new Epochs(report, (log) => this.#begun(log));
    this.#lane = new Lane(connections, appendStatements(schema), (client) => this.#compare(client));
    this.#pages = new EventPages(schema, (sql, values) => this.#asker.ask(sql, values));
    this.#watchers = new Watchers({
      clock,
      channel: `trilith ${schema.replaceAll('"', "")}`,
      open: () => connections.open({ statement_timeout: 0 }),
      // A hint, which nobody needs on a disk: it waits for no flush, and no append waits for its flush.
      notify: (payload) =>
        connections.ask("select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)", [
          `trilith ${schema.replaceAll('"', "")}`,
          payload,
        ]),
      head: async (log) => (await this.head(log)).position,
    });
    this.#appender = new Appender({
      lane: this.#lane,
      calls,
      epochs: this.#epochs,
      clock,
      patience: this.#patience,
      renew: async (appends) => {
        const numbers = appends.flatMap(({ writes }) => writes.map(({ collection }) => collection));
        const present = await this.#documents.renewNumbers(numbers);
        return appends.map((append) => ({
          ...append,
          writes: append.writes.map((write) => ({ ...write, collection: present(write.collection) })),
        }));
      },
      bounds: queue,
      receipts: (log, keys) => this.#receipts.find(log, keys),
      grown: (log, position) => this.#watchers.grown(log, position),
    });
  }

  async define(collection: Collection): Promise<void> {
    this.#checkOpen();
    await this.#documents.define(collection);
  }

  async append(log: string, group: readonly Append[]): Promise<readonly Outcome[]> {
    this.#checkOpen();
    checkLogName(log);
    const prepared = group.map((append) => prepare(log, append, (name) => this.#documents.lookUp(name)));
    return prepared.length > 0 ? this.#appender.append(prepared) : [];
  }

  async read(log: string, query: ReadQuery): Promise<readonly StoredEvent[]> {
    this.#checkOpen();
    return this.#pages.read(log, query);
  }

  async texts(log: string, query: TextQuery): Promise<readonly string[]> {
    this.#checkOpen();
    return this.#pages.texts(log, query);
  }

  async types(log: string): Promise<readonly { readonly type: string; readonly version: number }[]> {
    this.#checkOpen();
    return this.#pages.types(log);
  }

  async revision(log: string, stream: string): Promise<number> {
    this.#checkOpen();
    return this.#pages.revision(log, stream);
  }

  async find(collection: string, query: DocumentQuery): Promise<readonly Document[]> {
    this.#checkOpen();
    return this.#documents.find(collection, query);
  }

  async count(collection: string, query: Pick<DocumentQuery, "where" | "limit">): Promise<number> {
    this.#checkOpen();
    return this.#documents.count(collection, query);
  }

  async receipt(log: string, key: string): Promise<Receipt | undefined> {
    this.#checkOpen();
    return (await this.#receipts.find(log, [key])).get(key);
  }

  async commit(checkpoint: Checkpoint & { readonly from: number }, writes: readonly Write[]): Promise<boolean> {
    this.#checkOpen();
    checkLogName(checkpoint.log);
    return this.#steps.commit(checkpoint, writes);
  }

  async checkpoint(log: string, reader: string): Promise<Place> {
    this.#checkOpen();
    const [row] = await this.#asker.ask<{ epoch: number; position: number }>(
      `select coalesce(r.epoch, l.epoch) as epoch, coalesce(r.position, 0) as position
       from ${this.#schema}.log l left join lateral (
         select epoch, position from ${this.#schema}.reader where log = l.id and name = $2
         order by epoch desc, position desc limit 1
       ) r on true where l.name = $1`,
      [toText(log), toText(reader)],
    );
    return row ?? { epoch: 1, position: 0 };
  }

  async head(log: string): Promise<Place> {
    this.#checkOpen();
    const seen = this.#epochs.seen(log);
    const { same, ...head } = await this.#pages.head(log, seen?.named);
    const { epoch, position } = head;
    const isLost = !same && epoch === seen?.epoch;
    if (isLost || this.#epochs.isBehind(log, head))
      return this.#place(log, (sql, values) => this.#asker.ask(sql, values));
    this.#epochs.learn(log, head);
    return { epoch, position };
  }

  async watch(log: string, after: number, aborted: AbortSignal): Promise<void> {
    this.#checkOpen();
    await this.#watchers.wait(log, after, aborted);
  }

  async time(): Promise<number> {
    this.#checkOpen();
    const [row] = await this.#asker.ask<{ now: number }>(
      "select floor(extract(epoch from clock_timestamp()) * 1000)::double precision as now",
      [],
    );
    return (row as { now: number }).now; // a select without a from gives one row
  }

  async sweep(log: string, now: number, limit: number): Promise<number> {
    this.#checkOpen();
    return this.#receipts.sweep(log, now, limit);
  }

  async claim(collection: string, query: DocumentQuery, set: Columns): Promise<readonly Document[]> {
    this.#checkOpen();
    return this.#documents.claim(collection, query, set);
  }

  async collections(): Promise<readonly string[]> {
    this.#checkOpen();
    return this.#documents.collections();
  }

  async empty(what: Parameters<Engine["empty"]>[0]): Promise<void> {
    this.#checkOpen();
    checkLogName(what.reader.log);
    await this.#documents.empty(what);
  }

  async drop(what: Parameters<Engine["drop"]>[0]): Promise<void> {
    this.#checkOpen();
    await this.#documents.drop(what);
  }

  async status(): Promise<EngineStatus> {
    this.#checkOpen();
    // Asked once: whoever looks after the backend wants to know at once that the server is away.
    const server = await readStatus(this.#schema, (sql, values) => this.#ports.connections.ask(sql, values)).catch(
      (error: unknown) => {
        throw toFault(error);
      },
    );
    return { ...server, exclusive: false, queued: this.#appender.queued, appendMs: this.#appender.appendMs };
  }

  async check(): Promise<readonly string[]> {
    this.#checkOpen();
    const client = await rideOut(this.#patience, () => this.#ports.connections.open());
    const end = (): void => void client.end().catch(() => {});
    this.#ended.signal.addEventListener("abort", end, { once: true });
    try {
      return await check(client, this.#schema);
    } catch (error) {
      throw toFault(error);
    } finally {
      this.#ended.signal.removeEventListener("abort", end);
      end();
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#watchers.end(closed());
    await this.#appender.close();
    this.#ended.abort(closed());
    await this.#lane.close();
    await this.#ports.connections.close();
  }

  /** On a new connection: whether this is still the log of before. */
  async #compare(client: Client): Promise<void> {
    const ask = async (sql: string, values: readonly unknown[]) => (await client.query(sql, [...values])).rows;
    for (const log of this.#epochs.logs) await this.#place(log, ask);
  }

  async #place(log: string, ask: (sql: string, values: readonly unknown[]) => Promise<readonly Row[]>): Promise<Place> {
    const seen = this.#epochs.seen(log);
    const [row] = await ask(`select ${this.#schema}.place_v2($1, $2, $3, $4, $5) as place`, [
      toText(log),
      seen?.epoch ?? 0,
      seen?.position ?? 0,
      seen?.named?.position ?? 0,
      seen?.named?.append ?? null,
    ]);
    const [epoch, position, append] = JSON.parse(row?.place as string) as [number, number, string | null]; // as the function composes it
    this.#epochs.learn(log, { epoch, position, append });
    return { epoch, position };
  }

  /** What was seen of the database may not be what is there. */
  #begun(log: string): void {
    this.#pages.forget();
    this.#steps.forget();
    this.#watchers.upset(log);
  }

  #checkOpen(): void {
    if (this.#closing) throw closed();
  }
}

function checkLogName(name: string): void {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name))
    throw new TypeError(`"${name}" is not a name for a log: use lower-case letters, digits and "-".`);
}
