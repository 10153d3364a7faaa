import type { Clock } from "../contracts/index.ts";
import { checkAppend, checkEvent, checkReceipt } from "./append-limits.ts";
import type {
  Append,
  Engine,
  Expected,
  NewEvent,
  NewReceipt,
  Outcome,
  ReadQuery,
  Receipt,
  StoredEvent,
  Write,
} from "./engine.ts";
import type { HistoryOptions } from "./entity.ts";
import { type Chance, toIds } from "./ids.ts";
import { toExactJson } from "./json.ts";
import { checkStreamName } from "./stream-name.ts";
import { toUntil } from "./until.ts";

/** An event as it is to be written: its payload as a plain JSON value, or as the JSON text of one. */
export type LogEvent = {
  readonly stream: string;
  readonly type: string;
  readonly version?: number;
  readonly meta?: unknown;
} & ({ readonly data: unknown } | { readonly json: string });
/** One append: all of it is written, or none. */
export interface LogAppend {
  /** UUIDv7; drawn where it is missing. */
  readonly id?: string;
  /** By stream, or as a list; a stream may be named that is not written. */
  readonly expect?: { readonly [stream: string]: Expected } | Append["expect"];
  readonly events: readonly LogEvent[];
  readonly documents?: readonly Write[];
  readonly receipt?: NewReceipt;
  readonly readers?: readonly string[];
}
/** An event as it is read. `at` is in ms since 1970. */
export interface Recorded extends Omit<StoredEvent, "data" | "meta"> {
  readonly data: unknown;
  readonly meta?: unknown;
}

export interface WalkOptions {
  /** Only events of these types. */
  readonly types?: readonly string[];
  /** Only events of streams whose names begin with one of these, before the slash. */
  readonly categories?: readonly string[];
  /** Only events of these streams. */
  readonly streams?: readonly string[];
  /** Nothing later than an instant, or than a position. */
  readonly until?: Date | number;
}

const page = 500;

/** One log of an engine, in values instead of text. It retries nothing: a lost race is an outcome, and whoever decided decides again. */
export class Log {
  readonly name: string;
  readonly #engine: Engine;
  readonly #nextId: () => string;
  #acknowledged = 0;
  constructor(name: string, ports: { readonly engine: Engine; readonly clock: Clock; readonly chance?: Chance }) {
    this.name = name;
    this.#engine = ports.engine;
    this.#nextId = toIds(ports.clock, ports.chance);
  }

  /** The last position that an append of this process came to. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** An id for an append: its events' ids are this, a slash and their index. */
  nextId(): string {
    return this.#nextId();
  }

  /** Durable when it resolves. Throws a TypeError for what cannot be written, and a `Fault` where the engine fails. */
  async append(append: LogAppend): Promise<Outcome> {
    const { id = this.#nextId(), expect, events, documents, receipt, readers } = append;
    const written = events.map(toNewEvent);
    checkAppend(written, this.name);
    if (receipt) checkReceipt(receipt);
    const [outcome] = await this.#engine.append(this.name, [
      {
        id,
        expect: expect ? toExpectations(expect) : nothingExpected,
        events: written,
        ...(documents && { documents }),
        ...(receipt && { receipt }),
        ...(readers && { readers }),
      },
    ]);
    if (!outcome) throw new Error(`The engine gave no outcome for the append ${id} to the log "${this.name}".`);
    if (outcome.ok && "last" in outcome) this.#acknowledged = Math.max(this.#acknowledged, outcome.last);
    return outcome;
  }

  /** A stream's events from a revision on (inclusive); backwards from there, or from the last one. */
  async *stream(stream: string, options?: HistoryOptions): AsyncGenerator<Recorded> {
    for await (const event of this.streamAsKept(stream, options)) yield toRecorded(event);
  }

  /** The log's events after a position (exclusive), as far as the log goes now. */
  async *after(position: number, options?: WalkOptions): AsyncGenerator<Recorded> {
    for await (const event of this.afterAsKept(position, options)) yield toRecorded(event);
  }

  /** As `stream`, with payloads as the JSON text that they are kept as. */
  async *streamAsKept(
    stream: string,
    { from, backwards = false, until }: HistoryOptions = {},
  ): AsyncGenerator<StoredEvent> {
    let next = from ?? (backwards ? Number.MAX_SAFE_INTEGER : 0);
    for (;;) {
      const query: ReadQuery = { stream, from: next, limit: page, backwards, ...toUntil(until) };
      const events = await this.#engine.read(this.name, query);
      yield* events;
      const last = events.at(-1);
      if (!last) return;
      next = last.revision + (backwards ? -1 : 1);
      if (next < 0) return;
    }
  }

  /** As `after`, with payloads as the JSON text that they are kept as. */
  async *afterAsKept(
    position: number,
    { types, categories, streams, until }: WalkOptions = {},
  ): AsyncGenerator<StoredEvent> {
    let after = position;
    for (;;) {
      const query: ReadQuery = {
        after,
        limit: page,
        ...(types && { types }),
        ...(categories && { categories }),
        ...(streams && { streams }),
        ...toUntil(until),
      };
      const events = await this.#engine.read(this.name, query);
      yield* events;
      const last = events.at(-1);
      if (!last) return;
      after = last.position;
    }
  }

  /** A stream's last revision, or -1. */
  revision(stream: string): Promise<number> {
    return this.#engine.revision(this.name, stream);
  }

  /** What is known of a key. */
  receipt(key: string): Promise<Receipt | undefined> {
    return this.#engine.receipt(this.name, key);
  }
}

const nothingExpected: Append["expect"] = [];

function toExpectations(expect: NonNullable<LogAppend["expect"]>): Append["expect"] {
  const list: Append["expect"] = isList(expect)
    ? expect
    : Object.entries(expect).map(([stream, revision]) => ({ stream, revision }));
  for (const { stream, revision } of list) {
    checkStreamName(stream);
    // -1 is the revision of a stream that is not there.
    if (typeof revision === "number" && !(Number.isSafeInteger(revision) && revision >= -1))
      throw new TypeError(
        `An append expects revision ${revision} of ${stream}; revisions are 0, 1, 2 and so on, or "any", "none", "exists".`,
      );
  }
  return list;
}

const isList = (expect: NonNullable<LogAppend["expect"]>): expect is Append["expect"] => Array.isArray(expect);

function toNewEvent(event: LogEvent): NewEvent {
  const { stream, type, version = 1, meta } = event;
  checkStreamName(stream);
  const what = `The event ${type} of ${stream}`;
  const data = "json" in event ? event.json : toExactJson(event.data, what);
  const written = { stream, type, version, data };
  const whole = meta === undefined ? written : { ...written, meta: toExactJson(meta, `${what}, its meta,`) };
  checkEvent(whole);
  return whole;
}

function toRecorded({ data, meta, ...event }: StoredEvent): Recorded {
  return { ...event, data: JSON.parse(data), ...(meta !== undefined && { meta: JSON.parse(meta) }) };
}
