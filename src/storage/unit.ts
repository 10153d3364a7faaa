import { eventsOf, Fault } from "../contracts/index.ts";
import type { Going } from "./append-with-rows.ts";
import type { AnyEntity, Decision, EntityReader, EntityWriter, PastEvent } from "./entity.ts";
import type { Encoded, EventCodec } from "./event-codec.ts";
import type { Folded, Folds } from "./folds.ts";
import type { Log, LogAppend } from "./log.ts";
import { toStreamName } from "./stream-name.ts";
import type { Turns } from "./turns.ts";

interface Touched {
  readonly entity: AnyEntity;
  readonly stream: string;
  /** The revision that the handler saw first, which the append expects. */
  readonly seen: number;
  /** Whether that is from memory, and nobody has looked. */
  readonly trusted: boolean;
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
  readonly codec: EventCodec;
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
  #last: Promise<unknown> = Promise.resolve();
  #open = 0;
  #closed = false;
  #endTurn: (() => void) | undefined;
  /**
   * `trusts`: it decides on states as they are remembered, without a look. The append expects their revisions, so it is
   * right whenever it is written; where nothing is appended, ask `wasOvertaken` before the answer is believed.
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
      state: () =>
        this.#inTurn(async () => {
          const { revision, state } = (await this.#touch(entity, id)).folded;
          return revision < 0 ? undefined : state;
        }),
      decide: (decision) =>
        this.#inTurn(async () => {
          const touched = await this.#touch(entity, id);
          // The events of the decision are typed by the entity; `emit` is made from the same contract.
          const decided = (decision as (state: unknown, emit: object) => Decision)(touched.folded.state, emit);
          await this.#accept(touched, decided);
          return touched.folded.state;
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
    const expect = Array.from(this.#touched.values(), ({ stream, seen }) => ({ stream, revision: seen }));
    return { id: this.#id, expect, events: this.#pending };
  }

  /** Whether a state that it took on trust was not the present one. */
  async wasOvertaken(): Promise<boolean> {
    for (const [stream, { trusted, seen }] of this.#touched)
      if (trusted && (await this.#around.log.revision(stream)) !== seen) return true;
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

  async #touch(entity: AnyEntity, id: string): Promise<Touched> {
    const stream = toStreamName(entity.name, id);
    const known = this.#touched.get(stream);
    if (known) return known;
    // One turn a command: two that each held one and waited for the other's would wait for good.
    if (!this.#endTurn) {
      this.#endTurn = await this.#around.turns.take(stream);
      // The handler has ended in the meantime, so nobody else would give the turn back.
      if (this.#closed) this.#endTurn();
      this.#checkOpen();
    }
    const recent = this.#trusts ? this.#around.folds.recent(stream) : undefined;
    const folded = recent ?? (await this.#around.folds.load(entity, id));
    const touched = { entity, stream, seen: folded.revision, trusted: recent !== undefined, folded };
    this.#touched.set(stream, touched);
    return touched;
  }

  async #accept(touched: Touched, decision: Decision): Promise<void> {
    const { entity, stream } = touched;
    let { folded } = touched;
    const accepted: Pending[] = [];
    for (const emitted of (Array.isArray(decision) ? decision : [decision]) as readonly unknown[]) {
      if (!(emitted instanceof EmittedEvent)) {
        throw new TypeError(
          `A decision of ${this.#operation} on ${stream} returned ${emitted instanceof Promise ? "a promise; decisions are pure, so look things up before" : "something that is no event"}. Return what the emitters give, or [].`,
        );
      }
      const coded = this.#around.codec.encode(emitted.event, emitted.payload);
      const encoded = coded instanceof Promise ? await coded : coded;
      const revision = folded.revision + 1;
      const meta = { id: `${this.#id}/${this.#pending.length + accepted.length}`, revision };
      const next = this.#around.folds.step(entity, folded, encoded.type, encoded.value, meta);
      folded = next instanceof Promise ? await next : next;
      accepted.push({ ...encoded, ...meta, stream });
    }
    this.#pending.push(...accepted);
    touched.folded = folded;
  }

  #checkOpen(): void {
    if (!this.#closed) return;
    throw new Fault("Internal", `The handler of ${this.#operation} has ended, so it cannot decide any more.`, {
      retry: "never",
      outcome: "not done",
    });
  }

  /** Decisions of one handler run one after the other, even where it starts them side by side. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#checkOpen();
    const isFirst = this.#open++ === 0;
    const done = isFirst
      ? work()
      : this.#last.then(() => {
          this.#checkOpen();
          return work();
        });
    this.#last = done.catch(() => {});
    try {
      return await done;
    } finally {
      this.#open--;
    }
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
