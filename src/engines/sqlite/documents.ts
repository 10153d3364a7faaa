import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Draft, type Fields, toColumns } from "../../storage/draft.ts";
import { Generations } from "../../storage/generations.ts";
import type { Collection, Column, Columns, DocumentQuery } from "../../storage/host.ts";
import { Refused } from "../../storage/refused.ts";
import { columnOf, createCollection, dropIndex, indexNames, shapeOf, tableOf } from "./collections.ts";
import { foundIn, toSql } from "./document-query.ts";
import type { FoundRow, WriteMessage } from "./messages.ts";
import type { Statements } from "./statements.ts";

/** How many documents are kept in memory, and how long they may be: read models write the same ones again and again. */
const rememberedDocuments = 20_480;
const longestRemembered = 512;

interface Kept {
  readonly collection: Collection;
  /** Before a key, it names one document among all; never given to another collection, or to a later one of this name. */
  readonly id: number;
  readonly get: StatementSync;
  readonly put: StatementSync;
  readonly insert: StatementSync;
  /** Inserts what is not there, and otherwise leaves it. */
  readonly add: StatementSync;
  readonly replace: StatementSync;
  readonly remove: StatementSync;
}
/** A document as it is in its table. */
interface Stored {
  readonly row: number;
  readonly content: Fields | string;
}
interface Drafted {
  readonly kept: Kept;
  readonly draft: Draft;
  /** Where it is; nothing where it is not there, or where nobody has looked. */
  readonly stored: Stored | undefined;
  readonly looked: boolean;
}

/** Documents, as the writer changes them inside its transaction: each once, whatever is done to it one after the other. */
export class Documents {
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  readonly #collections = new Map<string, Kept>();
  /** Defined in the transaction that is open, and gone with it if it is undone. */
  readonly #fresh = new Set<string>();
  /** Dropped in the transaction that is open, and back if it is undone. */
  readonly #dropped = new Map<string, Kept>();
  #stored = new Generations<Stored>(rememberedDocuments);
  #nextId = 1;
  constructor(db: DatabaseSync, statements: Statements) {
    this.#db = db;
    this.#statements = statements;
  }

  /** The transaction has committed. */
  keep(): void {
    this.#fresh.clear();
    this.#dropped.clear();
  }

  /** The transaction was undone: forgets what it taught. */
  reset(): void {
    for (const name of this.#fresh) this.#collections.delete(name);
    for (const [name, kept] of this.#dropped) this.#collections.set(name, kept);
    this.#stored = new Generations(rememberedDocuments);
    this.keep();
  }

  define(collection: Collection): void {
    const { name } = collection;
    const shape = shapeOf(collection);
    const known = this.#statements.for("select columns from collection where name = ?").get(name) as
      | { columns: string }
      | undefined;
    if (known && known.columns !== shape) {
      throw new Refused(
        `The collection "${name}" is on disk with the columns ${known.columns} and now declares ${shape}. Give it a new name (for a read model: raise its version), so that it is built anew.`,
      );
    }
    for (const statement of createCollection(collection)) this.#db.exec(statement);
    this.#dropLeftOver(collection);
    if (!known) this.#statements.for("insert into collection (name, columns) values (?, ?)").run(name, shape);
    if (!this.#collections.has(name)) this.#fresh.add(name);
    this.#collections.set(name, { collection, id: this.#nextId++, ...this.#prepare(collection) });
  }

  empty(name: string): void {
    const { collection } = this.#known(name);
    this.drop(name);
    this.define(collection);
  }

  /** Takes out what has a value in a column. */
  take({ collection: name, column, equals }: { collection: string; column: string; equals: Column }): void {
    const { collection } = this.#known(name);
    if (!collection.columns.some((one) => one.name === column))
      throw new Refused(`The collection "${name}" has no column "${column}".`);
    this.#db.prepare(`delete from ${tableOf(name)} where ${columnOf(column)} is ?`).run(equals);
    this.#stored = new Generations(rememberedDocuments);
  }

  drop(name: string): void {
    const known = this.#collections.get(name);
    this.#db.exec(`drop table if exists ${tableOf(name)}`);
    this.#statements.for("delete from collection where name = ?").run(name);
    this.#collections.delete(name);
    if (known && !this.#fresh.delete(name)) this.#dropped.set(name, known);
  }

  /** All of them or none: what is refused throws `Refused`, before anything is written. */
  write(messages: readonly WriteMessage[]): void {
    const drafted = new Map<string, Drafted>();
    for (const message of messages) {
      const kept = this.#known(message.collection);
      const place = `${kept.id} ${message.key}`;
      const one = drafted.get(place) ?? this.#begin(kept, place, message);
      drafted.set(place, one);
      change(one.draft, message);
    }
    for (const [place, one] of drafted) this.#store(place, one);
  }

  claim(name: string, query: DocumentQuery, set: Columns): readonly FoundRow[] {
    const kept = this.#known(name);
    const { collection } = kept;
    const unknown = Object.keys(set).find((field) => !collection.columns.some((column) => column.name === field));
    if (unknown !== undefined)
      throw new Refused(`A claim sets columns, and the collection "${name}" has no column "${unknown}".`);
    toColumns(collection, "(claimed)", set); // refuses a value of the wrong type before anything is written
    const rows = foundIn(this.#statements, toSql(collection, query), query.limit);
    return rows.map(({ key, revision, data }) => {
      const fields = { ...JSON.parse(data), ...set };
      const after = JSON.stringify(fields);
      kept.put.run(key, 1, after, ...toColumns(collection, key, fields));
      this.#stored.delete(`${kept.id} ${key}`);
      return { key, revision: revision + 1, data: after };
    });
  }

  #dropLeftOver(collection: Collection): void {
    const declared = new Set(indexNames(collection));
    const present = this.#statements
      .for("select name from sqlite_schema where type = 'index' and tbl_name = ? and sql is not null")
      .all(`document ${collection.name}`) as { name: string }[];
    for (const { name } of present) if (!declared.has(name)) this.#db.exec(dropIndex(name));
  }

  /** A put or a removal does not ask what was there before. */
  #begin(kept: Kept, place: string, { kind, key }: WriteMessage): Drafted {
    const known = this.#stored.get(place);
    const looks = known === undefined && (kind === "patch" || kind === "increment");
    const stored = looks ? find(kept, key) : known;
    return {
      kept,
      draft: new Draft(kept.collection, key, stored?.content),
      stored,
      looked: looks || known !== undefined,
    };
  }

  #store(place: string, { kept, draft, stored, looked }: Drafted): void {
    const { key, times, anew } = draft;
    if (anew && (stored || !looked)) {
      kept.remove.run(key);
      this.#stored.delete(place);
    }
    if (!draft.isThere || times === 0) return;
    const { text, content } = draft;
    const columns = kept.collection.columns.length > 0 ? toColumns(kept.collection, key, draft.fields) : noColumns;
    let row = stored?.row;
    if (anew || (looked && !stored)) row = Number(kept.insert.run(key, times, text, ...columns).lastInsertRowid);
    else if (!looked) row = this.#add(kept, [key, times, text, ...columns]);
    // Where somebody has packed the file (`vacuum`) in the meantime, its rows have other numbers.
    else if (row === undefined || kept.replace.run(times, text, ...columns, row, key).changes === 0) {
      row = undefined;
      kept.put.run(key, times, text, ...columns);
    }
    if (row !== undefined && content !== undefined && text.length <= longestRemembered)
      this.#stored.set(place, { row, content });
    else this.#stored.delete(place);
  }

  /** Puts what nobody has looked for, which mostly is not there yet; its row, where it is a new one. */
  #add({ add, put }: Kept, values: readonly Column[]): number | undefined {
    const { changes, lastInsertRowid } = add.run(...values);
    if (changes !== 0) return Number(lastInsertRowid);
    put.run(...values);
    return undefined;
  }

  #prepare({ name, columns }: Collection): Omit<Kept, "collection" | "id"> {
    const table = tableOf(name);
    const names = columns.map((column) => columnOf(column.name));
    const insert = `insert into ${table} (${["key", "revision", "data", ...names].join(", ")})
                    values (?, ?, ?${", ?".repeat(names.length)})`;
    const prepare = (sql: string): StatementSync => this.#db.prepare(sql);
    return {
      get: prepare(`select rowid row, data from ${table} where key = ?`),
      put: prepare(`${insert} on conflict (key) do update set revision = revision + excluded.revision,
                    data = excluded.data${names.map((column) => `, ${column} = excluded.${column}`).join("")}`),
      insert: prepare(insert),
      add: prepare(`${insert} on conflict (key) do nothing`),
      replace: prepare(
        `update ${table} set revision = revision + ?, data = ?${names
          .map((column) => `, ${column} = ?`)
          .join("")} where rowid = ? and key = ?`,
      ),
      remove: prepare(`delete from ${table} where key = ?`),
    };
  }

  #known(name: string): Kept {
    const kept = this.#collections.get(name);
    if (!kept) throw new Refused(`There is no collection "${name}". Define it before anything is written to it.`);
    return kept;
  }
}

const noColumns: readonly Column[] = [];

function find({ get }: Kept, key: string): Stored | undefined {
  const found = get.get(key) as { row: number; data: string } | undefined;
  return found && { row: found.row, content: found.data };
}

function change(draft: Draft, message: WriteMessage): void {
  if (message.kind === "put") draft.put(message.data);
  else if (message.kind === "patch") draft.patch(message.data);
  else if (message.kind === "remove") draft.remove();
  else draft.increment(JSON.parse(message.by) as Fields, () => JSON.parse(message.initial) as Fields | string);
}
