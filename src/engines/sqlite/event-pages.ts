import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Place, ReadQuery, StoredEvent, TextQuery } from "../../storage/host.ts";
import { Statements } from "./statements.ts";
import { SeenNames } from "./stream-names.ts";
import { firstEpoch } from "./tables.ts";
import { spelledId, unpackId } from "./uuid.ts";

/** A page ends at whichever comes first, so that a look takes milliseconds whatever is in the log. */
const longestPage = 1_000;
const largestPage = 1_048_576;
/** Rows that are asked for together cost half of what they do one by one, and no more of them are held than these beyond the page. */
const together = 64;

/** In the order of `columns`, and the stream's name. An array costs less than half of what an object with these names does. */
type Row = readonly [
  position: number,
  revision: number,
  append: string,
  ix: number,
  type: number,
  at: number,
  data: string,
  meta: string | null,
  stream: string,
];
const columns = `position, revision, ${spelledId("append")}, ix, type, at, data, meta`;
interface KnownLog {
  readonly id: number;
  readonly epoch: number;
  readonly types: Map<number, { readonly type: string; readonly version: number }>;
  /** A stream's last revision. */
  readonly last: StatementSync;
}

/** Events, as they are read: on any connection that may not write. An iterator never outlives a page, for an open one pins the WAL. */
export class EventPages {
  readonly #statements: Statements;
  readonly #names: SeenNames;
  readonly #logs = new Map<string, KnownLog>();
  constructor(db: DatabaseSync) {
    this.#statements = new Statements(db);
    this.#names = new SeenNames(db);
  }

  read(logName: string, query: ReadQuery): readonly StoredEvent[] {
    const log = this.log(logName);
    if (!log) return [];
    const limit = Math.min(Math.max(0, query.limit), longestPage);
    const until = this.#until(log, query);
    if (until === 0) return [];
    if ("stream" in query) return this.#readStream(log, query, until, limit);
    const types = query.types && JSON.stringify(this.#idsOf(log, query.types));
    const categories = query.categories && JSON.stringify(query.categories);
    const streams = query.streams && JSON.stringify(query.streams.map((name) => this.#streamOf(log, name) ?? -1));
    return this.#page(
      log,
      `select ${columns}, s.name stream from event_${log.id} e cross join stream s on s.id = e.stream
       where position > ? ${until === undefined ? "" : "and position <= ?"}
       ${types ? "and type in (select value from json_each(?))" : ""}
       ${categories ? "and substr(s.name, 1, instr(s.name || '/', '/') - 1) in (select value from json_each(?))" : ""}
       ${streams ? "and +e.stream in (select value from json_each(?))" : ""}
       order by position limit ?`,
      [query.after, ...[until, types, categories, streams].filter((value) => value !== undefined), limit],
    );
  }

  /** Most looks at a stream find nothing, or nothing new. To find that out by two keys costs a fifth of what a page does. */
  #readStream(
    log: KnownLog,
    { stream, from, backwards = false }: Extract<ReadQuery, { readonly stream: string }>,
    until: number | undefined,
    limit: number,
  ): readonly StoredEvent[] {
    const id = this.#streamOf(log, stream);
    if (id === undefined) return [];
    const last = until === undefined ? this.#lastOf(log, id) : this.#revisionAt(log, id, until);
    if (last < 0 || (!backwards && from > last)) return [];
    return this.#page(
      log,
      `select ${columns}, ? stream from event_${log.id}
       where stream = ? and revision between ? and ? order by revision ${backwards ? "desc" : "asc"} limit ?`,
      [stream, id, ...(backwards ? [0, Math.min(from, last)] : [from, last]), limit],
    );
  }

  /** The last position that a walk may come to. */
  lastOf(logName: string, query: ReadQuery): number {
    const log = this.log(logName);
    return log ? (this.#until(log, query) ?? this.#head(log)) : 0;
  }

  /** A page of a stream's data alone. */
  texts(logName: string, { stream, from, limit }: TextQuery): readonly string[] {
    const log = this.log(logName);
    if (!log) return [];
    const id = this.#streamOf(log, stream);
    if (id === undefined) return [];
    const statement = this.#statements.for(
      `select data, revision from event_${log.id} where stream = ? and revision >= ? order by revision limit ?`,
    );
    statement.setReturnArrays(true);
    const texts: string[] = [];
    const most = Math.min(Math.max(0, limit), longestPage);
    for (let size = 0, next = from; texts.length < most && size < largestPage; ) {
      const wanted = Math.min(together, most - texts.length);
      const rows = statement.all(id, next, wanted) as unknown as readonly (readonly [string, number])[]; // the columns are the query's own
      for (const [data] of rows) {
        texts.push(data);
        size += data.length;
      }
      if (rows.length < wanted) break;
      next = (rows.at(-1)?.[1] ?? 0) + 1;
    }
    return texts;
  }

  /** A log's last position, in its epoch. (An epoch begins while the file is closed to everybody else.) */
  place(logName: string): Place {
    const log = this.log(logName);
    return log ? { epoch: log.epoch, position: this.#head(log) } : { epoch: firstEpoch, position: 0 };
  }

  #streamOf(log: KnownLog, name: string): number | undefined {
    return this.#names.find(log.id, name);
  }

  #lastOf(log: KnownLog, stream: number): number {
    const { revision } = log.last.get(stream) as { revision: number | null };
    return revision ?? -1;
  }

  /** A stream's last revision, or -1. */
  revision(logName: string, stream: string): number {
    const log = this.log(logName);
    const id = log && this.#streamOf(log, stream);
    return log && id !== undefined ? this.#lastOf(log, id) : -1;
  }

  #head(log: KnownLog): number {
    const row = this.#statements.for(`select max(position) head from event_${log.id}`).get() as { head: number | null };
    return row.head ?? 0;
  }

  types(logName: string): readonly { readonly type: string; readonly version: number }[] {
    const log = this.log(logName);
    if (!log) return [];
    this.#learnTypes(log);
    return [...log.types.values()];
  }

  /** A log by its name, once something was written to it. */
  log(name: string): KnownLog | undefined {
    const known = this.#logs.get(name);
    if (known) return known;
    const row = this.#statements.for("select id, epoch from log where name = ?").get(name) as
      | { id: number; epoch: number }
      | undefined;
    if (!row) return undefined;
    const last = this.#statements.for(`select max(revision) revision from event_${row.id} where stream = ?`);
    const log = { ...row, types: new Map(), last };
    this.#logs.set(name, log);
    return log;
  }

  #page(log: KnownLog, sql: string, values: readonly (string | number)[]): readonly StoredEvent[] {
    const events: StoredEvent[] = [];
    let size = 0;
    const statement = this.#statements.for(sql);
    statement.setReturnArrays(true);
    for (const row of statement.iterate(...values) as Iterable<unknown> as Iterable<Row>) {
      events.push(this.#toEvent(log, row));
      size += row[6].length;
      if (size >= largestPage) break;
    }
    return events;
  }

  /** The last position that a query may show. An instant is a prefix of the log, for `at` never goes back along it. */
  #until(log: KnownLog, { untilPosition, untilAt }: ReadQuery): number | undefined {
    if (untilAt === undefined) return untilPosition === undefined ? undefined : Math.max(0, untilPosition);
    const at = this.#statements.for(`select at from event_${log.id} where position = ?`);
    const isWithin = (position: number): boolean => ((at.get(position) as { at: number }).at as number) <= untilAt;
    const last = countWhile(this.#head(log), (index) => isWithin(index + 1));
    return Math.max(0, Math.min(last, untilPosition ?? last));
  }

  /** A stream's last revision within a prefix of the log. Looked for by halves: the stream may go on for long after it. */
  #revisionAt(log: KnownLog, stream: number, until: number): number {
    const position = this.#statements.for(
      `select position from event_${log.id} where stream = ? and revision >= ? order by revision limit 1`,
    );
    const isWithin = (revision: number): boolean =>
      (position.get(stream, revision) as { position: number }).position <= until;
    return countWhile(this.#lastOf(log, stream) + 1, isWithin) - 1;
  }

  #toEvent(log: KnownLog, row: Row): StoredEvent {
    const [position, revision, append, ix, type, at, data, meta, stream] = row;
    const named = log.types.get(type) ?? this.#learnTypes(log).get(type);
    if (!named) throw new Error(`The event at position ${position} has a type that the log does not know: ${type}.`);
    const event = { id: `${unpackId(append)}/${ix}`, stream, revision, position, ...named, at, data };
    return meta === null ? event : { ...event, meta };
  }

  #learnTypes(log: KnownLog): KnownLog["types"] {
    const rows = this.#statements.for("select id, name type, version from type where log = ?").all(log.id) as {
      id: number;
      type: string;
      version: number;
    }[];
    for (const { id, type, version } of rows) log.types.set(id, { type, version });
    return log.types;
  }

  #idsOf(log: KnownLog, names: readonly string[]): readonly number[] {
    return [...this.#learnTypes(log)].filter(([, { type }]) => names.includes(type)).map(([id]) => id);
  }
}

/** How many of the first `count` numbers satisfy what is true up to some number and false from there on. */
function countWhile(count: number, isTrue: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isTrue(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
