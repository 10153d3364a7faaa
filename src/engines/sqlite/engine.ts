import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { type Clock, Fault } from "../../contracts/index.ts";
import type {
  Append,
  Checkpoint,
  Collection,
  Columns,
  Document,
  DocumentQuery,
  Engine,
  EngineStatus,
  Outcome,
  Place,
  ReadQuery,
  Receipt,
  StoredEvent,
  TextQuery,
  Write,
} from "../../storage/host.ts";
import { checkFile } from "./check-file.ts";
import { checkCollection, shapeOf } from "./collections.ts";
import { foundIn, toCount, toSql } from "./document-query.ts";
import { EventPages } from "./event-pages.ts";
import type { Lock } from "./lock.ts";
import type { FoundRow } from "./messages.ts";
import { type Packed, pack, packWrites, unpackOutcomes } from "./packed.ts";
import { Places } from "./places.ts";
import { ScannerThread } from "./scanner-thread.ts";
import { SharedLook } from "./shared-look.ts";
import { Statements } from "./statements.ts";
import { sentenceOf } from "./trouble.ts";
import { Watchers } from "./watchers.ts";
import type { WriterThread } from "./writer-thread.ts";

type WalkQuery = Extract<ReadQuery, { readonly after: number }>;
/** How far one statement looks for events of some kind: none of them may hold on to the WAL, or hold up other walks, for long. */
const window = 20_000;
const fewTexts = 64;

/**
 * Writes go to the writer's thread. Looks by key and pages of a stream are answered here, on a connection that may only
 * read: they take microseconds, less than a message to another thread would. Walks along a log go to the scanner's thread.
 */
export class SqliteEngine implements Engine {
  readonly #file: string;
  readonly #lock: Lock;
  readonly #clock: Clock;
  readonly #writer: WriterThread;
  readonly #scanner: ScannerThread;
  readonly #db: DatabaseSync;
  readonly #shared: SharedLook;
  readonly #statements: Statements;
  readonly #pages: EventPages;
  readonly #places: Places;
  readonly #collections = new Map<string, Collection>();
  readonly #watchers = new Watchers();
  readonly #ended = new AbortController();
  #closing: Promise<void> | undefined;
  constructor(file: string, { lock, writer, clock }: { lock: Lock; writer: WriterThread; clock: Clock }) {
    this.#file = file;
    this.#lock = lock;
    this.#clock = clock;
    this.#writer = writer;
    this.#scanner = new ScannerThread(file);
    this.#db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    // Streams lie between each other: with the 2 MiB that are usual a page is read again for each. Long ones are not read here.
    this.#db.exec("pragma cache_size = -16384");
    this.#shared = new SharedLook(this.#db);
    this.#statements = new Statements(this.#db);
    this.#pages = new EventPages(this.#db);
    this.#places = new Places(this.#statements, this.#pages);
  }

  async define(collection: Collection): Promise<void> {
    checkCollection(collection);
    const known = this.#collections.get(collection.name);
    if (known && JSON.stringify(known) === JSON.stringify(collection)) return;
    if (known && shapeOf(known) !== shapeOf(collection))
      throw new TypeError(`The collection "${collection.name}" is declared twice, with different columns.`);
    await this.#writer.run({ kind: "define", collection }, 1);
    this.#collections.set(collection.name, collection);
  }

  append(log: string, group: readonly Append[]): Promise<readonly Outcome[]> {
    if (group.length === 0) return Promise.resolve([]);
    let packed: Packed;
    try {
      packed = pack(log, group);
    } catch (error) {
      return Promise.reject(error);
    }
    const streams = group.map(({ events }) => events.map(({ stream }) => stream));
    return this.#writer.run(packed, group.length).then((packed) => {
      const outcomes = unpackOutcomes(packed as Packed, streams); // as the writer answers an append
      for (const outcome of outcomes) if (outcome.ok && "last" in outcome) this.#watchers.grown(log, outcome.last);
      return outcomes;
    });
  }

  async read(log: string, query: ReadQuery): Promise<readonly StoredEvent[]> {
    if ("after" in query) {
      const page = await this.#walk(log, query);
      return this.#look(() => page);
    }
    const look = (): readonly StoredEvent[] => this.#pages.read(log, query);
    return query.ahead ? this.#see(look) : this.#look(look);
  }

  async #walk(log: string, query: WalkQuery): Promise<readonly StoredEvent[]> {
    this.#checkOpen();
    if (!query.types && !query.categories && !query.streams) return this.#scanner.read(log, query);
    const last = this.#see(() => this.#pages.lastOf(log, query));
    for (let { after } = query; after < last; after += window) {
      const stretch = { ...query, after, untilPosition: Math.min(last, after + window) };
      const page = await this.#scanner.read(log, stretch);
      if (page.length > 0) return page;
    }
    return [];
  }

  /** A few are at hand sooner than a message to another thread; fetching many takes as long as what is done with them. */
  async texts(log: string, query: TextQuery): Promise<readonly string[]> {
    if (query.limit <= fewTexts) return this.#look(() => this.#pages.texts(log, query));
    this.#checkOpen();
    const texts = await this.#scanner.texts(log, query);
    return this.#look(() => texts);
  }

  async types(log: string): Promise<readonly { readonly type: string; readonly version: number }[]> {
    return this.#look(() => this.#pages.types(log));
  }

  async revision(log: string, stream: string): Promise<number> {
    return this.#look(() => this.#places.revision(log, stream));
  }

  async find(collection: string, query: DocumentQuery): Promise<readonly Document[]> {
    return this.#look(() => {
      const parts = toSql(this.#known(collection), query);
      return foundIn(this.#statements, parts, query.limit).map(toDocument);
    });
  }

  async count(collection: string, query: Pick<DocumentQuery, "where" | "limit">): Promise<number> {
    return this.#look(() => {
      const { text, values } = toCount(this.#known(collection), query);
      const { count } = this.#statements.for(text).get(...values) as { count: number }; // the column is the query's own
      return count;
    });
  }

  async receipt(log: string, key: string): Promise<Receipt | undefined> {
    const found = this.#see(() => this.#places.receipt(log, key));
    // That there is none stays true, whatever a crash takes back.
    return found && this.#look(() => found);
  }

  async commit(checkpoint: Checkpoint & { readonly from: number }, writes: readonly Write[]): Promise<boolean> {
    const { log, reader, epoch, from, position } = checkpoint;
    const command = { kind: "commit", log, reader, epoch, from, position, writes: packWrites(writes) } as const;
    return (await this.#writer.run(command, 1 + writes.length)) as boolean;
  }

  async checkpoint(log: string, reader: string): Promise<Place> {
    return this.#look(() => this.#places.checkpoint(log, reader));
  }

  async head(log: string): Promise<Place> {
    return this.#look(() => this.#pages.place(log));
  }

  async watch(log: string, after: number, aborted: AbortSignal): Promise<void> {
    aborted.throwIfAborted();
    // Look and wait begin in one turn, without an await between them: what is committed after the look is told of later.
    const { position } = this.#see(() => this.#pages.place(log));
    if (position <= after) await this.#watchers.wait(log, after, aborted);
  }

  // One process alone writes here, so its clock is everybody's.
  async time(): Promise<number> {
    this.#checkOpen();
    return this.#clock.now();
  }

  async sweep(log: string, now: number, limit: number): Promise<number> {
    return (await this.#writer.run({ kind: "sweep", log, now, limit }, 1)) as number;
  }

  async claim(collection: string, query: DocumentQuery, set: Columns): Promise<readonly Document[]> {
    toSql(this.#known(collection), query); // a query that cannot be asked fails here, and not among other people's writes
    const rows = await this.#writer.run({ kind: "claim", collection, query, set }, 1);
    return (rows as readonly FoundRow[]).map(toDocument);
  }

  async collections(): Promise<readonly string[]> {
    return this.#look(() => {
      const rows = this.#statements.for("select name from collection order by name").all() as { name: string }[];
      return rows.map(({ name }) => name);
    });
  }

  async empty({ collection, reader, beside }: Parameters<Engine["empty"]>[0]): Promise<void> {
    for (const name of beside ? [collection, beside.collection] : [collection]) this.#known(name);
    await this.#writer.run({ kind: "empty", collection, reader, beside }, 1);
  }

  async drop({ collection, reader }: Parameters<Engine["drop"]>[0]): Promise<void> {
    await this.#writer.run({ kind: "drop", collection, reader }, 1);
    if (collection !== undefined) this.#collections.delete(collection);
  }

  async status(): Promise<EngineStatus> {
    return this.#look(() => {
      const { version } = this.#statements.for("select sqlite_version() version").get() as { version: string };
      const logs = this.#statements.for("select name from log order by id").all() as { name: string }[];
      const files = [this.#file, `${this.#file}-wal`].filter((file) => existsSync(file));
      return {
        engine: `sqlite ${version}`,
        exclusive: true,
        logs: Object.fromEntries(logs.map(({ name }) => [name, this.#pages.place(name)])),
        bytes: files.reduce((sum, file) => sum + statSync(file).size, 0),
        queued: this.#writer.queued,
        appendMs: this.#writer.appendMs,
        replicas: [],
      };
    });
  }

  async check(): Promise<readonly string[]> {
    this.#checkOpen();
    return checkFile(this.#file, this.#ended.signal);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  // The reading connections go first: the writer's last checkpoint can then empty the WAL.
  async #close(): Promise<void> {
    const closed = new Fault("Unavailable", "The storage engine has been closed.", { outcome: "not done" });
    this.#watchers.end(closed);
    this.#ended.abort(closed);
    await this.#scanner.close();
    this.#db.close();
    await this.#writer.close();
    this.#lock.release();
  }

  /** What was read, once it is on disk: the writer's commits are seen here before they are flushed. */
  async #look<T>(read: () => T): Promise<T> {
    const seen = this.#see(read);
    const flushed = this.#writer.flushed();
    if (flushed) await flushed;
    return seen;
  }

  #see<T>(read: () => T): T {
    this.#checkOpen();
    try {
      return this.#shared.look(read);
    } catch (error) {
      if ((error as { errcode?: unknown }).errcode === undefined) throw error;
      throw new Fault("Unavailable", `The database ${this.#file} cannot be read. ${sentenceOf(error)}`, {
        outcome: "not done",
        cause: error,
      });
    }
  }

  #checkOpen(): void {
    if (this.#closing) throw new Fault("Unavailable", "The storage engine has been closed.", { outcome: "not done" });
    if (this.#writer.stopped !== undefined) {
      throw new Fault(
        "Unavailable",
        `The SQLite writer has stopped. ${this.#writer.stopped} Start the process again.`,
        {
          outcome: "not done",
        },
      );
    }
  }

  #known(name: string): Collection {
    const collection = this.#collections.get(name);
    if (!collection) throw new TypeError(`There is no collection "${name}". Define it before anything is asked of it.`);
    return collection;
  }
}

const toDocument = ({ key, revision, data }: FoundRow): Document => ({ key, revision, data: JSON.parse(data) });
