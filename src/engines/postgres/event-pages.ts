import type { ReadQuery, StoredEvent, TextQuery } from "../../storage/host.ts";
import type { Row } from "./connections.ts";
import type { Head } from "./epochs.ts";
import { type EventRow, type Kind, toEvent, toEvents } from "./event-rows.ts";
import { between, mostHeld } from "./sql/event-rows.ts";
import { fromText, toText } from "./text.ts";

/** A page ends at whichever comes first, so that a look is short whatever is in the log. */
const longestPage = 1_000;
const largestPage = 1_048_576;
/** How far one statement looks for events of some types or categories: none of them may hold a snapshot for long. */
const window = 20_000;

export type Ask = <T extends Row>(sql: string, values: readonly unknown[]) => Promise<readonly T[]>;
type StreamQuery = Extract<ReadQuery, { readonly stream: string }>;
type WalkQuery = Extract<ReadQuery, { readonly after: number }>;

/** Events, as they are read: pages that are asked for one by one, and of which the server remembers nothing. */
export class EventPages {
  readonly #ask: Ask;
  readonly #schema: string;
  #logs = new Map<string, number>();
  #kinds = new Map<number, Kind>();
  constructor(schema: string, ask: Ask) {
    this.#schema = schema;
    this.#ask = ask;
  }

  /** The numbers of logs and types may be others now. */
  forget(): void {
    this.#logs = new Map();
    this.#kinds = new Map();
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
    // Of a row that holds several, `first` is the first one's revision.
    const rows = await this.#ask<{ readonly data: string; readonly first: number | null }>(
      `select data, first from (
         select revision, data, revision - holds + 1 as first, ${before("revision", limit)}
         from ${this.#schema}.event_row
         where stream = (select id from ${this.#schema}.stream where log = $1 and name = $2) and revision >= $3
         order by revision limit ${Math.min(limit, longestPage)}
       ) e where ${isWanted} order by revision`,
      [log, toText(stream), Math.min(from, Number.MAX_SAFE_INTEGER)],
    );
    if (rows.every(({ first }) => first === null)) return rows.map(({ data }) => data);
    const texts = rows.flatMap(({ data, first }) => (first === null ? [data] : data.split(between)));
    const early = Math.max(0, from - (rows[0]?.first ?? from));
    return texts.slice(early, early + limit);
  }

  /** A log's head; and whether an append is still where it was. */
  async head(
    log: string,
    named: { readonly position: number; readonly append: string } | undefined,
  ): Promise<Head & { readonly same: boolean }> {
    const [row] = await this.#ask<Head & Row & { readonly same: boolean }>(
      `select l.epoch, coalesce(h.position, 0) as position, h.append, $3::uuid is null or exists (
         select from ${this.#schema}.event_row e where e.log = l.id and e.position = $2 and e.append = $3
       ) as same
       from ${this.#schema}.log l left join lateral (
         select e.position, e.append from ${this.#schema}.event_row e where e.log = l.id order by e.position desc limit 1
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
      `select max(e.revision) as revision from ${this.#schema}.event_row e where e.stream = (
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
    // A row is called after its last event, and the events that it holds may begin before a bound that it is behind.
    const begins = backwards
      ? `revision <= $3::bigint + ${mostHeld - 1} and revision - coalesce(holds, 1) < $3`
      : "revision >= $3";
    const ends =
      until === undefined
        ? ""
        : `and revision <= ${this.#schema}.revision_at_v2(${own}, $4) + ${mostHeld - 1} and position - coalesce(holds, 1) < $4`;
    const rows = await this.#rows(
      `stream = ${own} and ${begins} ${ends}`,
      `revision ${backwards ? "desc" : "asc"}`,
      values,
      limit,
    );
    const isWithin = ({ revision, position }: StoredEvent): boolean =>
      (backwards ? revision <= from : revision >= from) && position <= (until ?? position);
    return this.#page(rows, isWithin, limit, backwards);
  }

  async #walk(
    log: number,
    query: WalkQuery,
    until: number | undefined,
    limit: number,
  ): Promise<readonly StoredEvent[]> {
    const { after, types, categories, streams } = query;
    const isWithin = ({ position, type }: StoredEvent): boolean =>
      position > after && position <= (until ?? position) && (types?.includes(type) ?? true);
    if (!types && !categories && !streams) {
      // There is an event at every position, so it is known where the page ends.
      const last = Math.min(after + limit, until ?? Number.MAX_SAFE_INTEGER);
      const where = `log = $1 and position > $2 and position <= $3::bigint + ${mostHeld - 1} and position - coalesce(holds, 1) < $3`;
      const rows = await this.#rows(where, "position", [log, after, last], limit, none);
      return this.#page(rows, isWithin, limit);
    }
    const last = until === undefined ? await this.#last(log) : until + mostHeld - 1;
    for (let from = after; from < last; ) {
      const to = Math.min(last, from + window);
      const values: unknown[] = [log, from, to];
      const upTo = until === undefined ? "" : `and position - coalesce(holds, 1) < $${values.push(until)}`;
      const ids = `array(select id from ${this.#schema}.type where log = $1 and name = any($${types && values.push(types.map(toText))}::text[]))`;
      const typed = types ? `and (type = any(${ids}) or types && ${ids})` : "";
      const within = categories
        ? `and split_part((select name from ${this.#schema}.stream s where s.id = stream), '/', 1) = any($${values.push(categories.map(toText))}::text[])`
        : "";
      const of = streams
        ? `and stream = any(array(select id from ${this.#schema}.stream where log = $1 and name = any($${values.push(streams.map(toText))}::text[])))`
        : "";
      const rows = await this.#rows(
        `log = $1 and position > $2 and position <= $3 ${upTo} ${typed} ${within} ${of}`,
        "position",
        values,
        limit,
        types
          ? `case when types is null then holds else (select count(*) from unnest(types) n where n = any(${ids})) end`
          : "holds",
      );
      const page = await this.#page(rows, isWithin, limit);
      if (page.length > 0) return page;
      from = rows.at(-1)?.position ?? to; // a row may hold what is wanted where nobody asks
    }
    return [];
  }

  /** The first always, however large it is; the names are looked up for what is shown only. */
  #rows(
    where: string,
    order: string,
    values: readonly unknown[],
    limit: number,
    counted = "holds",
  ): Promise<readonly EventRow[]> {
    return this.#ask<EventRow>(
      `select e.position, s.name as stream, e.revision, e.at, e.append, e.ix, t.name as type, t.version, e.data, e.meta,
         case when e.holds is not null then coalesce(e.types, '{}') end as held
       from (
         select *, ${before(order, limit, counted)} from ${this.#schema}.event_row where ${where} order by ${order} limit ${limit}
       ) e
       join ${this.#schema}.stream s on s.id = e.stream
       join ${this.#schema}.type t on t.id = e.type
       where ${isWanted} order by e.${order}`,
      values,
    );
  }

  /** Of rows that hold several events, those that were asked for. */
  async #page(
    rows: readonly EventRow[],
    isWithin: (event: StoredEvent) => boolean,
    limit: number,
    backwards = false,
  ): Promise<readonly StoredEvent[]> {
    if (rows.every(({ held }) => held === null)) return rows.map((row) => toEvent(row));
    const kinds = await this.#known(rows);
    const events: StoredEvent[] = [];
    for (const row of rows) {
      const held = toEvents(row, kinds);
      for (const event of backwards ? held.toReversed() : held) if (isWithin(event)) events.push(event);
    }
    return events.slice(0, limit);
  }

  /** The types of events that share a row, by their numbers. */
  async #known(rows: readonly EventRow[]): Promise<ReadonlyMap<number, Kind>> {
    const kinds = this.#kinds;
    const unknown = new Set(rows.flatMap(({ held }) => held?.filter((id) => !kinds.has(id)) ?? []));
    if (unknown.size === 0) return kinds;
    const found = await this.#ask<{ readonly id: number } & Kind & Row>(
      `select id, name as type, version from ${this.#schema}.type where id = any($1)`,
      [[...unknown]],
    );
    for (const { id, type, version } of found) kinds.set(id, { type: fromText(type), version });
    return kinds;
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
      `select max(position) as last from ${this.#schema}.event_row where log = $1`,
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

/**
 * How much is in the rows before one, in bytes. The events of a row that holds several weigh as much as brings a page to its
 * end with the last that fits: of the first row all but one may be out of bounds. `counted` is how many of a row's events
 * are asked for, in SQL.
 */
const before = (order: string, limit: number, counted = "holds"): string => {
  const weight = Math.floor(largestPage / (limit + mostHeld));
  const size = `greatest(octet_length(data), ${weight} * case when holds is not null then ${counted} end)`;
  return `sum(${size}) over (order by ${order} rows unbounded preceding) - ${size} as before`;
};
/** Where positions say how far a page goes. */
const none = "null::integer";
const isWanted = `e.before < ${largestPage}`;
