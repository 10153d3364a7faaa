import type {
  AnyCommand,
  AnyContract,
  CallerInput,
  CallerOutput,
  CamelCase,
  Duration,
  Fail,
  HandlerInput,
  HandlerOutput,
  Named,
  NameOf,
  Operation,
  OperationNames,
  Out,
  Signal,
} from "../contracts/index.ts";
import { type Flow, type FlowOptions, toFlow } from "./flow.ts";
import type { Step, StepContext, StepPolicy } from "./step.ts";

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

export interface Run<Op extends AnyCommand, U extends readonly AnyContract[]> {
  readonly id: string;
  readonly signal: {
    readonly [K in keyof Op["signals"]]: Op["signals"][K] extends Signal<infer S> ? Incoming<Out<S>> : never;
  };
  /** A local effect: what it gives back must be JSON. */
  step<T>(name: string, action: (context: StepContext) => T | PromiseLike<T>, policy?: StepPolicy): Step<T>;
  sleep(time: Duration): Promise<void>;
  /** Single steps side by side. */
  all<const T extends readonly Step<unknown>[]>(steps: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>;
  /** One branch an item, each in a scope of its own: keys and replay do not depend on which branch was faster. */
  all<I, T>(items: readonly I[], branch: (item: I, context: WorkflowContext<Op, U>) => PromiseLike<T>): Promise<T[]>;
  /** The time of the last result, the same in every replay. */
  now(): Date;
  /** From 0 to 1, the same in every replay. */
  random(): number;
  /** The same in every replay. */
  uuid(): string;
}

export type WorkflowContext<Op extends AnyCommand, U extends readonly AnyContract[]> = Uses<U> & {
  readonly run: Run<Op, U>;
  readonly fail: Fail<Op["failures"]>;
};

export interface Workflow<Id extends string = string, Needs extends string = string> extends Named<Id> {
  readonly kind: "workflow";
  readonly operation: AnyCommand & Named<Id>;
  readonly version: number;
  readonly uses: readonly AnyContract[];
  /** How many runs may be under way, and how fast they may begin; undefined where nothing is limited. */
  readonly flow: Flow | undefined;
  readonly body: (input: any, context: any) => Promise<unknown>; // typed where it is declared, below
  readonly "~needs": Needs;
}

/**
 * Implements a command as a durable workflow: a plain async function whose awaited calls are steps. The operations of
 * the contracts that it `uses` are handed to it; what is not declared cannot be reached. A run that fails undoes, in
 * reverse order, what its steps said how to undo.
 */
export function workflow<Op extends AnyCommand & Named, const U extends readonly AnyContract[] = []>(
  operation: Op,
  options: { readonly version: number; readonly uses?: U } & FlowOptions<HandlerInput<Op>>,
  body: NoInfer<(input: HandlerInput<Op>, context: WorkflowContext<Op, U>) => Promise<HandlerOutput<Op>>>,
): Workflow<Op["id"], NameOf<U[number]>> {
  const { version, uses = [] } = options;
  if (!Number.isInteger(version) || version < 1) {
    throw new TypeError(`The workflow of ${operation.id} has the version ${version}; versions are 1, 2, 3, …`);
  }
  const hidden = uses.map((contract) => contract["~contract"].name).find((name) => name === "run" || name === "fail");
  if (hidden !== undefined) {
    throw new TypeError(
      `A workflow is handed "${hidden}" already, so the contract "${hidden}" cannot be used in one. Rename it.`,
    );
  }
  return Object.freeze({
    kind: "workflow",
    id: operation.id,
    about: operation.about,
    operation,
    version,
    uses,
    flow: toFlow(operation.id, options),
    body,
    "~needs": "" as NameOf<U[number]>,
  });
}
