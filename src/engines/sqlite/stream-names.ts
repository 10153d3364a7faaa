import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Gathering, stretch } from "./gathering.ts";
import { Rows } from "./rows.ts";
import type { Statements } from "./statements.ts";

/**
 * How streams are found by their names. Names come in no order (gathering.ts). A new stream is written to the end of the
 * table of streams alone and its name kept in memory; when so many have come together they move into the index. Up to which
 * stream all names are in the index is written there; what it lacks is read again from the end of the table.
 */
const together = 8_192;
/** How many names a reader keeps before it begins again, where the index has them by now. */
const mostSeen = 4 * together;

interface Row {
  readonly id: number;
  readonly log: number;
  readonly name: string;
}
type Ids = Map<number, Map<string, number>>;

const idOf = "select stream from stream_name where log = ? and name = ?";

/** Up to which stream the names are in the index. Some of those after it may be there as well. */
const settled = "select stream from named";

/** As the writer knows them, inside its transaction. */
export class StreamNames {
  readonly #db: DatabaseSync;
  readonly #find: StatementSync;
  readonly #statements: Statements;
  /** What the writer adds to the table of streams. */
  #rows: Rows;
  readonly #move: StatementSync;
  /** A whole stretch: half of what one statement each costs. */
  readonly #moveAll: StatementSync;
  readonly #settle: StatementSync;
  /** All that are not settled. */
  #recent = new Gathered();
  #gathering: Gathering<Row>;
  #last = 0;
  constructor(db: DatabaseSync, statements: Statements) {
    this.#db = db;
    this.#find = db.prepare(idOf);
    this.#statements = statements;
    this.#rows = this.#toRows();
    // Some of a generation may be there already, from before a restart.
    const move = "insert or ignore into stream_name (log, name, stream) values (?, ?, ?)";
    this.#move = db.prepare(move);
    this.#moveAll = db.prepare(move + ", (?, ?, ?)".repeat(stretch - 1));
    this.#settle = db.prepare("update named set stream = ?");
    this.#gathering = this.#gather();
  }

  /** Forgets what an undone transaction may have taught. */
  reset(): void {
    this.#rows = this.#toRows();
    this.#gathering = this.#gather();
  }

  find(log: number, name: string): number | undefined {
    return this.#recent.find(log, name) ?? findIn(this.#find, log, name);
  }

  /** A stream that was not found. */
  add(log: number, name: string): number {
    const id = ++this.#last;
    this.#rows.add(id, log, name);
    const row = { id, log, name };
    this.#recent.add(row);
    this.#gathering.add(row);
    return id;
  }

  /** The newest stream. */
  get last(): number {
    return this.#last;
  }

  /** Once a transaction. */
  settle(): void {
    this.#rows.flush();
    this.#gathering.settle();
  }

  #toRows(): Rows {
    return new Rows(this.#statements, "stream", ["id", "log", "name"]);
  }

  #gather(): Gathering<Row> {
    const rows = this.#db.prepare(`select id, log, name from stream where id > (${settled}) order by id`).all();
    const waiting = rows as unknown as Row[]; // the columns are the query's own
    this.#last = Number(this.#db.prepare("select max(id) last from stream").get()?.last);
    this.#recent = new Gathered();
    for (const row of waiting) this.#recent.add(row);
    return new Gathering<Row>(
      {
        together,
        compare: (one, other) => one.log - other.log || (one.name < other.name ? -1 : 1),
        move: (rows) => {
          if (rows.length === stretch) this.#moveAll.run(...rows.flatMap(({ log, name, id }) => [log, name, id]));
          else for (const { log, name, id } of rows) this.#move.run(log, name, id);
        },
        end: (rows) => {
          this.#settle.run(rows.at(-1)?.id ?? 0);
          for (const row of rows) this.#recent.remove(row);
        },
      },
      waiting,
    );
  }
}

/** As they are seen on a connection that may only read, which asks for the newest of them as it needs them. */
export class SeenNames {
  readonly #find: StatementSync;
  readonly #newer: StatementSync;
  readonly #settled: StatementSync;
  #recent = new Gathered();
  /** After which stream the names are kept here, and up to which. */
  #from = 0;
  #last: number | undefined;
  constructor(db: DatabaseSync) {
    this.#find = db.prepare(idOf);
    this.#newer = db.prepare("select id, log, name from stream where id > ? order by id limit ?");
    this.#settled = db.prepare(settled);
  }

  /** How many names are kept. */
  get count(): number {
    return this.#recent.count;
  }

  find(log: number, name: string): number | undefined {
    this.#last ??= this.#begin(); // before the first look into the index, which may grow right after it
    for (;;) {
      const known = this.#recent.find(log, name) ?? findIn(this.#find, log, name);
      if (known !== undefined) return known;
      if (this.#catchUp(this.#last)) return this.#recent.find(log, name);
    }
  }

  /** False where there may be more, or where it begins again from what the index has by now, in which nobody has looked yet. */
  #catchUp(last: number): boolean {
    const rows = this.#newer.all(last, mostSeen) as unknown as readonly Row[]; // the columns are the query's own
    if (this.#recent.count + rows.length >= mostSeen && this.#indexed() > this.#from) {
      this.#last = this.#begin();
      return false;
    }
    for (const row of rows) this.#recent.add(row);
    this.#last = rows.at(-1)?.id ?? last;
    return rows.length < mostSeen;
  }

  #begin(): number {
    this.#recent = new Gathered();
    this.#from = this.#indexed();
    return this.#from;
  }

  #indexed(): number {
    return (this.#settled.get() as { stream: number }).stream; // the table has one row
  }
}

const findIn = (find: StatementSync, log: number, name: string): number | undefined =>
  find.get(log, name)?.stream as number | undefined; // the column is the query's own

/** Streams by their names, log by log. */
class Gathered {
  readonly #ids: Ids = new Map();
  count = 0;

  find(log: number, name: string): number | undefined {
    return this.#ids.get(log)?.get(name);
  }

  add({ id, log, name }: Row): void {
    const known = this.#ids.get(log);
    if (known) known.set(name, id);
    else this.#ids.set(log, new Map([[name, id]]));
    this.count++;
  }

  remove({ log, name }: Row): void {
    if (this.#ids.get(log)?.delete(name)) this.count--;
  }
}
