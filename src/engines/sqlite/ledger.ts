import type { DatabaseSync } from "node:sqlite";
import { Generations } from "../../storage/generations.ts";
import type { Expected, Receipt } from "../../storage/host.ts";
import { Refused } from "../../storage/refused.ts";
import type { Documents } from "./documents.ts";
import type { AppendMessage, Command, EventMessage, ReceiptMessage, WriteMessage } from "./messages.ts";
import { type Packed, packOk, packOther, type Unwritten, unpackWrites } from "./packed.ts";
import { ReaderPlaces } from "./reader-places.ts";
import { Rows, rowsTogether } from "./rows.ts";
import type { Statements } from "./statements.ts";
import { isOld, StreamEntries } from "./stream-entries.ts";
import { StreamNames } from "./stream-names.ts";
import { createLog, firstEpoch } from "./tables.ts";
import { packId } from "./uuid.ts";

/**
 * How many streams' ids and revisions are kept in memory; the others are looked up again. More would not lie in the
 * processor's cache: with 100,000 each new stream waited longer for the memory than for its insert.
 */
const rememberedStreams = 32_768;

const eventColumns = [
  "position",
  "stream",
  "revision",
  "append",
  "ix",
  "type",
  "at",
  "data",
  "meta",
  "spans",
  "gathered",
];

interface Ring {
  readonly all: readonly Uint8Array[];
  next: number;
}
interface Stream {
  /** Undefined until its first event is written. */
  id: number | undefined;
  revision: number;
}
interface OpenLog {
  readonly id: number;
  readonly events: Rows;
  /** Of the appends whose events are not written yet. */
  readonly ids: Ring;
  readonly entries: StreamEntries;
  readonly streams: Generations<Stream>;
  /** By name, and then by version. */
  readonly types: Map<string, Map<number, number>>;
  readonly readers: ReaderPlaces;
  head: number;
  at: number;
}

/** The logs, as the writer changes them: each append is checked first and written only then, inside the writer's transaction. */
export class Ledger {
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  readonly #documents: Documents;
  readonly #logs = new Map<string, OpenLog>();
  readonly #names: StreamNames;
  /** Of an append without events: SQLite copies what it is given. */
  readonly #id = new Uint8Array(16);
  constructor(db: DatabaseSync, statements: Statements, documents: Documents) {
    this.#db = db;
    this.#statements = statements;
    this.#documents = documents;
    this.#names = new StreamNames(db, statements);
  }

  /** Forgets what an undone transaction may have taught. */
  reset(): void {
    this.#logs.clear();
    this.#names.reset();
  }

  append(logName: string, append: AppendMessage, now: number): Packed {
    const log = this.#open(logName);
    const { expect, events, documents, receipt, readers } = append;
    const known = receipt && this.#answer(log, receipt);
    if (known) return packOther(known);
    for (const { stream: name, revision: expected } of expect) {
      const actual = this.#stream(log, name).revision;
      if (!meets(actual, expected)) return packOther({ ok: false, why: "conflict", stream: name, expected, actual });
    }
    const behind = readers.find((reader) => !log.readers.isAt(reader, log.head));
    if (behind !== undefined) return packOther({ ok: false, why: "behind", reader: behind });
    const refusal = this.#writeDocuments(documents);
    if (refusal !== undefined) return packOther({ ok: false, why: "refused", message: refusal });
    const id = packId(append.id, events.length > 0 ? nextOf(log.ids) : this.#id);
    const at = Math.max(log.at, now);
    const first = events.length > 0 ? log.head + 1 : log.head;
    const revisions: number[] = [];
    for (let index = 0; index < events.length; index++) {
      const event = events[index] as EventMessage; // inside the bounds
      const stream = this.#stream(log, event.stream);
      const isGathered = stream.id !== undefined && isOld(stream.id, this.#names.last);
      stream.id ??= this.#names.add(log.id, event.stream);
      const type = this.#type(log, event.type, event.version);
      const { spans } = event;
      const revision = stream.revision + spans;
      const position = log.head + 1;
      log.events.add(
        position,
        stream.id,
        revision,
        id,
        index,
        type,
        at,
        event.data,
        event.meta,
        spans === 1 ? null : spans,
        isGathered ? 1 : null,
      );
      if (isGathered) log.entries.add(stream.id, revision, position);
      log.head = position;
      stream.revision = revision;
      revisions.push(revision);
    }
    if (events.length > 0) {
      log.at = at;
      for (const reader of readers) log.readers.advance(reader, log.head);
    }
    if (receipt) {
      const { key, digest, result, expires, voided } = receipt;
      this.#statements
        .for(
          "insert into receipt (log, key, digest, append, result, voided, at, expires) values (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .run(log.id, key, digest, id, result, voided ? 1 : 0, at, voided ? null : expires);
    }
    return packOk(first, log.head, at, revisions);
  }

  /** Moves a reader and writes its documents, unless somebody else has moved it. */
  commit({ log: name, reader, epoch, from, position, writes }: Extract<Command, { readonly kind: "commit" }>): boolean {
    const log = this.#open(name);
    if (!log.readers.mayMove(reader, epoch, from)) return false;
    const refusal = this.#writeDocuments(unpackWrites(writes));
    if (refusal !== undefined) throw new Refused(refusal);
    log.readers.move(reader, position);
    return true;
  }

  forget(logName: string, reader: string): void {
    this.#open(logName).readers.forget(reader);
  }

  /** Forgets receipts that have expired, the oldest first. */
  sweep(logName: string, now: number, limit: number): number {
    const log = this.#open(logName);
    const { changes } = this.#statements
      .for(
        `delete from receipt where log = ? and voided = 0 and key in
           (select key from receipt where log = ? and expires is not null and expires <= ? order by expires limit ?)`,
      )
      .run(log.id, log.id, now, limit);
    return Number(changes);
  }

  /** Writes what is written once a transaction. */
  flush(): void {
    for (const { events, readers, entries } of this.#logs.values()) {
      events.flush();
      readers.flush();
      entries.settle();
    }
    this.#names.settle();
  }

  #answer(log: OpenLog, { key, digest, voided }: ReceiptMessage): Unwritten | undefined {
    const row = this.#statements
      .for("select key, digest, result, voided from receipt where log = ? and key = ?")
      .get(log.id, key) as ReceiptRow | undefined;
    if (!row) return undefined;
    if (voided) return { ok: true, again: toReceipt(row) };
    if (row.voided) return { ok: false, why: "voided", key };
    if (row.digest !== digest) return { ok: false, why: "key reused", key };
    return { ok: true, again: toReceipt(row) };
  }

  /** All of them or none. Why they cannot be, where that is so. */
  #writeDocuments(writes: readonly WriteMessage[]): string | undefined {
    try {
      if (writes.length > 0) this.#documents.write(writes);
      return undefined;
    } catch (error) {
      if (error instanceof Refused) return error.message;
      throw error;
    }
  }

  #open(name: string): OpenLog {
    const known = this.#logs.get(name);
    if (known) return known;
    if (!/^[a-z][a-z0-9-]{0,62}$/.test(name))
      throw new Refused(`"${name}" is not a name for a log: use lower-case letters, digits and "-".`);
    const row = this.#statements.for("select id, epoch from log where name = ?").get(name) as
      | { id: number; epoch: number }
      | undefined;
    const id = row?.id ?? createLog(this.#db, name);
    const head = this.#statements.for(`select position, at from event_${id} order by position desc limit 1`).get() as
      | { position: number; at: number }
      | undefined;
    const types = this.#statements.for("select id, name, version from type where log = ?").all(id) as {
      id: number;
      name: string;
      version: number;
    }[];
    const epoch = row?.epoch ?? firstEpoch;
    const log: OpenLog = {
      id,
      events: new Rows(this.#statements, `event_${id}`, eventColumns),
      ids: { all: Array.from({ length: rowsTogether }, () => new Uint8Array(16)), next: 0 },
      entries: new StreamEntries(this.#statements, id),
      streams: new Generations(rememberedStreams),
      types: new Map(),
      readers: new ReaderPlaces(this.#statements, id, epoch),
      head: head?.position ?? 0,
      at: head?.at ?? 0,
    };
    for (const type of types) versionsOf(log, type.name).set(type.version, type.id);
    this.#logs.set(name, log);
    return log;
  }

  #stream(log: OpenLog, name: string): Stream {
    const known = log.streams.get(name);
    if (known) return known;
    const id = this.#names.find(log.id, name);
    const stream = { id, revision: id === undefined ? -1 : log.entries.last(id) };
    log.streams.set(name, stream);
    return stream;
  }

  #type(log: OpenLog, name: string, version: number): number {
    const versions = versionsOf(log, name);
    const known = versions.get(version);
    if (known !== undefined) return known;
    const { lastInsertRowid } = this.#statements
      .for("insert into type (log, name, version) values (?, ?, ?)")
      .run(log.id, name, version);
    versions.set(version, Number(lastInsertRowid));
    return Number(lastInsertRowid);
  }
}

function nextOf(ring: Ring): Uint8Array {
  ring.next = (ring.next + 1) % ring.all.length;
  return ring.all[ring.next] as Uint8Array; // inside the bounds
}

function versionsOf({ types }: OpenLog, name: string): Map<number, number> {
  const known = types.get(name);
  if (known) return known;
  const versions = new Map<number, number>();
  types.set(name, versions);
  return versions;
}

export interface ReceiptRow {
  readonly key: string;
  readonly digest: string;
  readonly result: string | null;
  readonly voided: number;
}
export const toReceipt = ({ key, digest, result, voided }: ReceiptRow): Receipt => ({
  key,
  digest,
  voided: voided === 1,
  ...(result !== null && { result }),
});

function meets(actual: number, expected: Expected): boolean {
  if (expected === "any") return true;
  if (expected === "none") return actual === -1;
  if (expected === "exists") return actual >= 0;
  return actual === expected;
}
