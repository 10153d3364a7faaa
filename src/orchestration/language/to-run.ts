import { type AnyCommand, type Duration, type Named, type Signals, toMs, validate } from "../../contracts/index.ts";
import type { Stretch } from "../machine/stretch.ts";
import type { Done } from "../replay/action.ts";
import type { Execution } from "../replay/execution.ts";
import type { Scope } from "../replay/scope.ts";
import { Branches, type BranchOf, type Parts } from "./branches.ts";
import { toChild } from "./child.ts";
import { type ToStep, toContext } from "./context.ts";
import { toEmit } from "./emit.ts";
import { Lazy } from "./lazy.ts";
import { toPlain } from "./plain.ts";
import { type StepPolicy, toPolicy, usualPolicy } from "./policy.ts";
import type { StepContext } from "./step.ts";

/** The `run` that a workflow's code is handed, for one part of it. */
export function toRun(execution: Execution, scope: Scope, steps: ToStep): object {
  const { run, workflow } = execution.parts;
  const { effects } = execution;
  const branches = new Branches(execution, (scope) => toContext(execution, scope));
  const later: Later = (name, begin) => {
    const lazy = new Lazy(name, scope, begin);
    execution.code.made(lazy);
    return lazy;
  };
  const { operation } = workflow;
  const stretch: Stretch["~stretch"] = {
    carried: execution.carried,
    state: () => ({ replaying: execution.script.replaying, outdated: execution.parts.newest !== workflow }),
    next: (label, names, until) => later(label, () => effects.next(scope, label, names, until)),
    carry: (state) => execution.code.continueAsNew(execution.written, state),
    hold: (work) => execution.hold(work),
    stop: (reason) => execution.stop(reason),
  };
  return Object.freeze({
    id: run,
    signal: toSignals(execution, scope, operation.signals, later),
    step: (name: string, action: (context: StepContext) => unknown, policy?: StepPolicy) =>
      steps({
        name: policy?.name ?? name,
        kind: "local",
        digest: "",
        policy: policy ? toPolicy(name, policy) : usualPolicy,
        attempt: (context) => {
          const given = execution.parts.places.at({ run, action: name }, () =>
            action(action.length === 0 ? context : toStepContext(context)),
          );
          return given instanceof Promise ? given.then((given) => toDone(name, given)) : toDone(name, given);
        },
        parse: asWritten,
      }),
    sleep(time: Duration) {
      const ms = toMs(time);
      return later("run.sleep", () => effects.sleep(scope, ms));
    },
    until(instant: Date) {
      const at = instant.getTime();
      if (Number.isNaN(at)) throw new TypeError("run.until was given an invalid date. Give it an instant.");
      return later("run.until", () => effects.until(scope, at));
    },
    all: (parts: Parts, branch?: BranchOf) => later("run.all", () => branches.all(scope, parts, branch)),
    race: (parts: Parts, branch?: BranchOf) => later("run.race", () => branches.race(scope, parts, branch)),
    any: (parts: Parts, branch?: BranchOf) => later("run.any", () => branches.any(scope, parts, branch)),
    within: (time: Duration, part: unknown) => later("run.within", () => branches.within(scope, time, part)),
    child: (command: AnyCommand & Named, input: unknown, policy?: StepPolicy) =>
      toChild(execution, steps, command, input, policy),
    emit: toEmit(execution, steps),
    progress: (value: unknown) => execution.script.progress(execution.code.toProgress(value)),
    continueAsNew: (input: unknown) => execution.code.continueAsNew(input),
    changed: (name: string) => execution.script.changed(name),
    now: () => new Date(execution.script.time),
    random: () => scope.draws.random(),
    uuid: () => scope.draws.uuid(),
    "~stretch": Object.freeze(stretch),
  });
}

function toDone(name: string, given: unknown): Done {
  const value = toPlain(given, `The result of the step "${name}"`);
  return { wire: value, value };
}

const asWritten = (wire: unknown): unknown => wire;

/** Fields of its own, that an action may spread. One that takes no parameter needs no such object, and no signal. */
const toStepContext = ({ key, attempt, aborted }: StepContext): StepContext => ({ key, attempt, aborted });

/** Whoever took it knew another version of the contract, so it is no failure of the run: nothing is undone for it. */
function unreadable(name: string, [issue]: readonly { readonly path: string; readonly message: string }[]): string {
  const what = issue ? ` (${issue.path || "/"}: ${issue.message})` : "";
  return `The signal "${name}" that it was sent is not what its contract says in this code${what}. It was taken by other code: deploy that here too.`;
}

type Later = <T>(name: string, begin: () => Promise<T>) => Lazy<T>;

function toSignals(execution: Execution, scope: Scope, signals: Signals, later: Later) {
  const incoming = Object.entries(signals).map(([name, { schema }]) => {
    const wait = async (withinMs?: number): Promise<unknown> => {
      const taken = await execution.effects.signal(scope, name, withinMs);
      if (!taken) return undefined;
      const read = await execution.hold(() => validate(schema, taken.payload));
      return read.ok ? read.value : execution.stop(unreadable(name, read.issues));
    };
    return [
      name,
      {
        within(time: Duration) {
          const ms = toMs(time);
          return later(`run.signal.${name}`, () => wait(ms));
        },
        // biome-ignore lint/suspicious/noThenProperty: a signal is awaited like a step
        then: <A, B>(onCome?: ((value: unknown) => A) | null, onFailed?: ((error: unknown) => B) | null) =>
          wait().then(onCome, onFailed),
      },
    ];
  });
  return Object.freeze(Object.fromEntries(incoming));
}
