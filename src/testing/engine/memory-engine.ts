import { type Clock, Fault, systemClock } from "../../contracts/index.ts";
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
  ReadQuery,
  Receipt,
  StoredEvent,
  TextQuery,
  Write,
} from "../../storage/host.ts";
import { type Draft, MemoryCollection, Refused } from "./memory-documents.ts";
import { MemoryLog } from "./memory-log.ts";

/** What an engine in memory keeps, where a real one has its disk: opened again, or by a second engine, it is all there. */
export class Memory {
  readonly logs: Map<string, MemoryLog> = new Map();
  readonly collections: Map<string, MemoryCollection> = new Map();
  /** Called after each append, by whichever engine. */
  readonly watchers: Set<() => void> = new Set();
}

/**
 * The engine's port in memory: as fast as tests want it, as strict as the real ones, and gone with the process. It is
 * written to be read, so it doubles as the specification that the conformance suite compares engines with.
 */
export function memoryEngine(options: { readonly clock?: Clock; readonly memory?: Memory } = {}): Engine {
  return new MemoryEngine(options.memory ?? new Memory(), options.clock ?? systemClock);
}

class MemoryEngine implements Engine {
  readonly #memory: Memory;
  readonly #clock: Clock;
  readonly #defined = new Map<string, { readonly declared: Collection; readonly kept: MemoryCollection }>();
  readonly #closed = new AbortController();
  constructor(memory: Memory, clock: Clock) {
    this.#memory = memory;
    this.#clock = clock;
  }

  async define(collection: Collection): Promise<void> {
    this.#checkOpen();
    this.#define(collection);
  }

  async append(log: string, group: readonly Append[]): Promise<readonly Outcome[]> {
    this.#checkOpen();
    const kept = this.#log(log);
    const outcomes = group.map((append) => this.#append(kept, append));
    for (const wake of [...this.#memory.watchers]) wake();
    return outcomes;
  }

  async read(log: string, query: ReadQuery): Promise<readonly StoredEvent[]> {
    return this.#log(log).read(query);
  }

  async texts(log: string, query: TextQuery): Promise<readonly string[]> {
    return (await this.read(log, query)).map(({ data }) => data);
  }

  async types(log: string): Promise<readonly { readonly type: string; readonly version: number }[]> {
    return this.#log(log).types();
  }

  async revision(log: string, stream: string): Promise<number> {
    return this.#log(log).revision(stream);
  }

  async find(collection: string, query: DocumentQuery): Promise<readonly Document[]> {
    return this.#collection(collection).find(query);
  }

  async count(collection: string, query: Pick<DocumentQuery, "where" | "limit">): Promise<number> {
    return this.#collection(collection).find(query).length;
  }

  async receipt(log: string, key: string): Promise<Receipt | undefined> {
    return this.#log(log).receipt(key);
  }

  async commit(checkpoint: Checkpoint & { readonly from: number }, writes: readonly Write[]): Promise<boolean> {
    const { log, reader, epoch, from, position } = checkpoint;
    const kept = this.#log(log);
    if (epoch !== kept.epoch || from !== kept.checkpoint(reader)) return false;
    this.#write(writes)();
    kept.readers.set(reader, position);
    return true;
  }

  async checkpoint(log: string, reader: string): Promise<{ readonly epoch: number; readonly position: number }> {
    const kept = this.#log(log);
    return { epoch: kept.epoch, position: kept.checkpoint(reader) };
  }

  async head(log: string): Promise<{ readonly epoch: number; readonly position: number }> {
    const { epoch, head } = this.#log(log);
    return { epoch, position: head };
  }

  async watch(log: string, after: number, aborted: AbortSignal): Promise<void> {
    const kept = this.#log(log);
    const ended = AbortSignal.any([aborted, this.#closed.signal]);
    ended.throwIfAborted();
    if (kept.head > after) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const wake = (): void => {
      if (kept.head > after) resolve();
    };
    const end = (): void => reject(ended.reason);
    this.#memory.watchers.add(wake);
    ended.addEventListener("abort", end);
    try {
      await promise;
    } finally {
      this.#memory.watchers.delete(wake);
      ended.removeEventListener("abort", end);
    }
  }

  async time(): Promise<number> {
    this.#checkOpen();
    return this.#clock.now();
  }

  async sweep(log: string, now: number, limit: number): Promise<number> {
    return this.#log(log).sweep(now, limit);
  }

  async claim(collection: string, query: DocumentQuery, set: Columns): Promise<readonly Document[]> {
    return this.#collection(collection).claim(query, set);
  }

  async collections(): Promise<readonly string[]> {
    this.#checkOpen();
    return [...this.#memory.collections.keys()];
  }

  async empty({ collection, reader, beside }: Parameters<Engine["empty"]>[0]): Promise<void> {
    const emptied = this.#collection(collection);
    const others = beside && this.#collection(beside.collection);
    const where = beside && { [beside.column]: { equals: beside.equals } };
    const found = others?.find({ ...(where && { where }), limit: Number.POSITIVE_INFINITY }) ?? [];
    const gone = found.map(({ key }): Write => ({ collection: beside?.collection ?? "", remove: key }));
    this.#write(gone)();
    emptied.clear();
    this.#log(reader.log).readers.delete(reader.name);
  }

  async drop({ collection, reader }: Parameters<Engine["drop"]>[0]): Promise<void> {
    this.#checkOpen();
    if (collection !== undefined) this.#memory.collections.delete(collection);
    if (collection !== undefined) this.#defined.delete(collection);
    if (reader) this.#log(reader.log).readers.delete(reader.name);
  }

  async status(): Promise<EngineStatus> {
    this.#checkOpen();
    const logs = [...this.#memory.logs].map(([name, { epoch, head }]) => [name, { epoch, position: head }]);
    return {
      engine: "memory 1",
      exclusive: false,
      logs: Object.fromEntries(logs),
      bytes: process.memoryUsage.rss(),
      queued: 0,
      appendMs: { p50: 0, p99: 0 },
      replicas: [],
    };
  }

  async check(): Promise<readonly string[]> {
    this.#checkOpen();
    return [];
  }

  async close(): Promise<void> {
    this.#closed.abort(closed());
  }

  #append(log: MemoryLog, append: Append): Outcome {
    const answer = log.check(append);
    if (answer) return answer;
    try {
      this.#write(append.documents ?? [])();
    } catch (error) {
      if (error instanceof Refused) return { ok: false, why: "refused", message: error.message };
      throw error;
    }
    return log.write(append, this.#clock.now());
  }

  /** Tries all writes; what it gives back keeps them. */
  #write(writes: readonly Write[]): () => void {
    const drafts = new Map<string, Draft>();
    for (const write of writes) {
      const { collection } = write;
      const draft = drafts.get(collection) ?? this.#collection(collection).draft();
      drafts.set(collection, draft);
      draft.write(write);
    }
    return () => {
      for (const { keep } of drafts.values()) keep();
    };
  }

  #log(name: string): MemoryLog {
    this.#checkOpen();
    const known = this.#memory.logs.get(name) ?? new MemoryLog();
    this.#memory.logs.set(name, known);
    return known;
  }

  #collection(name: string): MemoryCollection {
    this.#checkOpen();
    const defined = this.#defined.get(name);
    if (!defined) throw new Refused(`There is no collection "${name}". Define it first.`);
    const present = this.#memory.collections.get(name);
    return present === defined.kept ? present : this.#define(defined.declared);
  }

  /** Also where somebody else has dropped it: whoever has defined it needs it. */
  #define(declared: Collection): MemoryCollection {
    const { collections } = this.#memory;
    const kept = collections.get(declared.name) ?? new MemoryCollection(declared);
    kept.declare(declared);
    collections.set(declared.name, kept);
    this.#defined.set(declared.name, { declared, kept });
    return kept;
  }

  #checkOpen(): void {
    if (this.#closed.signal.aborted) throw closed();
  }
}

const closed = (): Fault => new Fault("Unavailable", "The storage engine has been closed.", { outcome: "not done" });
