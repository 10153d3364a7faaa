import type { Clock } from "../contracts/index.ts";
import type { Engine, Place, StoredEvent, Write } from "./engine.ts";
import type { EventCodec } from "./event-codec.ts";
import { Halt } from "./halt.ts";
import type { KeptModel } from "./kept-model.ts";
import type { Parking } from "./parking.ts";

const longestPage = 1_000;
/** Events that one commit takes at most: the more, the more often what they write is one and the same row. */
const longestBatch = 4 * longestPage;
/** Positions that one look covers at most, however few of them are the reader's: another reader may be waiting for its turn. */
const stretch = 20_000;
/** Positions that a checkpoint may lag where nothing of the reader's own was met: a commit for each append would cost more. */
const idle = 1_000;
/** A handler writes what follows from its event, so it fails the same way again; but not everybody keeps to that. */
const attempts = 3;
/** More are no accidents but a mistake in the code, and a reader that passes over everything helps nobody. */
const mostParked = 1_000;

/** What an event writes, why it is to be parked, or why the reader must stop before it. */
type Taken = readonly Write[] | string | Halt;
/** Events that follow each other, and what they write. */
interface Batch {
  readonly events: readonly StoredEvent[];
  readonly taken: readonly Taken[];
}
const nothing: Batch = { events: [], taken: [] };

export interface ModelPorts {
  readonly engine: Engine;
  readonly log: string;
  readonly codec: EventCodec;
  readonly clock: Clock;
  readonly parking: Parking;
}

/**
 * Leads one read model along the log, a batch at a time. Its rows, its checkpoint and what it parks are one commit, so
 * whatever ends the process costs a batch of work and writes nothing twice; and where another process leads the same
 * model, one of the two commits and the other looks again.
 */
export class ModelReader {
  readonly kept: KeptModel;
  readonly #ports: ModelPorts;
  readonly #types: readonly string[];
  #place: Place | undefined;
  /** The end of the log when it was last asked for: before it is reached there is no need to ask again. */
  #head: Place | undefined;
  /** Up to here there is nothing of its own beyond its checkpoint. */
  #seen = 0;
  #ahead: { readonly after: number; readonly batch: Promise<Batch> } | undefined;
  /** At least how many are parked, once one was: counted up to see whether it is too many. */
  #parked: number | undefined;
  constructor(kept: KeptModel, ports: ModelPorts) {
    this.kept = kept;
    this.#ports = ports;
    this.#types = kept.events.map(({ id }) => id);
  }

  /** One batch further; the position where the log ends, once it has come there. Throws a `Halt` where it must not go on. */
  async step(): Promise<{ readonly position: number; readonly arrived: boolean }> {
    const { engine, log } = this.#ports;
    // What is kept inline moves with appends, and not only by this hand.
    const isInline = this.kept.model.kept === "inline";
    const known = isInline ? undefined : this.#place;
    const far = known && this.#head && Math.max(known.position, this.#seen) < this.#head.position;
    const head = far && this.#head ? this.#head : await engine.head(log);
    this.#head = head;
    const place = known ?? (await engine.checkpoint(log, this.kept.reader));
    if (!known) this.#seen = 0; // it was moved by others, or begins again
    const after = Math.max(place.position, this.#seen);
    if (place.epoch !== head.epoch) throw new Halt(toEpochSentence(log, this.kept.reader, place.epoch, head.epoch));
    if (after >= head.position) return { position: after, arrived: true };
    const batch = this.#types.length === 0 ? nothing : await this.#read(after);
    const last = batch.events.at(-1);
    if (batch.events.length >= longestPage / 2 && last) this.#readAhead(last.position);
    // Where the look found nothing, nothing of its own lies within the stretch: the head was asked for before.
    const position = last?.position ?? Math.min(head.position, after + stretch);
    if (!last && !isInline && position - place.position < idle) {
      this.#place = place;
      this.#seen = position;
      return { position, arrived: !far && position >= head.position };
    }
    if (!(await this.#take(place, batch, position))) this.#place = undefined;
    const { position: reached } = this.#place ?? place;
    return { position: reached, arrived: !far && reached >= head.position };
  }

  /** Tries the parked events again, in their order. Says how many there were, and how many stay. */
  async resume(): Promise<{ readonly done: number; readonly parked: number }> {
    const { engine, log, parking } = this.#ports;
    const { reader } = this.kept;
    let done = 0;
    const all = await parking.of(reader, Number.POSITIVE_INFINITY);
    for (const { position } of all) {
      const [event] = await engine.read(log, { after: position - 1, limit: 1 });
      if (event?.position !== position) continue;
      const taken = await this.#writesOf(event);
      if (taken instanceof Halt) throw taken;
      const reason =
        typeof taken === "string" ? taken : await this.#refusalOf([...taken, parking.leave(reader, position)]);
      if (reason === undefined) done++;
      else await this.#commitHere([this.#park(event, reason)]);
    }
    this.#parked = undefined;
    return { done, parked: all.length - done };
  }

  /** Lets a parked event go: the rows stay as if it had not happened. */
  async dismiss(position: number): Promise<void> {
    await this.#commitHere([this.#ports.parking.leave(this.kept.reader, position)]);
    this.#parked = undefined;
  }

  /** Begins again with an empty table. */
  async rebuild(): Promise<void> {
    const { engine, log, parking } = this.#ports;
    const { collection, reader } = this.kept;
    await engine.empty({ collection: collection.name, reader: { log, name: reader }, beside: parking.all(reader) });
    this.#place = undefined;
    this.#seen = 0;
    this.#ahead = undefined;
    this.#parked = undefined;
  }

  /** How many events it has passed over. */
  async parked(): Promise<number> {
    return (await this.#ports.parking.of(this.kept.reader, mostParked + 1)).length;
  }

  /** Commits what is written of an event; why not, where the engine refuses it. */
  async #refusalOf(writes: readonly Write[]): Promise<string | undefined> {
    try {
      await this.#commitHere(writes);
      return undefined;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return error.message;
    }
  }

  async #read(after: number): Promise<Batch> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    // An empty batch is as old as its look: what was appended since then is not in it, and must not be passed over.
    if (ahead?.after === after && (await ahead.batch).events.length > 0) return ahead.batch;
    return this.#ask(after);
  }

  /**
   * The next batch is read and handled while this one is written: handlers read nothing, so it makes no difference to
   * them, and a rebuild takes as long as the slower of the two instead of their sum.
   */
  #readAhead(after: number): void {
    const batch = this.#ask(after);
    batch.catch(() => {}); // whoever takes it is told
    this.#ahead = { after, batch };
  }

  /** Pages as long as they are full; each is asked for while the one before is handled. */
  async #ask(after: number): Promise<Batch> {
    const events: StoredEvent[] = [];
    const taken: Taken[] = [];
    for (let page = await this.#page(after); ; ) {
      const last = page.at(-1);
      const goesOn = last && page.length >= longestPage / 2 && events.length + page.length < longestBatch;
      const next = goesOn ? this.#page(last.position) : undefined;
      next?.catch(() => {}); // it is awaited below, unless an event ends the batch before
      for (const event of page) {
        const one = this.#writesOf(event);
        events.push(event);
        taken.push(one instanceof Promise ? await one : one);
      }
      if (!next || taken.at(-1) instanceof Halt) return { events, taken };
      page = await next;
    }
  }

  #page(after: number): Promise<readonly StoredEvent[]> {
    const { engine, log } = this.#ports;
    return engine.read(log, { after, limit: longestPage, types: this.#types, untilPosition: after + stretch });
  }

  async #take(place: Place, { events, taken }: Batch, position: number): Promise<boolean> {
    const writes: Write[] = [];
    let parks = 0;
    for (const [index, event] of events.entries()) {
      const one = taken[index] as Taken; // one an event
      if (one instanceof Halt) {
        const before = events[index - 1];
        if (!before) throw one;
        return this.#take(place, { events: events.slice(0, index), taken }, before.position);
      }
      if (typeof one === "string") {
        parks++;
        writes.push(this.#park(event, one));
      } else for (const write of one) writes.push(write);
    }
    if (parks > 0 && !(await this.#mayPark(parks))) return this.#takeHalves(place, { events, taken }, position);
    try {
      return await this.#commit(place, position, writes, parks);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      // What the engine refuses is one event's doing: each half goes by itself, until it is found.
      if (events.length > 1) return this.#takeHalves(place, { events, taken }, position);
      if (events.length === 0 || typeof taken[0] === "string") throw error;
      return this.#take(place, { events, taken: [error.message] }, position);
    }
  }

  async #takeHalves(place: Place, { events, taken }: Batch, position: number): Promise<boolean> {
    const half = Math.ceil(events.length / 2);
    const middle = events[half - 1]?.position ?? position;
    if (!(await this.#take(place, { events: events.slice(0, half), taken: taken.slice(0, half) }, middle)))
      return false;
    return this.#take(
      { ...place, position: middle },
      { events: events.slice(half), taken: taken.slice(half) },
      position,
    );
  }

  async #commit(
    { epoch, position: from }: Place,
    position: number,
    writes: readonly Write[],
    parks = 0,
  ): Promise<boolean> {
    const { engine, log } = this.#ports;
    if (!(await engine.commit({ log, reader: this.kept.reader, epoch, from, position }, writes))) return false;
    this.#place = { epoch, position };
    if (this.#parked !== undefined) this.#parked += parks;
    return true;
  }

  /** Writes without moving; from wherever the reader stands at that moment. */
  async #commitHere(writes: readonly Write[]): Promise<void> {
    const { engine, log } = this.#ports;
    for (let attempt = 0; attempt < 100; attempt++) {
      const place = await engine.checkpoint(log, this.kept.reader);
      if (!(await this.#commit(place, place.position, writes))) continue;
      this.#seen = 0; // of a reader that somebody may have moved back in the meantime
      return;
    }
    throw new Error(`The reader "${this.kept.reader}" is being moved by somebody else all the time. Try again later.`);
  }

  /** At once where the schemas can be, so that nobody waits between thousands of events. */
  #writesOf(event: StoredEvent, attempt = 1): Taken | Promise<Taken> {
    const { id, type, version, revision, data } = event;
    const write = (value: unknown) => this.kept.writes(type, value, { id, revision });
    try {
      const value = this.#ports.codec.decode(type, version, data);
      const writes = value instanceof Promise ? value.then(write) : write(value);
      return writes instanceof Promise ? writes.catch((error) => this.#again(event, attempt, error)) : writes;
    } catch (error) {
      return this.#again(event, attempt, error);
    }
  }

  #again(event: StoredEvent, attempt: number, error: unknown): Taken | Promise<Taken> {
    if (error instanceof Halt) return error;
    if (attempt < attempts) return this.#writesOf(event, attempt + 1);
    return error instanceof Error ? error.message : String(error);
  }

  #park(event: StoredEvent, reason: string): Write {
    return this.#ports.parking.park(this.kept.reader, event, reason, this.#ports.clock.now());
  }

  /** Whether so many more may be; where not even one may, the reader must not go on. */
  async #mayPark(more: number): Promise<boolean> {
    this.#parked ??= await this.parked();
    // Others may have taken some out since they were counted.
    if (this.#parked + more > mostParked) this.#parked = await this.parked();
    if (this.#parked + more <= mostParked) return true;
    if (more > 1) return false;
    this.#parked = undefined;
    throw new Halt(
      `"${this.kept.reader}" has parked ${mostParked} events, which is no accident any more. Mend its handlers, then resume it.`,
    );
  }
}

const toEpochSentence = (log: string, reader: string, seen: number, present: number): string =>
  `"${reader}" has read epoch ${seen} of the log "${log}", which is in epoch ${present} now: it was restored, or failed over to a replica that lagged, so what was read may not be what is there. Rebuild it.`;
