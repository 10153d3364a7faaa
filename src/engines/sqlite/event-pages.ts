import type { DatabaseSync } from "node:sqlite";
import type { ReadQuery, StoredEvent } from "../../storage/host.ts";
import { Statements } from "./statements.ts";
import { unpackId } from "./uuid.ts";

/** A page ends at whichever comes first, so that a look takes milliseconds whatever is in the log. */
const longestPage = 1_000;
const largestPage = 1_048_576;

interface Row {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly append: Uint8Array | string;
  readonly ix: number;
  readonly type: number;
  readonly at: number;
  readonly data: string;
  readonly meta: string | null;
}
interface KnownLog {
  readonly id: number;
  readonly types: Map<number, { readonly type: string; readonly version: number }>;
}

/** Events, as they are read: on any connection that may not write. An iterator never outlives a page, for an open one pins the WAL. */
export class EventPages {
  readonly #statements: Statements;
  readonly #logs = new Map<string, KnownLog>();
  constructor(db: DatabaseSync) {
    this.#statements = new Statements(db);
  }

  read(logName: string, query: ReadQuery): readonly StoredEvent[] {
    const log = this.log(logName);
    if (!log) return [];
    const limit = Math.min(Math.max(0, query.limit), longestPage);
    const columns = "position, revision, append, ix, type, at, data, meta";
    if ("stream" in query) {
      const [beyond, direction] = query.backwards ? ["<=", "desc"] : [">=", "asc"];
      return this.#page(
        log,
        `select ${columns}, ? stream from event_${log.id}
         where stream = (select id from stream where log = ? and name = ?) and revision ${beyond} ?
         order by revision ${direction} limit ?`,
        [query.stream, log.id, query.stream, query.from, limit],
      );
    }
    const wanted = query.types && JSON.stringify(this.#idsOf(log, query.types));
    return this.#page(
      log,
      `select ${columns}, (select name from stream where id = e.stream) stream from event_${log.id} e
       where position > ? ${wanted ? "and type in (select value from json_each(?))" : ""} order by position limit ?`,
      [query.after, ...(wanted ? [wanted] : []), limit],
    );
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
    const row = this.#statements.for("select id from log where name = ?").get(name) as { id: number } | undefined;
    if (!row) return undefined;
    const log = { id: row.id, types: new Map() };
    this.#logs.set(name, log);
    return log;
  }

  #page(log: KnownLog, sql: string, values: readonly (string | number)[]): readonly StoredEvent[] {
    const events: StoredEvent[] = [];
    let size = 0;
    for (const row of this.#statements.for(sql).iterate(...values) as Iterable<unknown> as Iterable<Row>) {
      events.push(this.#toEvent(log, row));
      size += row.data.length;
      if (size >= largestPage) break;
    }
    return events;
  }

  #toEvent(log: KnownLog, { append, ix, type, meta, stream, revision, position, at, data }: Row): StoredEvent {
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
