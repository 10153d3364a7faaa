import type { ReadQuery, StoredEvent, TextQuery } from "../../storage/host.ts";
import type { Row } from "./connections.ts";
import type { Head } from "./epochs.ts";
import { fromText, toText } from "./text.ts";

/** A page ends at whichever comes first, so that a look is short whatever is in the log. */
const longestPage = 1_000;
const largestPage = 1_048_576;
/** How far one statement looks for events of some types or categories: none of them may hold a snapshot for long. */
const window = 20_000;

export type Ask = <T extends Row>(sql: string, values: readonly unknown[]) => Promise<readonly T[]>;
type StreamQuery = Extract<ReadQuery, { readonly stream: string }>;
type WalkQuery = Extract<ReadQuery, { readonly after: number }>;
interface EventRow extends Row {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly at: number;
  readonly append: string;
  readonly ix: number;
  readonly type: string;
  readonly version: number;
  readonly data: string;
  readonly meta: string | null;
}

/** Events, as they are read: pages that are asked for one by one, and of which the server remembers nothing. */
export class EventPages {
  readonly #ask: Ask;
  readonly #schema: string;
  #logs = new Map<string, number>();
  constructor(schema: string, ask: Ask) {
    this.#schema = schema;
    this.#ask = ask;
  }

  /** The numbers of logs may be others now. */
  forget(): void {
    this.#logs = new Map();
  }

  async read(log: string, query: ReadQuery): Promise<readonly StoredEvent[]> {
    const id = await this.#log(log);
    const limit = Math.min(Math.max(0, query.limit), longestPage);
    if (id === undefined || limit === 0) return [];
    const until = await this.#until(id, query);
    if (until === 0) return [];
    return "stream" in query ? this.#stream(id, query, until, limit) : this.#walk(id, query, until, limit);
  }

  /** A page of a stream's data alone. */
  async texts(logName: string, { stream, from, limit }: TextQuery): Promise<readonly string[]> {
    const log = await this.#log(logName);
    if (log === undefined || limit <= 0) return [];
    const rows = await this.#ask<{ readonly data: string }>(
      `select data from (
         select revision, data, sum(octet_length(data)) over (order by revision rows unbounded preceding) - octet_length(data) as before
         from ${this.#schema}.event
         where stream = (select id from ${this.#schema}.stream where log = $1 and name = $2) and revision >= $3
         order by revision limit ${Math.min(limit, longestPage)}
       ) e where before < ${largestPage} order by revision`,
      [log, toText(stream), Math.min(from, Number.MAX_SAFE_INTEGER)],
    );
    return rows.map(({ data }) => data);
  }

  /** A log's head; and whether an append is still where it was. */
  async head(
    log: string,
    named: { readonly position: number; readonly append: string } | undefined,
  ): Promise<Head & { readonly same: boolean }> {
    const [row] = await this.#ask<Head & Row & { readonly same: boolean }>(
      `select l.epoch, coalesce(h.position, 0) as position, h.append, $3::uuid is null or exists (
         select from ${this.#schema}.event e where e.log = l.id and e.position = $2 and e.append = $3
       ) as same
       from ${this.#schema}.log l left join lateral (
         select e.position, e.append from ${this.#schema}.event e where e.log = l.id order by e.position desc limit 1
       ) h on true
       where l.name = $1`,
      [toText(log), named?.position ?? 0, named?.append ?? null],
    );
    return row ?? { epoch: 1, position: 0, append: null, same: named === undefined };
  }

  async types(log: string): Promise<readonly { readonly type: string; readonly version: number }[]> {
    const rows = await this.#ask<{ type: string; version: number }>(
      `select name as type, version from ${this.#schema}.type
       where log = (select id from ${this.#schema}.log where name = $1) order by id`,
      [toText(log)],
    );
    return rows.map(({ type, version }) => ({ type: fromText(type), version }));
  }

  async revision(log: string, stream: string): Promise<number> {
    const [row] = await this.#ask<{ revision: number | null }>(
      `select max(e.revision) as revision from ${this.#schema}.event e where e.stream = (
         select s.id from ${this.#schema}.stream s
         where s.log = (select id from ${this.#schema}.log where name = $1) and s.name = $2)`,
      [toText(log), toText(stream)],
    );
    return row?.revision ?? -1;
  }

  async #stream(
    log: number,
    query: StreamQuery,
    until: number | undefined,
    limit: number,
  ): Promise<readonly StoredEvent[]> {
    const { from, backwards = false } = query;
    const own = `(select id from ${this.#schema}.stream where log = $1 and name = $2)`;
    // Behind the largest revision there is nothing, and a larger number would not be one of PostgreSQL's.
    const values = [
      log,
      toText(query.stream),
      Math.min(from, Number.MAX_SAFE_INTEGER),
      ...(until === undefined ? [] : [until]),
    ];
    return this.#page(
      `stream = ${own} and revision ${backwards ? "<=" : ">="} $3
       ${until === undefined ? "" : `and revision <= ${this.#schema}.revision_at_v2(${own}, $4)`}`,
      `revision ${backwards ? "desc" : "asc"}`,
      values,
      limit,
    );
  }

  async #walk(
    log: number,
    query: WalkQuery,
    until: number | undefined,
    limit: number,
  ): Promise<readonly StoredEvent[]> {
    const { types, categories, streams } = query;
    if (!types && !categories && !streams) {
      const bound = until === undefined ? "" : "and position <= $3";
      const values = [log, query.after, ...(until === undefined ? [] : [until])];
      return this.#page(`log = $1 and position > $2 ${bound}`, "position", values, limit);
    }
    const last = until ?? (await this.#last(log));
    for (let after = query.after; after < last; after += window) {
      const values: unknown[] = [log, after, Math.min(last, after + window)];
      const wanted = types
        ? `and type = any(array(select id from ${this.#schema}.type where log = $1 and name = any($${values.push(types.map(toText))}::text[])))`
        : "";
      const within = categories
        ? `and split_part((select name from ${this.#schema}.stream s where s.id = stream), '/', 1) = any($${values.push(categories.map(toText))}::text[])`
        : "";
      const of = streams
        ? `and stream = any(array(select id from ${this.#schema}.stream where log = $1 and name = any($${values.push(streams.map(toText))}::text[])))`
        : "";
      const events = await this.#page(
        `log = $1 and position > $2 and position <= $3 ${wanted} ${within} ${of}`,
        "position",
        values,
        limit,
      );
      if (events.length > 0) return events;
    }
    return [];
  }

  /** The first always, however large it is; the names are looked up for what is shown only. */
  async #page(
    where: string,
    order: string,
    values: readonly unknown[],
    limit: number,
  ): Promise<readonly StoredEvent[]> {
    const rows = await this.#ask<EventRow>(
      `select e.position, s.name as stream, e.revision, e.at, e.append, e.ix, t.name as type, t.version, e.data, e.meta
       from (
         select *, sum(octet_length(data)) over (order by ${order} rows unbounded preceding) - octet_length(data) as before
         from ${this.#schema}.event where ${where} order by ${order} limit ${limit}
       ) e
       join ${this.#schema}.stream s on s.id = e.stream
       join ${this.#schema}.type t on t.id = e.type
       where e.before < ${largestPage} order by e.${order}`,
      values,
    );
    return rows.map(toEvent);
  }

  /** The last position that a query may show. An instant is a prefix of the log, for `at` never goes back along it. */
  async #until(log: number, { untilPosition, untilAt }: ReadQuery): Promise<number | undefined> {
    if (untilAt === undefined) return untilPosition === undefined ? undefined : Math.max(0, untilPosition);
    const [row] = await this.#ask<{ last: number }>(`select ${this.#schema}.position_at_v1($1, $2) as last`, [
      log,
      Math.floor(untilAt),
    ]);
    const last = row?.last ?? 0;
    return Math.max(0, Math.min(last, untilPosition ?? last));
  }

  async #last(log: number): Promise<number> {
    const [row] = await this.#ask<{ last: number | null }>(
      `select max(position) as last from ${this.#schema}.event where log = $1`,
      [log],
    );
    return row?.last ?? 0;
  }

  /** A log by its name, once something was written to it. */
  async #log(name: string): Promise<number | undefined> {
    const known = this.#logs.get(name);
    if (known !== undefined) return known;
    const [row] = await this.#ask<{ id: number }>(`select id from ${this.#schema}.log where name = $1`, [toText(name)]);
    if (row) this.#logs.set(name, row.id);
    return row?.id;
  }
}

function toEvent({ position, stream, revision, at, append, ix, type, version, data, meta }: EventRow): StoredEvent {
  const event = {
    id: `${append}/${ix}`,
    stream: fromText(stream),
    revision,
    position,
    type: fromText(type),
    version,
    at,
    data,
  };
  return meta === null ? event : { ...event, meta };
}
