import type { AnyCommand, AnyContract, HandlerInput, HandlerOutput, Named, NameOf } from "../../contracts/index.ts";
import { type Flow, type FlowOptions, toFlow } from "./flow.ts";
import type { WorkflowContext } from "./run.ts";
import type { Tags } from "./tags.ts";

/** What it is called, which contracts it needs, what its runs can be found by, and what it implements. */
export interface Workflow<
  Id extends string = string,
  Needs extends string = string,
  T extends Tags = Tags,
  Op extends AnyCommand & Named = AnyCommand & Named<Id>,
> extends Named<Id> {
  readonly kind: "workflow";
  readonly operation: Op;
  readonly version: number;
  readonly uses: readonly AnyContract[];
  /** How many runs may be under way, and how fast they may begin; undefined where nothing is limited. */
  readonly flow: Flow | undefined;
  /** By which its runs are found. */
  readonly tags: ((input: any) => Tags) | undefined; // typed where it is declared, below
  readonly body: (input: any, context: any) => Promise<unknown>; // typed where it is declared, below
  readonly "~needs": Needs;
  readonly "~tags": T;
}

/**
 * Implements a command as a durable workflow: a plain async function whose awaited calls are steps. The operations of
 * the contracts that it `uses` are handed to it; what is not declared cannot be reached. A run that fails undoes, in
 * reverse order, what its steps said how to undo.
 */
export function workflow<
  Op extends AnyCommand & Named,
  const U extends readonly AnyContract[] = [],
  T extends Tags = Tags,
>(
  operation: Op,
  options: {
    readonly version: number;
    readonly uses?: U;
    /** What its runs can be found by: at most four texts or numbers, written when a run begins. */
    readonly tags?: (input: HandlerInput<Op>) => T;
  } & FlowOptions<HandlerInput<Op>>,
  body: NoInfer<(input: HandlerInput<Op>, context: WorkflowContext<Op, U>) => Promise<HandlerOutput<Op>>>,
): Workflow<Op["id"], NameOf<U[number]>, T, Op> {
  const { version, uses = [], tags } = options;
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
    tags,
    body,
    "~needs": "" as NameOf<U[number]>,
    "~tags": {} as T, // for types alone
  });
}
