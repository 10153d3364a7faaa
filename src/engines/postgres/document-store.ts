import type { Clock } from "../../contracts/index.ts";
import { checkColumns } from "../../storage/draft.ts";
import type { Collection, Columns, Document, DocumentQuery, Engine, Write } from "../../storage/host.ts";
import { Refused } from "../../storage/refused.ts";
import type { Asker } from "./asker.ts";
import { checkCollection, columnOf, type KnownCollection, shapeOf, toDefinition } from "./collections.ts";
import type { Row } from "./connections.ts";
import { type Sql, toCount, toLimit, toSql } from "./document-query.ts";
import { type DocumentWrite, toDocumentWrites } from "./document-writes.ts";
import type { Indexes, Wanted } from "./indexes.ts";
import { fromJsonText, fromText, toJsonText, toText } from "./text.ts";
import { isGone } from "./trouble.ts";

interface DocumentRow extends Row {
  readonly key: string;
  readonly revision: number;
  readonly data: string;
}

/** How often a claim looks again for documents that others have in hand at the moment. */
const mostTries = 200;

/** Collections and what is in them, apart from the writes that travel with appends and with readers' steps. */
export class DocumentStore {
  readonly #asker: Asker;
  readonly #schema: string;
  readonly #clock: Clock;
  readonly #collections = new Map<string, KnownCollection>();
  /** By the numbers that they ever had. */
  readonly #names = new Map<number, string>();
  readonly #indexes: Indexes;
  constructor(asker: Asker, schema: string, clock: Clock, indexes: Indexes) {
    this.#asker = asker;
    this.#indexes = indexes;
    this.#schema = schema;
    this.#clock = clock;
  }

  /** A collection, where it was defined here. */
  lookUp(name: string): KnownCollection | undefined {
    return this.#collections.get(name);
  }

  async define(collection: Collection): Promise<void> {
    checkCollection(collection);
    const { name } = collection;
    const known = this.#collections.get(name);
    if (known && JSON.stringify(known.collection) === JSON.stringify(collection)) return;
    await this.#define(collection);
  }

  /**
   * Looks collections up again: where a table has gone, another process has dropped it, and perhaps made it anew. Whoever
   * comes first does that, for it is defined here, and so it is needed.
   */
  async renew(names: readonly string[]): Promise<void> {
    for (const name of new Set(names)) {
      const known = this.#collections.get(name);
      if (known) await this.#define(known.collection);
    }
  }

  /** The same for what is on its way already, by the numbers that collections had: gives those that they have now. */
  async renewNumbers(numbers: readonly number[]): Promise<(number: number) => number> {
    await this.renew(numbers.flatMap((number) => this.#names.get(number) ?? []));
    return (number) => this.#collections.get(this.#names.get(number) ?? "")?.id ?? number;
  }

  async #define(collection: Collection): Promise<void> {
    const { name } = collection;
    const text = `select ${this.#schema}.define_v2($1, $2, $3, $4, $5, $6) as said`;
    const values = toDefinition(collection);
    const [row] = await this.#asker.ask<{ said: string }>(text, values);
    const { id, missing, leftOver } = readDefinition(collection, row?.said);
    if (missing.length + leftOver.length > 0)
      await this.#indexes.settle(name, id, async (client) => {
        const { rows } = await client.query<{ said: string }>(text, [...values]);
        return readDefinition(collection, rows[0]?.said);
      });
    this.#names.set(id, name);
    this.#collections.set(name, { collection, id, table: `${this.#schema}.document_${id}` });
  }

  find(name: string, query: DocumentQuery): Promise<readonly Document[]> {
    return this.#on([name], (known) => this.#find(known, query));
  }

  async #find(known: KnownCollection, query: DocumentQuery): Promise<readonly Document[]> {
    const found: DocumentRow[] = [];
    const most = toLimit(query.limit);
    for (const { text, values } of toSql(known, query)) {
      if (found.length >= most) break;
      found.push(...(await this.#asker.ask<DocumentRow>(text, values)));
    }
    return found.slice(0, most).map(toDocument);
  }

  count(name: string, query: Pick<DocumentQuery, "where" | "limit">): Promise<number> {
    return this.#on([name], async (known) => {
      const { text, values } = toCount(known, query);
      const [row] = await this.#asker.ask<{ count: number }>(text, values);
      return row?.count ?? 0;
    });
  }

  claim(name: string, query: DocumentQuery, set: Columns): Promise<readonly Document[]> {
    return this.#on([name], (known) => this.#claimAll(known, query, set));
  }

  async #claimAll(known: KnownCollection, query: DocumentQuery, set: Columns): Promise<readonly Document[]> {
    const { collection, table } = known;
    const unknown = Object.keys(set).find((field) => !collection.columns.some((column) => column.name === field));
    if (unknown !== undefined)
      throw new TypeError(`A claim sets columns, and the collection "${collection.name}" has no column "${unknown}".`);
    orRefuse(() => checkColumns(collection, "(claimed)", set));
    const claimed: DocumentRow[] = [];
    for (let tries = 0; claimed.length < query.limit && tries < mostTries; tries++) {
      const left = { ...query, limit: query.limit - claimed.length };
      const except = claimed.map(({ key }) => key);
      try {
        for (const found of toSql(known, left, { what: "key", except }))
          claimed.push(...(await this.#claim(table, found, set)));
        if (claimed.length >= query.limit || !(await this.#isLeft(known, query, claimed))) break;
      } catch (error) {
        if (claimed.length === 0) throw error;
        break; // what is claimed is claimed, and has to be told
      }
      // Somebody has a document in hand that may be left to us. It is not waited for under a lock: an append may wait for ours.
      await new Promise<void>((resolve) => void this.#clock.after(2 + (tries % 8), resolve));
    }
    return claimed.map(toDocument);
  }

  async #claim(table: string, found: Sql, set: Columns): Promise<readonly DocumentRow[]> {
    const values = [...found.values];
    const data = `$${values.push(toJsonText(JSON.stringify(set)))}`;
    return this.#asker.once<DocumentRow>(
      (call) => ({
        text: `with found as materialized (${found.text} for update skip locked),
          placed as (select key, row_number() over () as place from found),
          changed as (
            update ${table} d set revision = d.revision + 1, data = ${this.#schema}.merge_v1(d.data, ${data}::json)
            from placed p where d.key = p.key returning d.key, d.revision, d.data::text as data, p.place
          ),
          noted as (
            insert into ${this.#schema}.call (id, reply)
            select $${values.length + 1}, json_agg(key order by place) from changed having count(*) > 0
          )
          select key, revision, data from changed order by place`,
        values: [...values, call],
      }),
      async (reply) => {
        const keys = JSON.parse(reply) as readonly string[]; // as the statement noted them
        const rows = await this.#asker.ask<DocumentRow>(
          `select key, revision, data::text as data from ${table} where key = any($1)`,
          [keys],
        );
        return rows.toSorted((a, b) => keys.indexOf(a.key) - keys.indexOf(b.key));
      },
    );
  }

  async #isLeft(known: KnownCollection, query: DocumentQuery, claimed: readonly DocumentRow[]): Promise<boolean> {
    const except = claimed.map(({ key }) => key);
    for (const { text, values } of toSql(known, { ...query, limit: 1 }, { what: "1 as one", except }))
      if ((await this.#asker.ask(text, values)).length > 0) return true;
    return false;
  }

  async collections(): Promise<readonly string[]> {
    const rows = await this.#asker.ask<{ name: string }>(
      `select name from ${this.#schema}.collection order by name`,
      [],
    );
    return rows.map(({ name }) => fromText(name));
  }

  async drop({ collection, reader }: Parameters<Engine["drop"]>[0]): Promise<void> {
    const texts = [collection, reader?.log, reader?.name].map((text) => (text === undefined ? null : toText(text)));
    await this.#asker.ask(`select ${this.#schema}.drop_v2($1, $2, $3)`, texts);
    if (collection !== undefined) this.#collections.delete(collection);
  }

  async empty({ collection, reader, beside }: Parameters<Engine["empty"]>[0]): Promise<void> {
    const { log, name } = reader;
    await this.#on(beside ? [collection, beside.collection] : [collection], async () => {
      const column = beside && columnOf(this.#known(beside.collection).collection, beside.column).sql;
      await this.#asker.ask(`select ${this.#schema}.empty_v1($1, $2, $3, $4, $5, $6)`, [
        ...[log, name, collection].map(toText),
        beside ? toText(beside.collection) : null,
        column ?? null,
        beside ? toText(String(beside.equals)) : null,
      ]);
    });
  }

  /** Writes as they travel, or why they cannot be. */
  toRows(writes: readonly Write[]): { readonly rows: readonly DocumentWrite[]; readonly refused?: string } {
    try {
      return { rows: toDocumentWrites(writes, (name) => this.#collections.get(name)) };
    } catch (error) {
      if (error instanceof Refused) return { rows: [], refused: error.message };
      throw error;
    }
  }

  /** Once more, where its table is not the one any more that is known here. */
  async #on<T>(
    names: readonly [name: string, ...others: string[]],
    work: (known: KnownCollection) => Promise<T>,
  ): Promise<T> {
    const known = this.#known(names[0]);
    try {
      return await work(known);
    } catch (error) {
      if (!isGone(error)) throw error;
      await this.renew(names);
      return work(this.#known(names[0]));
    }
  }

  #known(name: string): KnownCollection {
    const known = this.#collections.get(name);
    if (!known) throw new TypeError(`There is no collection "${name}". Define it before anything is asked of it.`);
    return known;
  }
}

/** As `define` says it: an object, or the columns that the collection has. */
function readDefinition(collection: Collection, said = "[]"): Wanted {
  if (said.startsWith("{")) return JSON.parse(said) as Wanted;
  throw new TypeError(
    `The collection "${collection.name}" is in the database with the columns ${said} and now declares ${shapeOf(collection)}. Give it a new name (for a read model: raise its version), so that it is built anew.`,
  );
}

const toDocument = ({ key, revision, data }: DocumentRow): Document => ({
  key: fromText(key),
  revision,
  data: fromJsonText(data),
});

function orRefuse<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof Refused ? new TypeError(error.message) : error;
  }
}
