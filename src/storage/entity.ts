import {
  type AnyContract,
  type AnySchema,
  type Event,
  type EventNames,
  eventsOf,
  type In,
  type NameOf,
  type Out,
} from "../contracts/index.ts";
import { toFingerprint } from "./fingerprint.ts";

export type Payload<E> = E extends Event<infer S> ? Out<S> : never;
type Written<E> = E extends Event<infer S> ? In<S> : never;

/**
 * What is known of an event besides its payload. No time and no position: they are given when the event is on its way to
 * disk, after it was decided on, and a fold must give the same live and replayed. An event that needs its time carries it.
 */
export interface EventMeta {
  readonly id: string;
  readonly revision: number;
}

/** An entity belongs to the contract whose events it is made of; nobody else can write it. */
export interface Entity<Owner extends string, E, State> {
  readonly kind: "entity";
  readonly name: string;
  readonly owner: Owner;
  readonly contract: AnyContract;
  readonly state: AnySchema;
  readonly initial: unknown;
  readonly evolve: { readonly [event: string]: Evolve };
  /** Where states are kept beside the events: after how many, and what of the code they hold for. */
  readonly snapshots?: { readonly every: number; readonly fingerprint: string };
  readonly "~events"?: E;
  readonly "~state"?: State;
}
export type AnyEntity = Entity<string, any, any>; // whatever its events and its state are
export type Evolve = (state: any, event: any, meta: EventMeta) => unknown; // each event has its own types, forgotten in the map

/** Declares an entity: a state, and how each event of its contract changes it. */
export function entity<C extends AnyContract, S extends AnySchema>(
  name: string,
  parts: {
    readonly events: C;
    readonly state: S;
    readonly initial: In<S>;
    /**
     * One pure function an event; forgetting one does not compile.
     * NoInfer stands around the whole: without it the functions are inferred from, and `status: "held"` is widened to string.
     */
    readonly evolve: NoInfer<{
      readonly [K in EventNames<C>]: (state: Out<S>, event: Payload<C[K]>, meta: EventMeta) => In<S>;
    }>;
    /** Keeps the state after about so many events, so that a long stream is not folded from its beginning. */
    readonly snapshotEvery?: number;
    /** Raised when something that `evolve` calls has changed: a change of `evolve` itself, and of a schema, is noticed. */
    readonly evolveVersion?: number;
  },
): Entity<NameOf<C>, { [K in EventNames<C>]: C[K] }, Out<S>> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new TypeError(`An entity's name is in kebab-case, like "flight"; "${name}" is not.`);
  const owner = parts.events["~contract"].name as NameOf<C>; // the contract's own name, widened by AnyContract
  const evolve = parts.evolve as { readonly [event: string]: Evolve };
  const missing = [...eventsOf(parts.events).keys()].find((event) => typeof evolve[event] !== "function");
  if (missing) throw new TypeError(`The entity "${name}" does not say how ${owner}.${missing} changes it.`);
  return Object.freeze({
    kind: "entity",
    name,
    owner,
    contract: parts.events,
    state: parts.state,
    initial: parts.initial,
    evolve: Object.freeze({ ...evolve }),
    ...(parts.snapshotEvery !== undefined && {
      snapshots: toSnapshots(name, parts.snapshotEvery, { ...parts, evolve }),
    }),
  });
}

function toSnapshots(
  name: string,
  every: number,
  parts: Omit<Parameters<typeof toFingerprint>[0], "evolveVersion"> & { readonly evolveVersion?: number },
): { readonly every: number; readonly fingerprint: string } {
  if (!Number.isSafeInteger(every) || every < 1)
    throw new TypeError(`The entity "${name}" keeps a snapshot every ${every} events; give a whole number from 1 on.`);
  try {
    return Object.freeze({ every, fingerprint: toFingerprint({ evolveVersion: 1, ...parts }) });
  } catch (error) {
    throw new TypeError(
      `The entity "${name}" cannot keep snapshots, for its state cannot be written as JSON. ${(error as Error).message}`,
      { cause: error },
    );
  }
}

declare const emitted: unique symbol;
/** An event that a decision asks for. It happens when the decision returns it. */
export interface Emitted {
  readonly [emitted]: true;
}
export type Decision = Emitted | readonly Emitted[];
export type Emit<E> = { readonly [K in keyof E]: (payload: Written<E[K]>) => Emitted };

/** What an entity went through: one of its events, as it was recorded. */
export type PastEvent<E> = {
  readonly [K in keyof E]: {
    readonly event: K;
    /** As the present version of the contract reads it. */
    readonly payload: Payload<E[K]>;
    readonly id: string;
    readonly at: Date;
    readonly position: number;
    readonly revision: number;
  };
}[keyof E];
export interface HistoryOptions {
  /** The revision to begin with; the first unless told, and backwards the last. */
  readonly from?: number;
  readonly backwards?: boolean;
  /** Nothing later than an instant, or than a position of the log. */
  readonly until?: Date | number;
}

export interface EntityReader<E, State> {
  /** The folded state, or nothing when the entity has no events. */
  state(): Promise<State | undefined>;
  /** The state at an instant, or at a position of the log. */
  asOf(when: Date | number): Promise<State | undefined>;
  /** Its events, read page by page as they are asked for; a loop that is left reads no further, and holds nothing. */
  history(options?: HistoryOptions): AsyncIterable<PastEvent<E>>;
}
export interface EntityWriter<E, State> extends EntityReader<E, State> {
  /**
   * Decides purely over the state, which includes what the same handler decided before. Gives the state as it will be
   * when the command commits; a lost race runs the handler again.
   */
  decide(decision: (state: State, emit: Emit<E>) => Decision): Promise<State>;
}
