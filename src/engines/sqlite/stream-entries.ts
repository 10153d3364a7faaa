import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { countWhile } from "./count-while.ts";
import { Gathering, stretch } from "./gathering.ts";
import type { Statements } from "./statements.ts";

/**
 * How the events of a stream are found. The index over stream and revision grows near its end for streams that are new; an
 * event of an old stream would change a page of it for itself (gathering.ts). So the event says that its entry is gathered, and
 * the index leaves it out: its entry goes to the end of the table `event_N_recent`, many in a row, and from there, in the order
 * of stream and revision, into the table `event_N_entry`. Every event is in the index, or in one of the two tables, or on its
 * way in both. Once an event of a stream is gathered all that follow are, and those of a stream move in their order: so a stream
 * begins in the index, goes on in `event_N_entry` and ends in `event_N_recent`.
 */
const together = 8_192;
/** A stream is old when so many newer ones are there. It stays old: what is undone undoes the newer ones and its events alike. */
const newer = 256;
/** So many entries share a row of recent ones. */
const longestRow = 1_024;
/** So many entries more than there were does a reader keep before it begins again with those that are there then. */
const mostSeen = 4 * together;

/** Whether a stream is old where the newest is another. */
export const isOld = (stream: number, newest: number): boolean => stream <= newest - newer;

interface Entry {
  readonly stream: number;
  readonly revision: number;
  readonly position: number;
}
/** As the table has them: an array of JSON costs a third of what objects do. */
type Written = readonly (readonly [stream: number, revision: number, position: number])[];

/** A stream's last revision, where its entry is not among the recent ones. Takes the stream twice: Node 22 knows no `?1`. */
const lastOf = (log: number): string =>
  `select coalesce(
     (select max(revision) from event_${log}_entry where stream = ?),
     (select max(revision) from event_${log} where stream = ? and gathered is null), -1) revision`;

const readRecent = (log: number): string =>
  `select position, entries from event_${log}_recent where position >= ? order by position`;

/** As the writer knows those of a log, inside its transaction. */
export class StreamEntries {
  readonly #statements: Statements;
  readonly #log: number;
  readonly #lastOf: StatementSync;
  /** The last revisions of streams that have recent ones. */
  readonly #lasts = new Map<number, number>();
  readonly #gathering: Gathering<Entry>;
  /** Those of this transaction. */
  #added: Entry[] = [];
  constructor(statements: Statements, log: number) {
    this.#statements = statements;
    this.#log = log;
    this.#lastOf = statements.for(lastOf(log));
    const rows = statements.for(readRecent(log)).all(0) as unknown as readonly Recent[]; // the columns are the query's own
    const waiting = rows.flatMap(({ entries }) => (JSON.parse(entries) as Written).map(toEntry));
    for (const { stream, revision } of waiting) this.#lasts.set(stream, revision);
    this.#gathering = new Gathering<Entry>(
      {
        together,
        compare: (one, other) => one.stream - other.stream || one.revision - other.revision,
        move: (entries) => this.#move(entries),
        end: (entries) => this.#end(entries),
      },
      waiting,
    );
  }

  /** A stream's last revision, or -1. */
  last(stream: number): number {
    const recent = this.#lasts.get(stream);
    return recent ?? (this.#lastOf.get(stream, stream) as { revision: number }).revision;
  }

  add(stream: number, revision: number, position: number): void {
    this.#lasts.set(stream, revision);
    this.#added.push({ stream, revision, position });
  }

  /** Once a transaction. */
  settle(): void {
    const added = this.#added;
    if (added.length === 0) return;
    this.#added = [];
    const insert = this.#statements.for(`insert into event_${this.#log}_recent (position, entries) values (?, ?)`);
    for (let from = 0; from < added.length; from += longestRow) {
      const row = added.slice(from, from + longestRow);
      const entries: Written = row.map(({ stream, revision, position }) => [stream, revision, position]);
      insert.run(row.at(-1)?.position ?? 0, JSON.stringify(entries));
    }
    for (const entry of added) this.#gathering.add(entry);
    this.#gathering.settle();
  }

  /** Some may be there already, from before a restart; one that leads elsewhere is damage, and fails. */
  #move(entries: readonly Entry[]): void {
    const insert = `insert into event_${this.#log}_entry (stream, revision, position) values (?, ?, ?)`;
    const again = "on conflict do update set position = iif(position = excluded.position, position, null)";
    const values = ({ stream, revision, position }: Entry): number[] => [stream, revision, position];
    if (entries.length === stretch)
      this.#statements.for(`${insert}${", (?, ?, ?)".repeat(stretch - 1)} ${again}`).run(...entries.flatMap(values));
    else for (const entry of entries) this.#statements.for(`${insert} ${again}`).run(...values(entry));
  }

  /** The transaction in which a generation ends has entries of the next as well. */
  #end(entries: readonly Entry[]): void {
    const last = entries.at(-1)?.position ?? 0;
    this.#statements.for(`delete from event_${this.#log}_recent where position <= ?`).run(last);
    for (const { stream, revision } of entries) if (this.#lasts.get(stream) === revision) this.#lasts.delete(stream);
  }
}

/** Events of a stream that lie together: what stands after `select …`, for those from one revision to another and so many at most. */
export interface Part {
  readonly sql: string;
  readonly values: (low: number, high: number, limit: number) => readonly SQLInputValue[];
}

/** As they are seen on a connection that may only read, which asks for the newest of them as it needs them. */
export class SeenEntries {
  readonly #log: number;
  readonly #newer: StatementSync;
  readonly #last: StatementSync;
  readonly #position: StatementSync;
  #recent = new Map<number, Entry[]>();
  #readUpTo = 0;
  /** How many entries are kept. */
  count = 0;
  #atBegin = 0;
  constructor(db: DatabaseSync, log: number) {
    this.#log = log;
    this.#newer = db.prepare(readRecent(log));
    this.#last = db.prepare(lastOf(log));
    this.#position = db.prepare(
      `select coalesce(
         (select position from event_${log} where stream = ? and revision >= ? and gathered is null order by revision limit 1),
         (select position from event_${log}_entry where stream = ? and revision >= ? order by revision limit 1)) position`,
    );
  }

  /**
   * A stream as it is now. The recent entries are looked at first: what is not among them then is found in the index or
   * beside it, also where it goes there right after this look.
   */
  of(stream: number): SeenStream {
    if (this.count - this.#atBegin >= mostSeen || !this.#goOn()) this.#begin();
    return new SeenStream(this.#log, stream, this.#recent.get(stream) ?? [], this.#last, this.#position);
  }

  /** False where the row that was read last is gone: those after it may have come and gone as well. */
  #goOn(): boolean {
    let isKnown = this.#readUpTo === 0;
    for (const { position, entries } of this.#newer.iterate(this.#readUpTo) as Iterable<unknown> as Iterable<Recent>) {
      if (isKnown) this.#keep(position, entries);
      else if (position === this.#readUpTo) isKnown = true;
      else return false;
    }
    return isKnown;
  }

  #begin(): void {
    this.#recent = new Map();
    this.count = this.#readUpTo = 0;
    this.#goOn();
    this.#atBegin = this.count;
  }

  #keep(position: number, entries: string): void {
    for (const entry of (JSON.parse(entries) as Written).map(toEntry)) {
      const known = this.#recent.get(entry.stream);
      if (known) known.push(entry);
      else this.#recent.set(entry.stream, [entry]);
      this.count++;
    }
    this.#readUpTo = position;
  }
}

export class SeenStream {
  readonly #log: number;
  readonly #stream: number;
  readonly #recent: readonly Entry[];
  readonly #last: StatementSync;
  readonly #position: StatementSync;
  constructor(log: number, stream: number, recent: readonly Entry[], last: StatementSync, position: StatementSync) {
    this.#log = log;
    this.#stream = stream;
    this.#recent = recent;
    this.#last = last;
    this.#position = position;
  }

  /** The last revision, or -1. */
  last(): number {
    return (
      this.#recent.at(-1)?.revision ?? (this.#last.get(this.#stream, this.#stream) as { revision: number }).revision
    );
  }

  /** Of the first event that ends at a revision or after it. */
  positionOf(revision: number): number {
    const { position } = this.#position.get(this.#stream, revision, this.#stream, revision) as {
      position: number | null;
    };
    const known = position ?? this.#recent[this.#placeOf(revision)]?.position;
    if (known === undefined) throw new Error(`The stream ${this.#stream} has no event at revision ${revision}.`);
    return known;
  }

  /** Where its events are, in their order; `columns` of `event_N e`. */
  parts(columns: string, backwards = false): readonly Part[] {
    const select = `select ${columns} from`;
    const [event, entry] = [`event_${this.#log} e`, `event_${this.#log}_entry x`];
    const inOrderOf = (column: string): string => `order by ${column} ${backwards ? "desc" : "asc"} limit ?`;
    const first = this.#recent[0]?.revision ?? Number.MAX_SAFE_INTEGER;
    const parts: Part[] = [
      {
        sql: `${select} ${event} where e.stream = ? and e.revision between ? and ? and e.gathered is null ${inOrderOf("e.revision")}`,
        values: (low, high, limit) => [this.#stream, low, high, limit],
      },
      {
        sql: `${select} ${entry} cross join ${event} on e.position = x.position
              where x.stream = ? and x.revision between ? and ? ${inOrderOf("x.revision")}`,
        values: (low, high, limit) => [this.#stream, low, Math.min(high, first - 1), limit],
      },
    ];
    if (this.#recent.length > 0)
      parts.push({
        sql: `${select} ${event} where e.position in (select value from json_each(?)) ${inOrderOf("e.position")}`,
        values: (low, high, limit) => [JSON.stringify(this.#positions(low, high, limit, backwards)), limit],
      });
    return backwards ? parts.reverse() : parts;
  }

  #positions(low: number, high: number, limit: number, backwards: boolean): readonly number[] {
    const [from, to] = [this.#placeOf(low), this.#placeOf(high + 1)];
    const within = this.#recent.slice(
      backwards ? Math.max(from, to - limit) : from,
      backwards ? to : Math.min(to, from + limit),
    );
    return within.map(({ position }) => position);
  }

  /** How many of the recent entries are before a revision. */
  #placeOf(revision: number): number {
    return countWhile(this.#recent.length, (index) => (this.#recent[index]?.revision ?? revision) < revision);
  }
}

interface Recent {
  readonly position: number;
  readonly entries: string;
}
const toEntry = ([stream, revision, position]: Written[number]): Entry => ({ stream, revision, position });
