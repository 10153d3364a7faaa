import {
  type AnyContract,
  type Named,
  nothing,
  type Operation,
  operationsOf,
  toCamelCase,
  toFail,
  validate,
} from "../../contracts/index.ts";
import { digestOf } from "../journal/identity.ts";
import { principalOf } from "../replay/action.ts";
import type { StepSpec } from "../replay/effects.ts";
import type { Execution } from "../replay/execution.ts";
import type { Scope } from "../replay/scope.ts";
import { answered } from "./answered.ts";
import { LazyStep } from "./lazy-step.ts";
import { type StepPolicy, toPolicy } from "./policy.ts";
import { toRun } from "./to-run.ts";

/** What a workflow's code is handed: the used contracts' operations as steps, the run, and its failures. */
export function toContext(execution: Execution, scope: Scope): { readonly [name: string]: unknown } {
  const { workflow } = execution.parts;
  const steps: ToStep = (spec) => {
    const step = new LazyStep(spec.name, scope, (chained) => execution.effects.step(scope, spec, chained));
    execution.code.made(step);
    return step;
  };
  return Object.freeze({
    ...Object.fromEntries(
      workflow.uses.map((contract) => [toCamelCase(contract["~contract"].name), toSteps(contract, execution, steps)]),
    ),
    run: toRun(execution, scope, steps),
    fail: toFail(workflow.operation.id, workflow.operation.failures),
  });
}

export type ToStep = (spec: StepSpec) => LazyStep;

function toSteps(contract: AnyContract, execution: Execution, steps: ToStep) {
  const durable = operationsOf(contract).map((operation) => [
    operation.id.slice(operation.id.indexOf(".") + 1),
    (input: unknown, policy: StepPolicy = {}) => steps(toCall(execution, operation, input, policy)),
  ]);
  return Object.freeze(Object.fromEntries(durable));
}

/** A step that calls an operation. */
function toCall(
  { parts: { run, dispatch } }: Execution,
  operation: Operation & Named,
  input: unknown,
  policy: StepPolicy,
): StepSpec {
  const { name = operation.id, timeout } = policy;
  const numbers = toPolicy(name, policy, operation.timeoutMs);
  const caller = { principal: principalOf(run), patienceMs: numbers.timeoutMs / 2 };
  return {
    name,
    kind: "operation",
    operation: operation.id,
    digest: digestOf(input),
    policy: numbers,
    attempt: ({ call, extend }) =>
      answered(
        dispatch,
        operation.id,
        input,
        { call, extend: timeout === undefined ? extend : () => {}, mayWait: timeout === undefined },
        caller,
      ),
    parse: (wire) => parse(operation, wire),
  };
}

/** The output as it is read, from the journal. */
export async function parse(operation: Operation & Named, wire: unknown): Promise<unknown> {
  if (operation.output === nothing) return undefined;
  const read = await validate(operation.output, wire);
  if (!read.ok) throw new Error(read.issues.map(({ path, message }) => `${path} ${message}`).join("; "));
  return read.value;
}
