import { type AnyEvent, Fault, type Named } from "../../contracts/index.ts";
import { digestOf } from "../journal/identity.ts";
import type { Execution } from "../replay/execution.ts";
import type { ToStep } from "./context.ts";
import type { LazyStep } from "./lazy-step.ts";
import { toPlain } from "./plain.ts";
import { type StepPolicy, toPolicy } from "./policy.ts";

/** Events of a run: each a step whose key makes it one event, whatever crashes. */
export function toEmit(
  { parts: { run, workflow, events } }: Execution,
  steps: ToStep,
): (event: AnyEvent & Named, payload: unknown, policy?: StepPolicy) => LazyStep {
  const contracts = [workflow.operation.about.name, ...workflow.uses.map((contract) => contract["~contract"].name)];
  return (event, payload, policy = {}) => {
    if (!contracts.includes(event.about.name))
      throw new TypeError(
        `The workflow of ${workflow.id} does not use the contract of ${event.id}. Name it under "uses".`,
      );
    const { name = event.id } = policy;
    const plain = toPlain(payload, `The event ${event.id}`);
    return steps({
      name,
      kind: "event",
      digest: digestOf(plain),
      policy: toPolicy(name, policy),
      async attempt({ key, call: { trace } }) {
        if (!events) {
          const message = `${event.id} cannot be written: nobody here keeps a log of events.`;
          throw new Fault("Internal", message, { retry: "never", outcome: "not done" });
        }
        await events.emit(event, plain, { run, operation: workflow.id, key, trace });
        return { wire: undefined, value: undefined };
      },
      parse: () => undefined,
    });
  };
}
