import type { Client } from "pg";
import type { Clock } from "../../contracts/index.ts";
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
  Write,
} from "../../storage/host.ts";
import { Appender, closed } from "./appender.ts";
import { Calls } from "./calls.ts";
import { check } from "./check.ts";
import { checkCollection, columnOf, type KnownCollection, shapeOf, toDefinition } from "./collections.ts";
import type { Connections, Row } from "./connections.ts";
import { type After, type Sql, toSql } from "./document-query.ts";
import { checkColumns, type DocumentWrite, toDocumentWrites, toWaves } from "./document-writes.ts";
import { Epochs } from "./epochs.ts";
import { EventPages } from "./event-pages.ts";
import { appendStatement } from "./group.ts";
import { Lane } from "./lane.ts";
import { prepare } from "./prepared.ts";
import { type Patience, rideOut, toFault } from "./riding-out.ts";
import { readStatus } from "./status.ts";
import { fromJsonText, fromText, toJsonText, toText } from "./text.ts";
import { Refused, sentenceOf, troubleOf } from "./trouble.ts";
import { Watchers } from "./watchers.ts";

export interface EnginePorts {
  readonly connections: Connections;
  /** Quoted already. */
  readonly schema: string;
  readonly clock: Clock;
  readonly queue: number;
  readonly patienceMs: number;
  readonly report: (sentence: string) => void;
}
interface DocumentRow extends Row {
  readonly key: string;
  readonly revision: number;
  readonly data: string;
}

/** How often a claim looks again for documents that others have in hand at the moment. */
const mostTries = 200;

/**
 * Appends travel in groups on a connection of their own; everything else is one statement each, on whichever connection is
 * free. What is visible is durable: a commit is seen by others only once it is on disk, so nothing has to be held back.
 */
export class PostgresEngine implements Engine {
  readonly #ports: EnginePorts;
  readonly #schema: string;
  readonly #patience: Patience;
  readonly #calls = new Calls();
  readonly #epochs: Epochs;
  readonly #lane: Lane;
  readonly #appender: Appender;
  readonly #pages: EventPages;
  readonly #watchers: Watchers;
  readonly #collections = new Map<string, KnownCollection>();
  readonly #ended = new AbortController();
  #closing: Promise<void> | undefined;
  constructor(ports: EnginePorts) {
    const { connections, schema, clock, queue, patienceMs, report } = ports;
    this.#ports = ports;
    this.#schema = schema;
    this.#patience = { clock, patienceMs, ended: this.#ended.signal };
    this.#epochs = new Epochs(report);
    this.#lane = new Lane(connections, appendStatement(schema), (client) => this.#compare(client));
    this.#pages = new EventPages(schema, (sql, values) => this.#ask(sql, values));
    this.#watchers = new Watchers({
      clock,
      channel: `trilith ${schema.replaceAll('"', "")}`,
      open: () => connections.open({ statement_timeout: 0 }),
      notify: (payload) =>
        connections.ask("select pg_notify($1, $2)", [`trilith ${schema.replaceAll('"', "")}`, payload]),
      head: async (log) => (await this.head(log)).position,
    });
    this.#appender = new Appender({
      lane: this.#lane,
      calls: this.#calls,
      epochs: this.#epochs,
      clock,
      patience: this.#patience,
      capacity: queue,
      receipts: (log, keys) => this.#receipts(log, keys),
      grown: (log, position) => this.#watchers.grown(log, position),
    });
  }

  async define(collection: Collection): Promise<void> {
    this.#checkOpen();
    checkCollection(collection);
    const { name } = collection;
    const known = this.#collections.get(name);
    if (known && JSON.stringify(known.collection) === JSON.stringify(collection)) return;
    const [row] = await this.#ask<{ known: string }>(
      `select ${this.#schema}.define_v1($1, $2, $3, $4, $5, $6) as known`,
      toDefinition(collection),
    );
    const said = row?.known ?? "";
    if (!/^\d+$/.test(said)) {
      throw new TypeError(
        `The collection "${name}" is in the database with the columns ${said} and now declares ${shapeOf(collection)}. Give it a new name (for a read model: raise its version), so that it is built anew.`,
      );
    }
    this.#collections.set(name, { collection, id: Number(said), table: `${this.#schema}.document_${said}` });
  }

  async append(log: string, group: readonly Append[]): Promise<readonly Outcome[]> {
    this.#checkOpen();
    checkLogName(log);
    const prepared = group.map((append) => prepare(log, append, (name) => this.#collections.get(name)));
    return prepared.length > 0 ? this.#appender.append(prepared) : [];
  }

  async read(log: string, query: ReadQuery): Promise<readonly StoredEvent[]> {
    return this.#pages.read(log, query);
  }

  async types(log: string): Promise<readonly { readonly type: string; readonly version: number }[]> {
    return this.#pages.types(log);
  }

  async revision(log: string, stream: string): Promise<number> {
    return this.#pages.revision(log, stream);
  }

  async find(name: string, query: DocumentQuery): Promise<readonly Document[]> {
    this.#checkOpen();
    const known = this.#known(name);
    const after = await this.#after(known, query);
    const found: DocumentRow[] = [];
    for (const { text, values } of toSql(known, query, after)) {
      if (found.length >= query.limit) break;
      found.push(...(await this.#ask<DocumentRow>(text, values)));
    }
    return found.slice(0, Math.max(0, query.limit)).map(toDocument);
  }

  async receipt(log: string, key: string): Promise<Receipt | undefined> {
    return (await this.#receipts(log, [key])).get(key);
  }

  async commit(checkpoint: Checkpoint & { readonly from: number }, writes: readonly Write[]): Promise<boolean> {
    this.#checkOpen();
    const { log, reader, epoch, from, position } = checkpoint;
    checkLogName(log);
    const { rows, refused } = this.#toRows(writes);
    const given =
      rows.length > 0
        ? [
            toWaves(rows),
            rows.map((row) => row.collection),
            rows.map((row) => row.kind),
            rows.map((row) => row.key),
            rows.map((row) => row.times),
            rows.map((row) => row.data),
            rows.map((row) => row.extra),
          ]
        : Array(7).fill(null);
    const [row] = await this.#once<{ moved: string }>((call, again) => ({
      text: `select ${this.#schema}.commit_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) as moved`,
      values: [toText(log), call, again, toText(reader), epoch, from, position, refused !== undefined, ...given],
    }));
    if (row?.moved === "refused") throw new TypeError(refused);
    return row?.moved === "true";
  }

  async checkpoint(log: string, reader: string): Promise<Place> {
    const [row] = await this.#ask<{ epoch: number; position: number }>(
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
    const place = await this.#pages.place(log);
    if (this.#epochs.isBehind(log, place)) return this.#place(log, (sql, values) => this.#ask(sql, values));
    this.#learn(log, place);
    return place;
  }

  async watch(log: string, after: number, aborted: AbortSignal): Promise<void> {
    this.#checkOpen();
    await this.#watchers.wait(log, after, aborted);
  }

  async sweep(log: string, now: number, limit: number): Promise<number> {
    const rows = await this.#ask(
      `with expired as (
         select log, key from ${this.#schema}.receipt
         where log = (select id from ${this.#schema}.log where name = $1) and expires is not null and not voided
           and expires <= $2
         order by expires limit $3 for update skip locked
       )
       delete from ${this.#schema}.receipt r using expired e where r.log = e.log and r.key = e.key returning 1 as gone`,
      [toText(log), Math.floor(now), limit],
    );
    return rows.length;
  }

  async claim(name: string, query: DocumentQuery, set: Columns): Promise<readonly Document[]> {
    this.#checkOpen();
    const known = this.#known(name);
    const { collection, table } = known;
    const unknown = Object.keys(set).find((field) => !collection.columns.some((column) => column.name === field));
    if (unknown !== undefined)
      throw new TypeError(`A claim sets columns, and the collection "${name}" has no column "${unknown}".`);
    orRefuse(() => checkColumns(collection, "(claimed)", set));
    const after = await this.#after(known, query);
    const claimed: DocumentRow[] = [];
    for (let tries = 0; claimed.length < query.limit && tries < mostTries; tries++) {
      const left = { ...query, limit: query.limit - claimed.length };
      const except = claimed.map(({ key }) => key);
      for (const found of toSql(known, left, after, { what: "key", except }))
        claimed.push(...(await this.#claim(table, found, set)));
      if (claimed.length >= query.limit || !(await this.#isLeft(known, query, after, claimed))) break;
      // Somebody has a document in hand that may be left to us. It is not waited for under a lock: an append may wait for ours.
      await new Promise<void>((resolve) => void this.#ports.clock.after(2 + (tries % 8), resolve));
    }
    return claimed.map(toDocument);
  }

  async #claim(table: string, found: Sql, set: Columns): Promise<readonly DocumentRow[]> {
    const values = [...found.values];
    const data = `$${values.push(toJsonText(JSON.stringify(set)))}`;
    return this.#once<DocumentRow>(
      (call) => ({
        text: `with found as materialized (${found.text} for update skip locked),
          placed as (select key, row_number() over () as place from found),
          changed as (
            update ${table} d set revision = d.revision + 1, data = ${this.#schema}.merge_v1(d.data, ${data}::json)
            from placed p where d.key = p.key returning d.key, d.revision, d.data::text as data, p.place
          ),
          noted as (
            insert into ${this.#schema}.call (id, reply)
            select $${values.length + 1}, json_agg(key order by place) from changed having count(*) > 0
          )
          select key, revision, data from changed order by place`,
        values: [...values, call],
      }),
      async (reply) => {
        const keys = JSON.parse(reply) as readonly string[]; // as the statement noted them
        const rows = await this.#ports.connections.ask<DocumentRow>(
          `select key, revision, data::text as data from ${table} where key = any($1)`,
          [keys],
        );
        return rows.toSorted((a, b) => keys.indexOf(a.key) - keys.indexOf(b.key));
      },
    );
  }

  async #isLeft(
    known: KnownCollection,
    query: DocumentQuery,
    after: After | undefined,
    claimed: readonly DocumentRow[],
  ): Promise<boolean> {
    const except = claimed.map(({ key }) => key);
    for (const { text, values } of toSql(known, { ...query, limit: 1 }, after, { what: "1 as one", except }))
      if ((await this.#ask(text, values)).length > 0) return true;
    return false;
  }

  async collections(): Promise<readonly string[]> {
    const rows = await this.#ask<{ name: string }>(`select name from ${this.#schema}.collection order by name`, []);
    return rows.map(({ name }) => fromText(name));
  }

  async drop({ collection, reader }: Parameters<Engine["drop"]>[0]): Promise<void> {
    const texts = [collection, reader?.log, reader?.name].map((text) => (text === undefined ? null : toText(text)));
    await this.#ask(`select ${this.#schema}.drop_v1($1, $2, $3)`, texts);
    if (collection !== undefined) this.#collections.delete(collection);
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

  /** A statement that may be asked twice, because it only looks, or does the same the second time. */
  async #ask<T extends Row>(sql: string, values: readonly unknown[]): Promise<readonly T[]> {
    this.#checkOpen();
    try {
      return await rideOut(this.#patience, () => this.#ports.connections.ask<T>(sql, values));
    } catch (error) {
      throw troubleOf(error) === "refused" ? new TypeError(sentenceOf(error), { cause: error }) : toFault(error);
    }
  }

  /** A statement that must be done once: it notes its call's id in the same commit, and `recall` answers from that note. */
  async #once<T extends Row>(
    toStatement: (call: string, again: boolean) => { readonly text: string; readonly values: readonly unknown[] },
    recall?: (reply: string) => Promise<readonly T[]>,
  ): Promise<readonly T[]> {
    const call = this.#calls.next();
    const { connections } = this.#ports;
    let twice = false;
    try {
      const rows = await rideOut(this.#patience, async (again) => {
        twice ||= again;
        if (again && recall) {
          const [noted] = await connections.ask<{ reply: string }>(
            `select reply from ${this.#schema}.call where id = $1`,
            [call],
          );
          if (noted) return recall(noted.reply);
        }
        const { text, values } = toStatement(call, again);
        return connections.ask<T>(text, values);
      });
      this.#calls.answered(call, twice);
      return rows;
    } catch (error) {
      throw troubleOf(error) === "refused" ? new TypeError(sentenceOf(error), { cause: error }) : toFault(error);
    }
  }

  async #receipts(log: string, keys: readonly string[]): Promise<ReadonlyMap<string, Receipt>> {
    const rows = await this.#ask<{ key: string; digest: string; result: string | null; voided: boolean }>(
      `select key, digest, result, voided from ${this.#schema}.receipt
       where log = (select id from ${this.#schema}.log where name = $1) and key = any($2)`,
      [toText(log), keys.map(toText)],
    );
    return new Map(
      rows.map((row) => {
        const { key, digest, voided } = { ...row, key: fromText(row.key), digest: fromText(row.digest) };
        return [key, { key, digest, voided, ...(row.result !== null && { result: fromText(row.result) }) }];
      }),
    );
  }

  /** On a new connection: whether this is still the log of before. */
  async #compare(client: Client): Promise<void> {
    const ask = async (sql: string, values: readonly unknown[]) => (await client.query(sql, [...values])).rows;
    for (const [log] of this.#epochs.logs) await this.#place(log, ask);
  }

  async #place(log: string, ask: (sql: string, values: readonly unknown[]) => Promise<readonly Row[]>): Promise<Place> {
    const seen = this.#epochs.seen(log);
    const [row] = await ask(`select ${this.#schema}.place_v1($1, $2, $3, $4) as place`, [
      toText(log),
      seen?.epoch ?? 0,
      seen?.position ?? 0,
      seen?.append ?? null,
    ]);
    const [epoch, position] = JSON.parse(row?.place as string) as [number, number]; // as the function composes it
    this.#learn(log, { epoch, position });
    return { epoch, position };
  }

  #learn(log: string, place: Place): void {
    const before = this.#epochs.seen(log);
    this.#epochs.learn(log, place);
    if (before && before.epoch < place.epoch) this.#watchers.upset(log);
  }

  async #after(known: KnownCollection, { after, orderBy }: DocumentQuery): Promise<After | undefined> {
    if (after === undefined) return undefined;
    if (!orderBy) return { key: after, value: null };
    const { sql } = columnOf(known.collection, orderBy.column);
    const [row] = await this.#ask<{ value: string | number | null }>(
      `select ${sql} as value from ${known.table} where key = $1`,
      [toText(after)],
    );
    if (row) return { key: after, value: typeof row.value === "string" ? fromText(row.value) : row.value };
    throw new TypeError(
      `The document "${after}", after which "${known.collection.name}" is to be read on, is not there any more. Begin from the first page.`,
    );
  }

  #toRows(writes: readonly Write[]): { readonly rows: readonly DocumentWrite[]; readonly refused?: string } {
    try {
      return { rows: toDocumentWrites(writes, (name) => this.#collections.get(name)) };
    } catch (error) {
      if (error instanceof Refused) return { rows: [], refused: error.message };
      throw error;
    }
  }

  #known(name: string): KnownCollection {
    const known = this.#collections.get(name);
    if (!known) throw new TypeError(`There is no collection "${name}". Define it before anything is asked of it.`);
    return known;
  }

  #checkOpen(): void {
    if (this.#closing) throw closed();
  }
}

const toDocument = ({ key, revision, data }: DocumentRow): Document => ({
  key: fromText(key),
  revision,
  data: fromJsonText(data),
});

function orRefuse<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof Refused ? new TypeError(error.message) : error;
  }
}

function checkLogName(name: string): void {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name))
    throw new TypeError(`"${name}" is not a name for a log: use lower-case letters, digits and "-".`);
}
