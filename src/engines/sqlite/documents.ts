import type { DatabaseSync } from "node:sqlite";
import type { Collection, Column, Columns, DocumentQuery } from "../../storage/host.ts";
import { columnOf, createCollection, dropIndex, indexNames, shapeOf, tableOf } from "./collections.ts";
import { toSql } from "./document-query.ts";
import type { FoundRow, WriteMessage } from "./messages.ts";
import { Refused } from "./refused.ts";
import type { Statements } from "./statements.ts";

type Fields = { readonly [name: string]: unknown };
interface Kept {
  readonly collection: Collection;
  /** Spelled once: it takes as long as the statement does. */
  readonly sql: { readonly get: string; readonly put: string; readonly replace: string; readonly remove: string };
}

/** Documents, as the writer changes them: inside its transaction, one write after the other. */
export class Documents {
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  readonly #collections = new Map<string, Kept>();
  /** Defined in the transaction that is open, and gone with it if it is undone. */
  readonly #fresh = new Set<string>();
  /** Dropped in the transaction that is open, and back if it is undone. */
  readonly #dropped = new Map<string, Kept>();
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
    this.#collections.set(name, { collection, sql: toSqlTexts(collection) });
  }

  drop(name: string): void {
    const known = this.#collections.get(name);
    this.#db.exec(`drop table if exists ${tableOf(name)}`);
    this.#statements.for("delete from collection where name = ?").run(name);
    this.#collections.delete(name);
    if (known && !this.#fresh.delete(name)) this.#dropped.set(name, known);
  }

  write(message: WriteMessage): void {
    const kept = this.#known(message.collection);
    const { key } = message;
    switch (message.kind) {
      case "put":
        this.#put(kept, key, message.data, kept.collection.columns.length > 0 ? JSON.parse(message.data) : {});
        break;
      case "patch": {
        const before = this.#get(kept, key);
        if (before) this.#replace(kept, key, { ...before, ...JSON.parse(message.data) });
        break;
      }
      case "increment": {
        const before = this.#get(kept, key);
        const { name } = kept.collection;
        const start: Fields | string = before ?? JSON.parse(message.initial);
        if (typeof start === "string") throw new Refused(start);
        const after = increment(name, key, start, JSON.parse(message.by));
        if (before) this.#replace(kept, key, after);
        else this.#put(kept, key, JSON.stringify(after), after);
        break;
      }
      case "remove":
        this.#statements.for(kept.sql.remove).run(key);
    }
  }

  claim(name: string, query: DocumentQuery, set: Columns): readonly FoundRow[] {
    const kept = this.#known(name);
    const { collection } = kept;
    const unknown = Object.keys(set).find((field) => !collection.columns.some((column) => column.name === field));
    if (unknown !== undefined)
      throw new Refused(`A claim sets columns, and the collection "${name}" has no column "${unknown}".`);
    columnsOf(collection, "(claimed)", set); // refuses a value of the wrong type before anything is written
    const { text, values } = toSql(collection, query);
    const rows = this.#statements.for(text).all(...values) as unknown as readonly FoundRow[]; // the columns are the query's own
    return rows.map(({ key, revision, data }) => {
      const after = { ...JSON.parse(data), ...set };
      return { key, revision: revision + 1, data: this.#replace(kept, key, after) };
    });
  }

  #dropLeftOver(collection: Collection): void {
    const declared = new Set(indexNames(collection));
    const present = this.#statements
      .for("select name from sqlite_schema where type = 'index' and tbl_name = ? and sql is not null")
      .all(`document ${collection.name}`) as { name: string }[];
    for (const { name } of present) if (!declared.has(name)) this.#db.exec(dropIndex(name));
  }

  #get({ sql }: Kept, key: string): Fields | undefined {
    const row = this.#statements.for(sql.get).get(key) as { data: string } | undefined;
    return row && JSON.parse(row.data);
  }

  #put({ collection, sql }: Kept, key: string, data: string, fields: Fields): void {
    this.#statements.for(sql.put).run(key, data, ...columnsOf(collection, key, fields));
  }

  #replace({ collection, sql }: Kept, key: string, fields: Fields): string {
    const data = JSON.stringify(fields);
    this.#statements.for(sql.replace).run(data, ...columnsOf(collection, key, fields), key);
    return data;
  }

  #known(name: string): Kept {
    const kept = this.#collections.get(name);
    if (!kept) throw new Refused(`There is no collection "${name}". Define it before anything is written to it.`);
    return kept;
  }
}

function toSqlTexts({ name, columns }: Collection): Kept["sql"] {
  const table = tableOf(name);
  const names = columns.map((column) => columnOf(column.name));
  return {
    get: `select data from ${table} where key = ?`,
    put: `insert into ${table} (${["key", "revision", "data", ...names].join(", ")})
          values (?, 1, ?${", ?".repeat(names.length)})
          on conflict (key) do update set revision = revision + 1, data = excluded.data${names
            .map((column) => `, ${column} = excluded.${column}`)
            .join("")}`,
    replace: `update ${table} set revision = revision + 1, data = ?${names.map((column) => `, ${column} = ?`).join("")}
              where key = ?`,
    remove: `delete from ${table} where key = ?`,
  };
}

/** A document's index columns, from its fields. */
export function columnsOf(collection: Collection, key: string, fields: Fields): readonly Column[] {
  return collection.columns.map(({ name, type }) => {
    const value = fields[name];
    if (value === undefined || value === null) return null;
    if (typeof value === "boolean" && type === "number") return value ? 1 : 0;
    if (typeof value === (type === "text" ? "string" : "number")) return value as Column;
    throw new Refused(
      `The field "${name}" of the document "${key}" in "${collection.name}" is an index column of type ${type}, and cannot hold ${JSON.stringify(value)}.`,
    );
  });
}

function increment(collection: string, key: string, before: Fields, by: { readonly [field: string]: number }): Fields {
  const added = Object.entries(by).map(([field, amount]) => {
    const value = before[field] ?? 0;
    if (typeof value === "number") return [field, value + amount] as const;
    throw new Refused(
      `The field "${field}" of the document "${key}" in "${collection}" is ${JSON.stringify(value)}, and only numbers are incremented.`,
    );
  });
  return { ...before, ...Object.fromEntries(added) };
}
