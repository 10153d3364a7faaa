import type { AnyCommand, AnyContract, HandlerInput, Named, NameOf } from "../../contracts/index.ts";
import type { Tags } from "../language/tags.ts";
import { type Workflow, workflow } from "../language/workflow.ts";
import { Chart } from "./machine-chart.ts";
import type { MachineDeclaration, States } from "./machine-declaration.ts";
import { type Drawn, toDrawn } from "./machine-drawing.ts";
import { type AnyMachine, live } from "./machine-life.ts";

/** A durable state machine: a workflow whose signals are its events. */
export interface Machine<
  Id extends string = string,
  Needs extends string = string,
  Op extends AnyCommand & Named = AnyCommand & Named<Id>,
> extends Workflow<Id, Needs, Tags, Op> {
  /** It drawn: plain data, as XState and its tools read it. `toMermaid` makes a picture of it. */
  readonly drawn: Drawn;
}

/**
 * Implements a command as a durable state machine, for what lives long: an event arrives, and a transition runs. The
 * command's signals are its events, what its actions await are durable steps, its timers outlive the process, and its
 * progress is its state. Throws a sentence for a declaration that makes no machine.
 */
export function machine<
  Op extends AnyCommand & Named,
  const S extends States<S, S, { events: keyof Op["signals"] & string; guards: G; changes: Ch; actions: A }>,
  const U extends readonly AnyContract[] = [],
  C = HandlerInput<Op>,
  const G extends string = never,
  const Ch extends string = never,
  const A extends string = never,
>(operation: Op, declaration: MachineDeclaration<Op, U, C, G, Ch, A, S>): Machine<Op["id"], NameOf<U[number]>, Op> {
  const declared = declaration as unknown as AnyMachine; // its names and types were checked by the signature
  const { version, uses = [] as unknown as U } = declaration; // where none is given, U is the empty list
  const hidden = uses
    .map((contract) => contract["~contract"].name)
    .find((name) => name === "context" || name === "event");
  if (hidden !== undefined)
    throw new TypeError(
      `An action is handed "${hidden}" already, so the contract "${hidden}" cannot be used. Rename it.`,
    );
  const chart = new Chart(operation.id, declared, Object.keys(operation.signals));
  const body = (input: unknown, context: unknown): Promise<unknown> => live(declared, chart, operation, input, context);
  const made = workflow(operation, { version, uses }, body as never); // its types are those of the declaration
  return Object.freeze({ ...made, drawn: toDrawn(operation.id, declared) }) as Machine<Op["id"], NameOf<U[number]>, Op>;
}
