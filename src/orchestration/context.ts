import {
  type AnyContract,
  type Dispatch,
  type Duration,
  Fault,
  type Named,
  nothing,
  type Operation,
  operationsOf,
  type Principal,
  type Signals,
  toCamelCase,
  toFail,
  toMs,
  validate,
} from "../contracts/index.ts";
import { type Done, principalOf } from "./action.ts";
import type { StepSpec } from "./effects.ts";
import type { Execution } from "./execution.ts";
import { digestOf } from "./identity.ts";
import { LazyStep } from "./lazy-step.ts";
import { toPlain } from "./plain.ts";
import type { Scope } from "./scope.ts";
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
    (input: unknown, { name = operation.id, timeout, attempts }: StepPolicy = {}) => {
      const timeoutMs = timeout === undefined ? (operation.timeoutMs ?? defaultTimeoutMs) : toMs(timeout);
      const caller = { principal: principalOf(run), patienceMs: timeoutMs / 2 };
      return steps({
        name,
        kind: "operation",
        operation: operation.id,
        digest: digestOf(input),
        timeoutMs,
        attempts,
        attempt: ({ extend, ...context }) =>
          answered(
            dispatch,
            operation.id,
            input,
            { ...context, extend: timeout === undefined ? extend : () => {} },
            caller,
          ),
        parse: (wire) => parse(operation, wire),
      });
    },
  ]);
  return Object.freeze(Object.fromEntries(durable));
}

/** A command that takes its time is asked for again with its key, and is not late while it is known to go on. */
async function answered(
  dispatch: Dispatch,
  operation: string,
  input: unknown,
  { call, extend }: Parameters<StepSpec["attempt"]>[0],
  { principal, patienceMs }: { readonly principal: Principal; readonly patienceMs: number },
): Promise<Done> {
  for (;;) {
    const answer = await dispatch.call(operation, input, { ...call, principal, patienceMs });
    if (!("accepted" in answer)) return { wire: answer.wire, value: answer.value };
    if (call.aborted.aborted) throw new Fault("DeadlineExceeded", `${operation} goes on as run ${answer.run}.`);
    extend();
  }
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
          const given = await execution.parts.places.in({ run, action: name }, () => action({ key, attempt, aborted }));
          const value = toPlain(given, `The result of the step "${name}"`);
          return { wire: value, value };
        },
        parse: async (wire) => wire,
      }),
    sleep: (time: Duration) => execution.effects.sleep(scope, toMs(time)),
    all: (items: readonly unknown[], branch?: Branch) => together(execution, scope, items, branch),
    now: () => new Date(execution.script.time),
    random: () => scope.draws.random(),
    uuid: () => scope.draws.uuid(),
  });
}

type Branch = (item: unknown, context: unknown) => PromiseLike<unknown>;

/** Side by side. When one part fails, the others are aborted and have settled before the failure is passed on. */
async function together(
  execution: Execution,
  given: Scope,
  items: readonly unknown[],
  branch: Branch | undefined,
): Promise<unknown> {
  const { run, places } = execution.parts;
  const here = places.scope(run, given);
  const label = branch && here.label("all");
  const group = here.group();
  const parts = items.map((item, at) => {
    if (!branch) return places.in({ run, scope: group }, () => item);
    const scope = group.branch(`${label}/${at}`);
    return places.in({ run, scope }, () => branch(item, toContext(execution, scope)));
  });
  try {
    return await Promise.all(parts);
  } catch (error) {
    await execution.close(group);
    throw error;
  }
}

function toSignals(execution: Execution, scope: Scope, signals: Signals) {
  const incoming = Object.entries(signals).map(([name, { schema }]) => {
    const wait = async (withinMs?: number): Promise<unknown> => {
      const taken = await execution.effects.signal(scope, name, withinMs);
      if (!taken) return undefined;
      const read = await execution.hold(() => validate(schema, taken.payload));
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
