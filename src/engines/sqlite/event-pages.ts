import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Place, ReadQuery, StoredEvent, TextQuery } from "../../storage/host.ts";
import { countWhile } from "./count-while.ts";
import { Statements } from "./statements.ts";
import { SeenEntries, type SeenStream } from "./stream-entries.ts";
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
const columns = `e.position, e.revision, ${spelledId("e.append")}, e.ix, e.type, e.at, e.data, e.meta`;
type TextRows = readonly (readonly [data: string, revision: number])[];
interface Page {
  readonly events: StoredEvent[];
  /** In characters of data. */
  size: number;
}
interface KnownLog {
  readonly id: number;
  readonly epoch: number;
  readonly types: Map<number, { readonly type: string; readonly version: number }>;
  readonly entries: SeenEntries;
}

/** Events, as they are read: on any connection that may not write. An iterator never outlives a page, for an open one pins the WAL. */
export class EventPages {
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  readonly #names: SeenNames;
  readonly #logs = new Map<string, KnownLog>();
  constructor(db: DatabaseSync) {
    this.#db = db;
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
    const page: Page = { events: [], size: 0 };
    this.#fill(
      page,
      log,
      `select ${columns}, s.name stream from event_${log.id} e cross join stream s on s.id = e.stream
       where position > ? ${until === undefined ? "" : "and position <= ?"}
       ${types ? "and type in (select value from json_each(?))" : ""}
       ${categories ? "and substr(s.name, 1, instr(s.name || '/', '/') - 1) in (select value from json_each(?))" : ""}
       ${streams ? "and +e.stream in (select value from json_each(?))" : ""}
       order by position limit ?`,
      [query.after, ...[until, types, categories, streams].filter((value) => value !== undefined), limit],
    );
    return page.events;
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
    const seen = log.entries.of(id);
    const last = until === undefined ? seen.last() : this.#revisionAt(seen, until);
    if (last < 0 || (!backwards && from > last)) return [];
    const [low, high] = backwards ? [0, Math.min(from, last)] : [from, last];
    const page: Page = { events: [], size: 0 };
    for (const { sql, values } of seen.parts(`${columns}, ? stream`, backwards)) {
      this.#fill(page, log, sql, [stream, ...values(low, high, limit - page.events.length)]);
      if (isFull(page, limit) || page.events.at(-1)?.revision === (backwards ? low : high)) break;
    }
    return page.events;
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
    const most = Math.min(Math.max(0, limit), longestPage);
    const texts: string[] = [];
    let [size, next] = [0, from];
    const seen = log.entries.of(id);
    const last = seen.last();
    for (const { sql, values } of seen.parts("e.data, e.revision")) {
      const statement = this.#statements.for(sql);
      statement.setReturnArrays(true);
      for (let isMore = true; isMore; ) {
        const wanted = Math.min(together, most - texts.length);
        if (wanted === 0 || size >= largestPage || next > last) return texts;
        const rows = statement.all(...values(next, last, wanted)) as unknown as TextRows; // the columns are the query's own
        for (const [data, revision] of rows) {
          texts.push(data);
          size += data.length;
          next = revision + 1;
        }
        isMore = rows.length === wanted;
      }
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

  /** A stream's last revision, or -1. */
  revision(logName: string, stream: string): number {
    const log = this.log(logName);
    const id = log && this.#streamOf(log, stream);
    return log && id !== undefined ? log.entries.of(id).last() : -1;
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
    const log = { ...row, types: new Map(), entries: new SeenEntries(this.#db, row.id) };
    this.#logs.set(name, log);
    return log;
  }

  /** Adds rows to a page until it is full. */
  #fill(page: Page, log: KnownLog, sql: string, values: readonly SQLInputValue[]): void {
    const statement = this.#statements.for(sql);
    statement.setReturnArrays(true);
    for (const row of statement.iterate(...values) as Iterable<unknown> as Iterable<Row>) {
      page.events.push(this.#toEvent(log, row));
      page.size += row[6].length;
      if (page.size >= largestPage) break;
    }
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
  #revisionAt(seen: SeenStream, until: number): number {
    return countWhile(seen.last() + 1, (revision) => seen.positionOf(revision) <= until) - 1;
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

const isFull = ({ events, size }: Page, limit: number): boolean => events.length >= limit || size >= largestPage;
