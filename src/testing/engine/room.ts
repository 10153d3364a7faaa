import assert from "node:assert/strict";
import { type Clock, systemClock } from "../../contracts/index.ts";
import {
  type Append,
  type Collection,
  type Document,
  type DocumentQuery,
  type Engine,
  type NewEvent,
  type NewReceipt,
  type Outcome,
  type ReadQuery,
  type StoredEvent,
  toAfter,
  toIds,
  type Write,
} from "../../storage/host.ts";

/** An empty engine, opened for the suite. */
export interface OpenedEngine {
  readonly engine: Engine;
  /** Closes the engine and opens it again over what it kept. */
  reopen(): Promise<Engine>;
  /** Another process' view, or another connection's, of what `engine` keeps; missing where only one may be open. */
  second?(): Promise<Engine>;
  /** Ends whatever is open and removes what was kept. */
  close(): Promise<void>;
}
/** The clock is for engines that are told the time; one that has a clock of its own may leave it alone. */
export type OpenEngine = (options: { readonly clock: Clock }) => Promise<OpenedEngine>;

/** What is checked, by its sentence of behaviour. Most cases share an engine, each in logs and collections of its own. */
export type Cases = { readonly [sentence: string]: Check | { readonly alone: Check } };
export type Check = (room: Room) => Promise<void>;
/** A case that needs an engine to itself, because it closes it or asks about the whole of it. */
export const alone = (check: Check): { readonly alone: Check } => ({ alone: check });

/** Thrown by a case that has nothing to say about an engine of this kind. */
export class DoesNotApply extends Error {}

/** How long a case waits for what has to come by itself, in ms. */
const patienceMs = 10_000;

/** One engine and the words in which the cases speak of it. */
export class Room {
  engine: Engine;
  readonly clock: SettableClock;
  readonly #opened: OpenedEngine;
  constructor(opened: OpenedEngine, clock: SettableClock) {
    clock.set(systemClock.now());
    this.#opened = opened;
    this.engine = opened.engine;
    this.clock = clock;
  }

  async reopen(): Promise<void> {
    this.engine = await this.#opened.reopen();
  }

  async second(): Promise<Engine> {
    if (this.#opened.second) return this.#opened.second();
    const { exclusive } = await this.engine.status();
    assert.ok(exclusive, "Whoever is not alone has to say how a second one is opened.");
    throw new DoesNotApply("Only one process may have this engine open.");
  }

  /** One append, by itself. */
  async append(append: Partial<Append>, log = "main"): Promise<Outcome> {
    const [outcome] = await this.engine.append(log, [toAppend(append)]);
    assert.ok(outcome, "An append has an outcome.");
    return outcome;
  }

  /** Appends one event a stream, each by itself, and expects all of them to be written. */
  async say(...streams: readonly string[]): Promise<void> {
    for (const stream of streams) toWritten(await this.append({ events: [toEvent(stream)] }));
  }

  async put(collection: string, documents: { readonly [key: string]: Fields }): Promise<void> {
    const writes = Object.entries(documents).map(([put, data]): Write => ({ collection, put, data }));
    toWritten(await this.append({ documents: writes }));
  }

  async write(...documents: readonly Write[]): Promise<Outcome> {
    return this.append({ documents });
  }

  /** A watch that may be left to itself when a case ends early. */
  watch(log: string, after: number, aborted: AbortSignal = new AbortController().signal): Promise<void> {
    const watching = this.engine.watch(log, after, aborted);
    watching.catch(() => {});
    return watching;
  }

  /** All events that a query by position gives, page by page. */
  async all(
    query: Omit<ByPosition, "after" | "limit"> & { readonly limit?: number } = {},
    log = "main",
  ): Promise<StoredEvent[]> {
    return readOn(this.engine, log, { limit: 100, ...query });
  }

  /** All events of a stream, page by page. */
  async stream(name: string, query: Partial<Omit<ByStream, "stream">> = {}, log = "main"): Promise<StoredEvent[]> {
    const { limit = 100, backwards = false } = query;
    const events: StoredEvent[] = [];
    for (let from = query.from ?? (backwards ? Number.MAX_SAFE_INTEGER : 0); ; ) {
      const page = await this.engine.read(log, { ...query, stream: name, from, limit, backwards });
      assert.ok(page.length <= limit, `A page of ${limit} holds ${page.length} events.`);
      const last = page.at(-1);
      if (!last) return events;
      assert.ok(
        backwards ? last.revision <= from : last.revision >= from,
        `A page from ${from} ends at ${last.revision}.`,
      );
      events.push(...page);
      from = last.revision + (backwards ? -1 : 1);
    }
  }

  /** All documents that a query finds, page by page. */
  async find(collection: string, query: Partial<DocumentQuery> = {}): Promise<Document[]> {
    const { limit = 100 } = query;
    const documents: Document[] = [];
    for (let { after } = query; ; ) {
      const page = await this.engine.find(collection, { ...query, limit, ...(after !== undefined && { after }) });
      assert.ok(page.length <= limit, `A page of ${limit} holds ${page.length} documents.`);
      for (const { key } of page) assert.ok(!documents.some((one) => one.key === key), `"${key}" comes twice.`);
      documents.push(...page);
      const last = page.at(-1);
      if (!last || query.key !== undefined) return documents;
      after = toAfter(last, query.orderBy);
    }
  }

  async keys(collection: string, query: Partial<DocumentQuery> = {}): Promise<string[]> {
    return (await this.find(collection, query)).map(({ key }) => key);
  }
}
type ByStream = Extract<ReadQuery, { readonly stream: string }>;
type ByPosition = Extract<ReadQuery, { readonly after: number }>;
export type Fields = { readonly [field: string]: unknown };

/** All events after a position, page by page, from whichever engine. */
export async function readOn(
  engine: Engine,
  log: string,
  query: Omit<ByPosition, "after"> & { readonly after?: number },
): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (let after = query.after ?? 0; ; ) {
    const page = await engine.read(log, { ...query, after });
    assert.ok(page.length <= query.limit, `A page of ${query.limit} holds ${page.length} events.`);
    const last = page.at(-1);
    if (!last) return events;
    assert.ok(last.position > after, `A page after ${after} ends at ${last.position}.`);
    events.push(...page);
    after = last.position;
  }
}

/**
 * Reads on while others write, until so many events were seen: by watching where there is nothing, or by looking again.
 * Gives their positions.
 */
export async function follow(
  engine: Engine,
  { total, limit, watching }: { readonly total: number; readonly limit: number; readonly watching: boolean },
  onPage: (from: number, to: number) => Promise<void> = async () => {},
): Promise<number[]> {
  const seen: number[] = [];
  let looks = 0;
  while (seen.length < total) {
    assert.ok(looks++ < 20_000, `After ${looks} looks ${seen.length} of ${total} events have been seen.`);
    const after = seen.at(-1) ?? 0;
    const page = await engine.read("main", { after, limit });
    const last = page.at(-1);
    if (last) {
      await onPage(after, last.position);
      seen.push(...page.map(({ position }) => position));
    } else if (watching) await soon(engine.watch("main", after, new AbortController().signal), "The reader is woken");
    // Whoever writes shares this thread, and should have its turn.
    await new Promise(setImmediate);
  }
  return seen;
}

const nextId = toIds(systemClock);
export const toAppend = (append: Partial<Append>): Append => ({ id: nextId(), expect: [], events: [], ...append });
export const toEvent = (stream: string, more: Partial<NewEvent> = {}): NewEvent => ({
  stream,
  type: "things.Said",
  version: 1,
  data: '"said"',
  ...more,
});
export const toReceipt = (key: string, more: Partial<NewReceipt> = {}): NewReceipt => ({
  key,
  digest: "digest",
  ...more,
});

export type Written = Extract<Outcome, { readonly first: number }>;
/** What a written append says; anything else fails the case. */
export function toWritten(outcome: Outcome | undefined): Written {
  assert.ok(outcome?.ok && "first" in outcome, `It should have been written: ${JSON.stringify(outcome)}`);
  return outcome;
}
/** Why an append was not done, or "again", or "written". */
export const toWord = (outcome: Outcome | undefined): string | undefined =>
  outcome && (outcome.ok ? ("again" in outcome ? "again" : "written") : outcome.why);

export const people: Collection = {
  name: "people",
  columns: [
    { name: "city", type: "text" },
    { name: "age", type: "number" },
  ],
  indexes: [["city", "age"], ["age"]],
};

export const toRange = (length: number, from = 0): number[] => Array.from({ length }, (_, index) => from + index);

/** Fails with a sentence where something that has to come does not. */
export async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new assert.AssertionError({ message: `${what}, within ${patienceMs} ms.` })),
      patienceMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export interface SettableClock extends Clock {
  /** From now on it tells this time, moving on by itself. */
  set(now: number): void;
}
export function settableClock(): SettableClock {
  let ahead = 0;
  return {
    ...systemClock,
    now: () => systemClock.now() + ahead,
    set: (now) => {
      ahead = now - systemClock.now();
    },
  };
}
