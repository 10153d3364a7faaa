import assert from "node:assert/strict";
import {
  type AnySchema,
  type Event,
  eventsOf,
  Failed,
  type In,
  toJsonSchema,
  toProjection,
} from "../contracts/index.ts";
import type { Decision, Emit, Entity } from "../storage/index.ts";

type AnyEntity = Entity<string, any, any>; // whatever its events and its state are
type Written<E> = E extends Event<infer S> ? In<S> : never;
/** One event, as it is written: `{ SeatHeld: { flight, booking, traveller } }`. */
export type Told<E> = { [K in keyof E]: { readonly [P in K]: Written<E[P]> } }[keyof E];

/** An entity that went through some events. */
export interface Given<E, State> {
  /** Decides over its state, which is frozen: what a decision changes instead of emitting fails the test. */
  when(decision: (state: State, emit: Emit<E>) => Decision): Decided<E, State>;
  /** Fails unless this is its state. */
  thenState(expected: State): void;
}
/** What a decision came to. Each of these fails with a sentence where it came to something else. */
export interface Decided<E, State> {
  /** These events, in this order, and no others. Fields that the contract does not declare do not count. */
  thenEmits(...events: readonly Told<E>[]): void;
  thenNothing(): void;
  /** A failure that the contract declares, by its name; with details, where they are given. */
  thenFails(code: string, details?: unknown): void;
  /** Anything else that is thrown, by what its message says. */
  thenThrows(message: string | RegExp): void;
  /** The state that follows from what it emits. */
  thenState(expected: State): void;
}

/**
 * Tests decisions without an engine and without waiting: given what happened, when this is decided, then that follows.
 *
 *     given(flights, { SeatHeld: seat }).when(hold(seat)).thenFails("SoldOut");
 *     given(flights, { SeatHeld: seat }).when(release(seat)).thenEmits({ Released: place });
 *
 * Events and states pass their schemas as they do on the way to a log and back; what does not fit throws.
 */
export function given<E, State>(entity: Entity<string, E, State>, ...events: readonly Told<E>[]): Given<E, State> {
  const codec = new Codec(entity);
  const past = events.map((told) => codec.encode(...only(told)));
  const state = codec.fold(past);
  return Object.freeze({
    when: (decision: (state: State, emit: Emit<E>) => Decision) =>
      toDecided<E, State>(codec, past, () => decision(state as State, codec.emit as Emit<E>)),
    thenState: (expected: State) => assert.deepStrictEqual(state, expected),
  });
}

interface Kept {
  readonly event: string;
  /** As it is written: what the contract declares of it. */
  readonly payload: unknown;
}

function toDecided<E, State>(codec: Codec, past: readonly Kept[], decide: () => Decision): Decided<E, State> {
  const outcome = attempt(() => codec.accept(decide()));
  const emitted = (): readonly Kept[] => {
    if ("events" in outcome) return outcome.events;
    throw outcome.thrown;
  };
  const say = ({ event, payload }: Kept): object => ({ [event]: payload });
  const failed = (): unknown => {
    if ("thrown" in outcome) return outcome.thrown;
    return assert.fail(
      `It should have failed, and came to ${JSON.stringify(outcome.events.map(say))}. Decide it otherwise, or expect that.`,
    );
  };
  return Object.freeze({
    thenEmits: (...events: readonly Told<E>[]) => {
      const expected = events.map((told) => codec.encode(...only(told)));
      assert.deepStrictEqual(emitted().map(say), expected.map(say));
    },
    thenNothing: () => assert.deepStrictEqual(emitted().map(say), []),
    thenFails: (code: string, details?: unknown) => {
      const error = failed();
      if (!(error instanceof Failed)) throw error;
      assert.strictEqual(error.code, code);
      if (details !== undefined) assert.deepStrictEqual(error.details, details);
    },
    thenThrows: (message: string | RegExp) => {
      const error = failed();
      const told = error instanceof Error ? error.message : String(error);
      if (typeof message === "string") assert.ok(told.includes(message), `It threw: ${told}`);
      else assert.match(told, message);
    },
    thenState: (expected: State) => assert.deepStrictEqual(codec.fold([...past, ...emitted()]), expected),
  });
}

/** How an entity's events are written and read, as storage does it; at once, so that no test forgets to wait. */
class Codec {
  readonly emit: { readonly [event: string]: (payload: unknown) => unknown };
  readonly #entity: AnyEntity;
  readonly #events: ReadonlyMap<string, { readonly schema: AnySchema }>;
  constructor(entity: AnyEntity) {
    this.#entity = entity;
    this.#events = eventsOf(entity.contract);
    this.emit = Object.freeze(
      Object.fromEntries(
        [...this.#events.keys()].map((name) => [name, (payload: unknown) => new Emission(name, payload)]),
      ),
    );
  }

  encode(event: string, payload: unknown): Kept {
    const { schema } = this.#known(event);
    const kept: unknown = JSON.parse(JSON.stringify(toProjection(toJsonSchema(schema))(payload).value));
    read(schema, kept, `The event ${event} does not fit its schema`);
    return { event, payload: kept };
  }

  accept(decision: Decision): readonly Kept[] {
    const decided: readonly unknown[] = Array.isArray(decision) ? decision : [decision];
    return decided.map((one) => {
      if (one instanceof Emission) return this.encode(one.event, one.payload);
      throw new TypeError(
        one instanceof Promise
          ? "The decision gave a promise. Decisions are pure: look things up before, and decide at once."
          : "The decision gave something that is no event. Return what the emitters give, or [].",
      );
    });
  }

  fold(events: readonly Kept[]): unknown {
    const { name, state: schema, initial, evolve } = this.#entity;
    let state = freeze(read(schema, initial, `The entity "${name}" begins with what is not its state`));
    for (const [revision, { event, payload }] of events.entries()) {
      const value = read(this.#known(event).schema, payload, `The event ${event} does not fit its schema`);
      const next = evolve[event]?.(state, value, { id: `given/${revision}`, revision });
      state = freeze(read(schema, next, `The entity "${name}" evolved by ${event} to what is not its state`));
    }
    return state;
  }

  #known(event: string): { readonly schema: AnySchema } {
    const known = this.#events.get(event);
    if (known) return known;
    throw new TypeError(
      `The entity "${this.#entity.name}" has no event ${event}. It has ${[...this.#events.keys()].join(", ")}.`,
    );
  }
}

/** What an emitter gives: it happens when the decision returns it. */
class Emission {
  readonly event: string;
  readonly payload: unknown;
  constructor(event: string, payload: unknown) {
    this.event = event;
    this.payload = payload;
  }
}

function read(schema: AnySchema, value: unknown, what: string): unknown {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise)
    throw new TypeError(`${what}: it is checked asynchronously, which given / when / then does not wait for.`);
  if (!result.issues) return result.value;
  throw new TypeError(`${what}: ${result.issues.map(({ message }) => message).join("; ")}.`);
}

function only(told: object): [event: string, payload: unknown] {
  const [entry, ...others] = Object.entries(told);
  if (!entry || others.length > 0)
    throw new TypeError(
      `One event is told by one name, like { SeatHeld: seat }; this has ${Object.keys(told).length}.`,
    );
  return entry;
}

function attempt(work: () => readonly Kept[]): { readonly events: readonly Kept[] } | { readonly thrown: unknown } {
  try {
    return { events: work() };
  } catch (thrown) {
    return { thrown };
  }
}

function freeze(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
  return value;
}
