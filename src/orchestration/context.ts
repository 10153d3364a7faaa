import {
  type AnyContract,
  type Dispatch,
  type Duration,
  Fault,
  type Named,
  nothing,
  type Operation,
  operationsOf,
  type Signals,
  toCamelCase,
  toFail,
  toMs,
  validate,
} from "../contracts/index.ts";
import { principalOf } from "./action.ts";
import type { StepSpec } from "./effects.ts";
import type { Execution } from "./execution.ts";
import { digestOf } from "./identity.ts";
import { LazyStep } from "./lazy-step.ts";
import { toPlain } from "./plain.ts";
import { Scope } from "./scope.ts";
import type { StepContext, StepPolicy } from "./step.ts";

const defaultTimeoutMs = 30_000;

/** What a workflow's code is handed: the used contracts' operations as steps, the run, and its failures. */
export function toContext(execution: Execution, scope: Scope): { readonly [name: string]: unknown } {
  const { workflow } = execution.parts;
  const steps = (spec: StepSpec): LazyStep => {
    const step = new LazyStep(spec.name, (chained) => {
      execution.created.delete(step);
      return execution.effects.step(scope, spec, chained);
    });
    execution.created.add(step);
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

type ToStep = (spec: StepSpec) => LazyStep;

function toSteps(contract: AnyContract, execution: Execution, steps: ToStep) {
  const { run, dispatch } = execution.parts;
  const durable = operationsOf(contract).map((operation) => [
    operation.id.slice(operation.id.indexOf(".") + 1),
    (input: unknown, policy: StepPolicy = {}) =>
      steps({
        name: policy.name ?? operation.id,
        kind: "operation",
        operation: operation.id,
        digest: digestOf(input),
        timeoutMs: policy.timeout === undefined ? (operation.timeoutMs ?? defaultTimeoutMs) : toMs(policy.timeout),
        attempts: policy.attempts,
        attempt: ({ call }) => answered(dispatch, operation.id, input, { ...call, principal: principalOf(run) }),
        parse: (wire) => parse(operation, wire),
      }),
  ]);
  return Object.freeze(Object.fromEntries(durable));
}

async function answered(dispatch: Dispatch, operation: string, input: unknown, call: Parameters<Dispatch["call"]>[2]) {
  const answer = await dispatch.call(operation, input, call);
  // Nobody's patience ends here, so a run that is not finished is one that its node let go of.
  if ("accepted" in answer)
    throw new Fault("Unavailable", `${operation} goes on as run ${answer.run}; its result is not there yet.`);
  return { wire: answer.wire, value: answer.value };
}

async function parse(operation: Operation & Named, wire: unknown): Promise<unknown> {
  if (operation.output === nothing) return undefined;
  const read = await validate(operation.output, wire);
  if (!read.ok) throw new Error(read.issues.map(({ path, message }) => `${path} ${message}`).join("; "));
  return read.value;
}

function toRun(execution: Execution, scope: Scope, steps: ToStep) {
  const { run, workflow } = execution.parts;
  return Object.freeze({
    id: run,
    signal: toSignals(execution, scope, workflow.operation.signals),
    step: (name: string, action: (context: StepContext) => unknown, policy: StepPolicy = {}) =>
      steps({
        name: policy.name ?? name,
        kind: "local",
        digest: "",
        timeoutMs: policy.timeout === undefined ? defaultTimeoutMs : toMs(policy.timeout),
        attempts: policy.attempts,
        attempt: async ({ key, attempt, aborted }) => {
          const value = toPlain(await action({ key, attempt, aborted }), `The result of the step "${name}"`);
          return { wire: value, value };
        },
        parse: async (wire) => wire,
      }),
    sleep: (time: Duration) => execution.effects.sleep(scope, toMs(time)),
    all: (items: readonly unknown[], branch?: (item: unknown, context: unknown) => PromiseLike<unknown>) => {
      if (!branch) return Promise.all(items);
      const group = scope.next("all");
      const branches = items.map((item, at) => branch(item, toContext(execution, new Scope(run, `${group}/${at}/`))));
      return Promise.all(branches);
    },
    now: () => new Date(execution.script.time),
    random: () => scope.draws.random(),
    uuid: () => scope.draws.uuid(),
  });
}

function toSignals(execution: Execution, scope: Scope, signals: Signals) {
  const incoming = Object.entries(signals).map(([name, { schema }]) => {
    const wait = async (withinMs?: number): Promise<unknown> => {
      const taken = await execution.effects.signal(scope, name, withinMs);
      if (!taken) return undefined;
      const read = await validate(schema, taken.payload);
      if (!read.ok)
        throw new Fault("InvalidInput", `The signal "${name}" is not what its contract says.`, { issues: read.issues });
      return read.value;
    };
    return [
      name,
      {
        within: (time: Duration) => wait(toMs(time)),
        // biome-ignore lint/suspicious/noThenProperty: a signal is awaited like a step
        then: <A, B>(onCome?: ((value: unknown) => A) | null, onFailed?: ((error: unknown) => B) | null) =>
          wait().then(onCome, onFailed),
      },
    ];
  });
  return Object.freeze(Object.fromEntries(incoming));
}
