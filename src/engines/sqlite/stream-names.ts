import type { DatabaseSync, StatementSync } from "node:sqlite";

/**
 * How streams are found by their names. Names come in no order, so each new one changes another page of their index, and
 * written at once it cost more than its event. A new stream is therefore written to the end of the table of streams alone
 * and its name kept in memory; so many together go into the index, in the order of the index, where a page takes several.
 * How far the index has come is written with them: what it lacks is read again from the end of the table. With more of
 * them those who wait for the transaction would feel it.
 */
const together = 1_024;
/** How many a reader keeps before it begins again. Those that the index lacks are always fewer than `together`. */
const mostSeen = 4 * together;

interface Row {
  readonly id: number;
  readonly log: number;
  readonly name: string;
}
type Ids = Map<number, Map<string, number>>;

const idOf = "select stream from stream_name where log = ? and name = ?";

/** Up to which stream the names are in the index. */
const settled = "select stream from named";

/** As the writer knows them, inside its transaction. */
export class StreamNames {
  readonly #db: DatabaseSync;
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  #recent: Ids = new Map();
  #count = 0;
  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#find = db.prepare(idOf);
    this.#insert = db.prepare("insert into stream (log, name) values (?, ?)");
    this.reset();
  }

  /** Forgets what an undone transaction may have taught. */
  reset(): void {
    this.#recent = new Map();
    this.#count = 0;
    const rows = this.#db.prepare(`select id, log, name from stream where id > (${settled}) order by id`).iterate();
    for (const { id, log, name } of rows as Iterable<unknown> as Iterable<Row>) this.#remember(log, name, id);
  }

  find(log: number, name: string): number | undefined {
    return this.#recent.get(log)?.get(name) ?? (this.#find.get(log, name)?.stream as number | undefined); // the column is the query's own
  }

  /** A stream that was not found. */
  add(log: number, name: string): number {
    const id = Number(this.#insert.run(log, name).lastInsertRowid);
    this.#remember(log, name, id);
    return id;
  }

  /** Once a transaction: takes the newest names into the index, where they are enough. */
  settle(): void {
    if (this.#count < together) return;
    this.#db.exec(`
      insert into stream_name (log, name, stream)
        select log, name, id from stream where id > (select stream from named) order by log, name;
      update named set stream = (select max(id) from stream);
    `);
    this.#recent = new Map();
    this.#count = 0;
  }

  #remember(log: number, name: string, id: number): void {
    keep(this.#recent, log, name, id);
    this.#count++;
  }
}

/** As they are seen on a connection that may only read, which asks for the newest of them as it needs them. */
export class SeenNames {
  readonly #find: StatementSync;
  readonly #newer: StatementSync;
  readonly #settled: StatementSync;
  #recent: Ids = new Map();
  #count = 0;
  #last: number | undefined;
  constructor(db: DatabaseSync) {
    this.#find = db.prepare(idOf);
    this.#newer = db.prepare("select id, log, name from stream where id > ? order by id limit ?");
    this.#settled = db.prepare(settled);
  }

  find(log: number, name: string): number | undefined {
    this.#last ??= this.#indexed(); // before the first look into the index, which may grow right after it
    for (;;) {
      const known = this.#recent.get(log)?.get(name) ?? (this.#find.get(log, name)?.stream as number | undefined); // as above
      if (known !== undefined) return known;
      if (this.#catchUp(this.#last)) return this.#recent.get(log)?.get(name);
    }
  }

  /** False where it begins again from what the index has by now, in which nobody has looked yet. */
  #catchUp(last: number): boolean {
    const rows = this.#newer.all(last, mostSeen) as unknown as readonly Row[]; // the columns are the query's own
    if (this.#count + rows.length >= mostSeen) {
      this.#recent = new Map();
      this.#count = 0;
      this.#last = this.#indexed();
      return false;
    }
    for (const { id, log, name } of rows) {
      keep(this.#recent, log, name, id);
      this.#last = id;
    }
    this.#count += rows.length;
    return true;
  }

  #indexed(): number {
    return (this.#settled.get() as { stream: number }).stream; // the table has one row
  }
}

function keep(ids: Ids, log: number, name: string, id: number): void {
  const known = ids.get(log);
  if (known) known.set(name, id);
  else ids.set(log, new Map([[name, id]]));
}
