import { type AnyCommand, Fault, type Named, operationsOf } from "../../contracts/index.ts";
import { digestOf, toRunId } from "../journal/identity.ts";
import { principalOf } from "../replay/action.ts";
import type { Execution } from "../replay/execution.ts";
import { answered } from "./answered.ts";
import { parse, type ToStep } from "./context.ts";
import type { LazyStep } from "./lazy-step.ts";
import { type StepPolicy, toPolicy } from "./policy.ts";

/**
 * A run of its own, begun once: its key is that of the step that begins it. It is waited for by asking for it again
 * with the same key, which is why the key is part of the step's result.
 */
export function toChild(
  execution: Execution,
  steps: ToStep,
  command: AnyCommand & Named,
  input: unknown,
  policy: StepPolicy = {},
): LazyStep {
  const { run, dispatch, workflow } = execution.parts;
  const used = workflow.uses.flatMap(operationsOf).find(({ id }) => id === command.id);
  if (!used)
    throw new TypeError(
      `The workflow of ${workflow.id} does not use the contract of ${command.id}. Name it under "uses".`,
    );
  const principal = principalOf(run);
  const digest = digestOf(input);
  const { name = `child ${command.id}` } = policy;
  const handle = (wire: { readonly run: string; readonly key: string }) =>
    Object.freeze({
      run: wire.run,
      result(policy: StepPolicy = {}) {
        const { name = `result of ${command.id}`, timeout } = policy;
        const numbers = toPolicy(name, policy, command.timeoutMs);
        return steps({
          name,
          kind: "child",
          awaits: wire.run,
          digest: digestOf(wire.run),
          policy: numbers,
          attempt: ({ call, extend }) =>
            answered(
              dispatch,
              command.id,
              input,
              {
                call: { ...call, key: wire.key },
                extend: timeout === undefined ? extend : () => {},
                mayWait: timeout === undefined,
              },
              { principal, patienceMs: numbers.timeoutMs / 2 },
            ),
          parse: (wire) => parse(command, wire),
        });
      },
    });
  return steps({
    name,
    kind: "child",
    operation: command.id,
    digest,
    policy: toPolicy(name, policy, command.timeoutMs),
    async attempt({ call, key }) {
      const answer = await dispatch.call(command.id, input, { ...call, principal, patienceMs: 0, detached: true });
      if (answer.run === undefined) {
        const message = `${command.id} is no workflow, so there is no run to be a child. Call it as a step.`;
        throw new Fault("Internal", message, { retry: "never" });
      }
      const wire = { run: answer.run, key };
      return { wire, value: handle(wire) };
    },
    parse: (wire) => handle(wire as { readonly run: string; readonly key: string }), // what attempt gave
    // Whoever voids it is told the child's output, and its id follows from the key that it was begun with.
    found: (key) => handle({ run: toRunId(principal.id, command.id, key), key }),
  });
}
