import { eventsOf, Fault } from "../contracts/index.ts";
import type { Going } from "./append-with-rows.ts";
import type { Expectation } from "./engine.ts";
import type { AnyEntity, Decision, EntityReader, EntityWriter, PastEvent } from "./entity.ts";
import type { Encoded } from "./event-codec.ts";
import type { EventVersions } from "./event-versions.ts";
import type { Folded, Folds } from "./folds.ts";
import type { Log, LogAppend } from "./log.ts";
import { toStreamName } from "./stream-name.ts";
import type { Turns } from "./turns.ts";

interface Touched {
  readonly entity: AnyEntity;
  readonly stream: string;
  /** What the handler saw first, which the append expects. */
  readonly seen: Folded;
  folded: Folded;
}
interface Pending extends Encoded {
  readonly stream: string;
  readonly id: string;
  readonly revision: number;
}
class EmittedEvent {
  readonly event: string;
  readonly payload: unknown;
  constructor(event: string, payload: unknown) {
    this.event = event;
    this.payload = payload;
  }
}
export type Emitters = { readonly [event: string]: (payload: unknown) => unknown };
type AnyReader = EntityReader<any, unknown>; // whatever its events are
type AnyWriter = EntityWriter<any, unknown>; // as above

/** What decisions on an entity emit its events with: the same for every run of a handler. */
export const toEmitters = ({ contract, owner }: AnyEntity): Emitters =>
  Object.fromEntries(
    [...eventsOf(contract).keys()].map((event) => [
      event,
      (payload: unknown) => new EmittedEvent(`${owner}.${event}`, payload),
    ]),
  );

export interface Surroundings {
  readonly log: Log;
  readonly versions: EventVersions;
  readonly folds: Folds;
  readonly turns: Turns;
}

/** One run of a command's handler: what it has seen, and what it asks for. It becomes one append, or nothing. */
export class Unit {
  readonly #operation: string;
  readonly #around: Surroundings;
  readonly #id: string;
  readonly #trusts: boolean;
  readonly #touched = new Map<string, Touched>();
  readonly #pending: Pending[] = [];
  #last: unknown;
  #open = 0;
  #closed = false;
  #endTurn: (() => void) | undefined;
  /**
   * `trusts`: it decides on states as they are remembered, without a look, or as they are seen, before they are on disk.
   * The append expects their revisions and comes after them, so it is right whenever it is written; where nothing is
   * appended, ask `wasOvertaken` before the answer is believed.
   */
  constructor(operation: string, around: Surroundings, trusts: boolean) {
    this.#operation = operation;
    this.#around = around;
    this.#trusts = trusts;
    this.#id = around.log.nextId();
  }

  /** `emit` is the entity's, from `toEmitters`. */
  entity(entity: AnyEntity, emit: Emitters): (id: string) => AnyWriter {
    return (id) => ({
      ...readEntity(this.#around.folds, entity, id),
      // A command that looks at an entity decides by it, so what it saw is expected of the append too.
      state: () => this.#inTurn(entity, id, ({ folded: { revision, state } }) => (revision < 0 ? undefined : state)),
      decide: (decision) =>
        this.#inTurn(entity, id, (touched) => {
          // The events of the decision are typed by the entity; `emit` is made from the same contract.
          const decided = (decision as (state: unknown, emit: object) => Decision)(touched.folded.state, emit);
          const accepted = this.#accept(touched, decided);
          return accepted ? accepted.then(() => touched.folded.state) : touched.folded.state;
        }),
    });
  }

  /** Nothing more may be asked for, and what was asked for and not begun yet is dropped. */
  close(): void {
    this.#closed = true;
  }

  /** Throws where the handler ended without waiting for what it had asked for. */
  checkAwaited(): void {
    if (this.#open === 0) return;
    throw new Error(
      `The handler of ${this.#operation} ended while a decision of its own was under way. Await every decide() and state().`,
    );
  }

  /** What the handler decided, in its order. */
  get events(): readonly Going[] {
    return this.#pending;
  }

  /** All that the handler asked for as one append. */
  toAppend(): LogAppend {
    const expect: Expectation[] = [];
    for (const { stream, seen } of this.#touched.values())
      expect.push({ stream, revision: seen.revision, event: seen.event });
    return { id: this.#id, expect, events: this.#pending };
  }

  /** Whether a state that it took on trust was not the present one. */
  async wasOvertaken(): Promise<boolean> {
    if (!this.#trusts) return false;
    for (const [stream, { seen }] of this.#touched)
      if (!(await this.#around.folds.isPresent(stream, seen))) return true;
    return false;
  }

  /** It is on disk: the states that the handler saw are the present ones. */
  keep(): void {
    for (const [stream, { entity, folded }] of this.#touched) this.#around.folds.keep(entity, stream, folded);
  }

  /** Lets the next command on the same entity begin. */
  release(): void {
    this.#endTurn?.();
  }

  /** At once where nobody else is deciding on it and its state is remembered, which is nearly always. */
  #touch(entity: AnyEntity, id: string): Touched | Promise<Touched> {
    const stream = toStreamName(entity.name, id);
    const known = this.#touched.get(stream);
    if (known) return known;
    // One turn a command: two that each held one and waited for the other's would wait for good.
    this.#endTurn ??= this.#around.turns.takeNow(stream);
    const recent = this.#endTurn && this.#trusts ? this.#around.folds.recent(stream) : undefined;
    return recent ? this.#note(entity, stream, recent) : this.#load(entity, id, stream);
  }

  async #load(entity: AnyEntity, id: string, stream: string): Promise<Touched> {
    if (!this.#endTurn) {
      this.#endTurn = await this.#around.turns.take(stream);
      // The handler has ended in the meantime, so nobody else would give the turn back.
      if (this.#closed) this.#endTurn();
      this.#checkOpen();
    }
    const { folds } = this.#around;
    const recent = this.#trusts ? folds.recent(stream) : undefined;
    return this.#note(entity, stream, recent ?? (await folds.load(entity, id, this.#trusts)));
  }

  #note(entity: AnyEntity, stream: string, folded: Folded): Touched {
    const touched = { entity, stream, seen: folded, folded };
    this.#touched.set(stream, touched);
    return touched;
  }

  /** Takes over what a decision asks for: all of it, or nothing. At once, unless a schema makes it wait. */
  #accept(touched: Touched, decision: Decision): undefined | Promise<void> {
    const emitted: readonly unknown[] = Array.isArray(decision) ? decision : [decision];
    const accepted: Pending[] = [];
    const acceptFrom = (from: number, before: Folded): undefined | Promise<void> => {
      let folded = before;
      for (let index = from; index < emitted.length; index++) {
        const next = this.#fold(touched, folded, emitted[index], accepted);
        if (next instanceof Promise) return next.then((settled) => acceptFrom(index + 1, settled));
        folded = next;
      }
      this.#pending.push(...accepted);
      touched.folded = folded;
      return undefined;
    };
    return acceptFrom(0, touched.folded);
  }

  /** One event further, and noted among those that are accepted. */
  #fold({ entity, stream }: Touched, folded: Folded, emitted: unknown, accepted: Pending[]): Folded | Promise<Folded> {
    if (!(emitted instanceof EmittedEvent)) {
      throw new TypeError(
        `A decision of ${this.#operation} on ${stream} returned ${emitted instanceof Promise ? "a promise; decisions are pure, so look things up before" : "something that is no event"}. Return what the emitters give, or [].`,
      );
    }
    const id = `${this.#id}/${this.#pending.length + accepted.length}`;
    const revision = folded.revision + 1;
    const step = ({ type, version, json, value }: Encoded): Folded | Promise<Folded> => {
      accepted.push({ type, version, json, value, id, revision, stream });
      return this.#around.folds.step(entity, folded, type, value, { id, revision });
    };
    const encoded = this.#around.versions.encode(emitted.event, emitted.payload);
    return encoded instanceof Promise ? encoded.then(step) : step(encoded);
  }

  #checkOpen(): void {
    if (!this.#closed) return;
    throw new Fault("Internal", `The handler of ${this.#operation} has ended, so it cannot decide any more.`, {
      retry: "never",
      outcome: "not done",
    });
  }

  /** Decisions of one handler run one after the other, even where it starts them side by side. */
  async #inTurn<T>(entity: AnyEntity, id: string, work: (touched: Touched) => T | Promise<T>): Promise<T> {
    this.#checkOpen();
    const others = this.#open++ > 0 ? this.#last : undefined;
    try {
      const done = others ? this.#after(others, entity, id, work) : this.#work(entity, id, work);
      this.#last = done;
      return await done;
    } finally {
      // A little longer than a handler takes to end: who does not wait for what was decided, or refused, at once is found out.
      await undefined;
      await undefined;
      this.#open--;
    }
  }

  async #after<T>(
    others: unknown,
    entity: AnyEntity,
    id: string,
    work: (touched: Touched) => T | Promise<T>,
  ): Promise<T> {
    await Promise.resolve(others).catch(() => {}); // whoever asked for those is told
    this.#checkOpen();
    return this.#work(entity, id, work);
  }

  #work<T>(entity: AnyEntity, id: string, work: (touched: Touched) => T | Promise<T>): T | Promise<T> {
    const touched = this.#touch(entity, id);
    return touched instanceof Promise ? touched.then(work) : work(touched);
  }
}

/** An entity for those who only look. */
export function readEntity(folds: Folds, entity: AnyEntity, id: string): AnyReader {
  const shown = ({ revision, state }: Folded): unknown => (revision < 0 ? undefined : state);
  return {
    state: async () => shown(await folds.load(entity, id)),
    asOf: async (when) => shown(await folds.asOf(entity, id, when)),
    history: (options) => folds.history(entity, id, options) as AsyncIterable<PastEvent<any>>, // typed by the entity
  };
}
