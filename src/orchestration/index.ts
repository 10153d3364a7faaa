/**
 * Orchestration: decisions. Durable workflows whose awaited calls are steps, with retries, undo, fallbacks, timers and
 * signals. May import contracts and itself; time, durability and the other layers come through ports.
 * language/ is what is written (start with workflow.ts), machine/ what is declared; replay/ acts a run out (execution.ts),
 * journal/ are the ports to where it is kept, node/ owns runs (runner.ts), starting/ begins them, steering/ takes orders.
 */
export type { FlowOptions } from "./language/flow.ts";
export type { RetryPolicy, StepPolicy } from "./language/policy.ts";
export type { Child, Incoming, Part, Run, Steps, Uses, WorkflowContext } from "./language/run.ts";
export type { Step, StepContext, Undone } from "./language/step.ts";
export { type Workflow, workflow } from "./language/workflow.ts";
export { type Machine, machine } from "./machine/machine.ts";
export type {
  MachineActing,
  MachineEvent,
  MachineFailure,
  MachineState,
  Moment,
  StateValue,
} from "./machine/machine-declaration.ts";
export { type Drawn, type DrawnState, toMermaid } from "./machine/machine-drawing.ts";
export { type Schedule, schedule } from "./starting/schedule.ts";
export { type SignalFrom, type StartOn, signalFrom, startOn } from "./starting/start-on.ts";
