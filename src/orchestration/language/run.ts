import type {
  AnyCommand,
  AnyContract,
  AnyEvent,
  CallerInput,
  CallerOutput,
  CamelCase,
  Duration,
  Fail,
  In,
  Named,
  NameOf,
  Operation,
  OperationNames,
  Out,
  Signal,
} from "../../contracts/index.ts";
import type { StepPolicy } from "./policy.ts";
import type { Step, StepContext } from "./step.ts";

/** A contract's operations as durable steps. */
export type Steps<C extends AnyContract> = { readonly [K in OperationNames<C>]: Durable<C[K]> };
type Durable<Op> = Op extends Operation
  ? (input: CallerInput<Op>, policy?: StepPolicy) => Step<CallerOutput<Op>>
  : never;
export type Uses<U extends readonly AnyContract[]> = { readonly [C in U[number] as CamelCase<NameOf<C>>]: Steps<C> };

/** A signal that may come: await it, for as long as it takes or `within` a time. */
export interface Incoming<T> extends PromiseLike<T> {
  /** Undefined when the time is over. */
  within(time: Duration): Promise<T | undefined>;
}

/** What is put side by side: something to await, or a branch, which has a scope of its own. */
export type Part<Op extends AnyCommand, U extends readonly AnyContract[]> =
  | PromiseLike<unknown>
  | ((context: WorkflowContext<Op, U>) => PromiseLike<unknown>);
type PartsList<Op extends AnyCommand, U extends readonly AnyContract[]> = readonly Part<Op, U>[];
type PartsRecord<Op extends AnyCommand, U extends readonly AnyContract[]> = { readonly [name: string]: Part<Op, U> };
type ValueOf<P> = P extends (...context: never[]) => PromiseLike<infer T> ? T : Awaited<P>;
type Winner<P> = { [K in keyof P]: { readonly winner: K; readonly value: ValueOf<P[K]> } }[keyof P];

/** One that is decided by the first of its parts. */
interface First<Op extends AnyCommand, U extends readonly AnyContract[]> {
  <const P extends PartsList<Op, U>>(parts: P): Promise<ValueOf<P[number]>>;
  /** Says which one it was. */
  <const P extends PartsRecord<Op, U>>(parts: P): Promise<Winner<P>>;
  /** One branch an item. */
  <I, T>(items: readonly I[], branch: (item: I, context: WorkflowContext<Op, U>) => PromiseLike<T>): Promise<T>;
}

/** The commands of the used contracts. */
type CommandsOf<C> = C extends AnyContract
  ? { [K in keyof C]: C[K] extends AnyCommand & Named ? C[K] : never }[keyof C]
  : never;
/** The events of the used contracts, and of the workflow's own. */
type EventId<Op, U extends readonly AnyContract[]> =
  | `${NameOf<U[number]>}.${string}`
  | (Op extends Named<`${infer Own}.${string}`> ? `${Own}.${string}` : never);

/** A run that this one has begun, and that goes on by itself. */
export interface Child<Op extends AnyCommand> {
  /** Its id. */
  readonly run: string;
  /** A step that waits for its end, for as long as it takes; the run leaves memory meanwhile. */
  result(policy?: StepPolicy): Step<CallerOutput<Op>>;
}

/** What a workflow does beside calling operations. All that is awaited begins when it is awaited. */
export interface Run<Op extends AnyCommand, U extends readonly AnyContract[]> {
  readonly id: string;
  readonly signal: {
    readonly [K in keyof Op["signals"]]: Op["signals"][K] extends Signal<infer S> ? Incoming<Out<S>> : never;
  };
  /** A local effect: what it gives back must be JSON. */
  step<T>(name: string, action: (context: StepContext) => T | PromiseLike<T>, policy?: StepPolicy): Step<T>;
  sleep(time: Duration): Promise<void>;
  /** Waits until an instant; one that has passed is no wait. */
  until(instant: Date): Promise<void>;
  /** Side by side: all results, or the first failure. */
  all<const P extends PartsList<Op, U>>(parts: P): Promise<{ -readonly [K in keyof P]: ValueOf<P[K]> }>;
  all<const P extends PartsRecord<Op, U>>(parts: P): Promise<{ -readonly [K in keyof P]: ValueOf<P[K]> }>;
  /** One branch an item, each in a scope of its own: keys and replay do not depend on which branch was faster. */
  all<I, T>(items: readonly I[], branch: (item: I, context: WorkflowContext<Op, U>) => PromiseLike<T>): Promise<T[]>;
  /** The first that ends, well or not. The others are aborted and have settled before the code goes on. */
  readonly race: First<Op, U>;
  /** The first that ends well; an AggregateError where none does. */
  readonly any: First<Op, U>;
  /** A part of the workflow, for so long: then it is aborted, has settled, and a `DeadlineExceeded` is thrown. */
  within<T>(time: Duration, part: PromiseLike<T> | ((context: WorkflowContext<Op, U>) => PromiseLike<T>)): Promise<T>;
  /** Begins a run of a workflow of a used contract, once, and goes on without waiting for its end. */
  child<C extends CommandsOf<U[number]>>(command: C, input: CallerInput<C>, policy?: StepPolicy): Step<Child<C>>;
  /** Writes an event of a used contract, or of the workflow's own, to the log: once, for all who follow it. */
  emit<E extends AnyEvent & Named<EventId<Op, U>>>(event: E, payload: In<E["schema"]>, policy?: StepPolicy): Step<void>;
  /** Says how far the run is: seen from outside with its next commit. The last value wins. */
  progress(value: ProgressOf<Op>): void;
  /**
   * Ends this stretch of the run and begins it anew with this input and an empty journal, under the same id. What was
   * done stands: it is not undone any more. It throws; write `throw` in front of it.
   */
  continueAsNew(input: CallerInput<Op>): never;
  /** True for a run that comes here with the changed code, false for one that was past here before it; recorded. */
  changed(name: string): boolean;
  /** The time of the last result, the same in every replay. */
  now(): Date;
  /** From 0 to 1, the same in every replay. */
  random(): number;
  /** The same in every replay. */
  uuid(): string;
}
/** Nothing may be told where the contract declares no progress. */
type ProgressOf<Op extends AnyCommand> = In<NonNullable<Op["progress"]>>;

export type WorkflowContext<Op extends AnyCommand, U extends readonly AnyContract[]> = Uses<U> & {
  readonly run: Run<Op, U>;
  readonly fail: Fail<Op["failures"]>;
};
