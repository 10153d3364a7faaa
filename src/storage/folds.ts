import type { Engine, ReadQuery, StoredEvent } from "./engine.ts";
import type { AnyEntity, EventMeta, HistoryOptions } from "./entity.ts";
import type { EventCodec } from "./event-codec.ts";
import { freeze } from "./freeze.ts";
import { Generations } from "./generations.ts";
import { parse } from "./parse.ts";
import type { Snapshots } from "./snapshots.ts";
import { toStreamName } from "./stream-name.ts";
import { toUntil } from "./until.ts";

/** An entity's state after its event of that revision; -1 before the first. */
export interface Folded {
  readonly revision: number;
  readonly state: unknown;
  /** The id of the last event that is folded in; and the state's written side, where the entity keeps snapshots. */
  readonly event?: string;
  readonly written?: unknown;
}

/** Where a stream ends; its last event, where that is to be compared. */
interface End {
  readonly revision: number;
  readonly event?: string | undefined;
}

const cachedEntities = 20_000;
const page = 500;

/**
 * Entities' states, folded from their streams. What was folded is kept with its last event and led on from there; each look
 * asks the engine which event is the last one, so a kept state is never given out as the present one. A revision would not
 * do: after a fail-over to a replica that lagged, other events may have the revisions of those that are lost.
 */
export class Folds {
  readonly #engine: Engine;
  readonly #log: string;
  readonly #codec: EventCodec;
  readonly #snapshots: Snapshots;
  readonly #exclusive: boolean;
  #kept = new Generations<Folded>(cachedEntities);
  /** `exclusive`: nobody else writes, so that no epoch begins, and a revision tells its event, as long as this lasts. */
  constructor(engine: Engine, log: string, codec: EventCodec, snapshots: Snapshots, exclusive: boolean) {
    this.#engine = engine;
    this.#exclusive = exclusive;
    this.#log = log;
    this.#codec = codec;
    this.#snapshots = snapshots;
  }

  /** What was the present state a moment ago, without a look: for whoever has the append say whether it still is. */
  recent(stream: string): Folded | undefined {
    return this.#kept.get(stream);
  }

  /** The present state. `ahead`: of what may not be on disk yet, for whoever has an append say whether it was the present one. */
  async load(entity: AnyEntity, id: string, ahead = false): Promise<Folded> {
    const stream = toStreamName(entity.name, id);
    const kept = this.#kept.get(stream);
    if (this.#exclusive) return this.#follow(entity, stream, kept, ahead);
    const end = await this.#end(stream);
    if (kept && this.#isAt(kept, end)) return kept;
    const led = kept && (await this.#lead(entity, stream, kept, end));
    if (!led) this.#kept.delete(stream);
    const folded = led ?? (await this.#lead(entity, stream, await this.#begin(entity, stream), end));
    if (!folded) return this.load(entity, id); // what it began from was lost in this moment
    if (folded.revision >= 0) this.keep(entity, stream, folded);
    return folded;
  }

  /** Whether a state is the present one. */
  async isPresent(stream: string, folded: Folded): Promise<boolean> {
    return this.#isAt(folded, await this.#end(stream));
  }

  /** The state at an instant, or at a position: `at` and positions never go back along the log, so both are a prefix. */
  async asOf(entity: AnyEntity, id: string, when: Date | number): Promise<Folded> {
    const stream = toStreamName(entity.name, id);
    const snapshot = await this.#snapshots.load(entity, stream);
    let folded = snapshot && isWithin(snapshot.after, when) ? snapshot.folded : await this.#initial(entity);
    for await (const event of this.#events(stream, { from: folded.revision + 1, until: when }))
      folded = await this.#apply(entity, folded, event);
    return folded;
  }

  async *history(entity: AnyEntity, id: string, options: HistoryOptions = {}): AsyncGenerator<unknown> {
    for await (const event of this.#events(toStreamName(entity.name, id), options)) {
      const { type, version, data, at, position, revision } = event;
      const payload = await this.#codec.decode(type, version, data);
      const name = type.slice(type.indexOf(".") + 1);
      yield { event: name, payload, id: event.id, at: new Date(at), position, revision };
    }
  }

  /**
   * One event further. The new state is checked after each event, not only at the end: `evolve` gives the written side
   * of the schema and takes the read side, so with a default or a conversion in between there is no skipping it.
   */
  step(
    entity: AnyEntity,
    { state }: Folded,
    type: string,
    value: unknown,
    { id: event, revision }: EventMeta,
  ): Folded | Promise<Folded> {
    const name = type.slice(type.indexOf(".") + 1);
    const evolve = entity.evolve[name];
    if (!type.startsWith(`${entity.owner}.`) || !evolve)
      throw new Error(`The entity "${entity.name}" does not know the event ${type} that is in its stream.`);
    const written = evolve(state, value, { id: event, revision });
    const next = parse(
      entity.state,
      written,
      () => `The entity "${entity.name}" evolved by ${type} at revision ${revision} to what is not its state`,
    );
    const toFolded = (state: unknown): Folded => {
      const folded = { revision, event, state: freeze(state) };
      return entity.snapshots ? { ...folded, written: freeze(written) } : folded;
    };
    return next instanceof Promise ? next.then(toFolded) : toFolded(next);
  }

  /**
   * Takes a state for the present one, until somebody looks. It is on disk, or was read `ahead`: then every look that
   * gives it out, and every append that rests on it, waits for the flush that brings it there.
   */
  keep(entity: AnyEntity, stream: string, folded: Folded): void {
    const kept = this.#kept.get(stream);
    if (!kept || kept.revision < folded.revision) this.#kept.set(stream, folded);
    this.#snapshots.offer(entity, stream, folded);
  }

  /** Where a revision tells its event, nothing has to be asked but what there is beyond it. */
  async #follow(entity: AnyEntity, stream: string, kept: Folded | undefined, ahead: boolean): Promise<Folded> {
    let folded = kept ?? (await this.#begin(entity, stream));
    for (;;) {
      const events = await this.#engine.read(this.#log, { stream, from: folded.revision + 1, limit: page, ahead });
      if (events.length === 0) break;
      for (const event of events) {
        const next = this.#apply(entity, folded, event);
        folded = next instanceof Promise ? await next : next;
      }
    }
    if (folded.revision > (kept?.revision ?? -1)) this.keep(entity, stream, folded);
    return folded;
  }

  async #begin(entity: AnyEntity, stream: string): Promise<Folded> {
    const snapshot = (await this.#snapshots.load(entity, stream))?.folded;
    if (!snapshot) return this.#initial(entity);
    const again = (goesOn: () => boolean) => this.#foldAgain(entity, stream, snapshot, goesOn);
    this.#snapshots.check(entity, stream, snapshot, again, () => {
      this.#kept = new Generations(cachedEntities);
    });
    return snapshot;
  }

  /** What a state comes to from the beginning; nothing where it is given up, or its events are not there any more. */
  async #foldAgain(
    entity: AnyEntity,
    stream: string,
    { revision, event }: Folded,
    goesOn: () => boolean,
  ): Promise<Folded | undefined> {
    let folded = await this.#initial(entity);
    while (folded.revision < revision && goesOn()) {
      const limit = Math.min(page, revision - folded.revision);
      const events = await this.#engine.read(this.#log, { stream, from: folded.revision + 1, limit });
      if (events.length === 0) return undefined;
      for (const one of events) folded = await this.#apply(entity, folded, one);
    }
    return folded.event === event ? folded : undefined;
  }

  /** A state, led on to the end; nothing where what is folded in already is not in the stream. */
  async #lead(entity: AnyEntity, stream: string, start: Folded, end: End): Promise<Folded | undefined> {
    if (this.#isAt(start, end)) return start;
    let folded = start;
    for (let from = Math.max(0, start.revision); folded.revision < end.revision; from = folded.revision + 1) {
      const events = await this.#engine.read(this.#log, { stream, from, limit: page });
      if (events.length === 0 || (from === start.revision && events[0]?.id !== start.event)) return undefined;
      for (const event of events) {
        if (event.revision <= start.revision) continue;
        const next = this.#apply(entity, folded, event);
        folded = next instanceof Promise ? await next : next;
      }
    }
    return folded === start ? undefined : folded;
  }

  async #end(stream: string): Promise<End> {
    if (this.#exclusive) return { revision: await this.#engine.revision(this.#log, stream) };
    const from = Number.MAX_SAFE_INTEGER;
    const [last] = await this.#engine.read(this.#log, { stream, from, limit: 1, backwards: true });
    return { revision: last?.revision ?? -1, event: last?.id };
  }

  #isAt({ revision, event }: Folded, end: End): boolean {
    return revision === end.revision && (this.#exclusive || event === end.event);
  }

  async *#events(stream: string, { from, backwards = false, until }: HistoryOptions): AsyncGenerator<StoredEvent> {
    let next = from ?? (backwards ? Number.MAX_SAFE_INTEGER : 0);
    while (next >= 0) {
      const query: ReadQuery = { stream, from: next, limit: page, backwards, ...toUntil(until) };
      const events = await this.#engine.read(this.#log, query);
      yield* events;
      const last = events.at(-1);
      if (!last) return;
      next = last.revision + (backwards ? -1 : 1);
    }
  }

  /** Checked anew each time: an `initial` that a fold changed would be everybody's. */
  #initial(entity: AnyEntity): Folded | Promise<Folded> {
    const checked = parse(
      entity.state,
      entity.initial,
      () => `The entity "${entity.name}" begins with what is not its state`,
    );
    const begin = (state: unknown): Folded => ({ revision: -1, state: freeze(state) });
    return checked instanceof Promise ? checked.then(begin) : begin(checked);
  }

  #apply(
    entity: AnyEntity,
    folded: Folded,
    { id, type, version, revision, data }: StoredEvent,
  ): Folded | Promise<Folded> {
    const value = this.#codec.decode(type, version, data);
    const step = (read: unknown) => this.step(entity, folded, type, read, { id, revision });
    return value instanceof Promise ? value.then(step) : step(value);
  }
}

const isWithin = ({ position, at }: StoredEvent, until: Date | number): boolean =>
  typeof until === "number" ? position <= until : at <= until.getTime();
