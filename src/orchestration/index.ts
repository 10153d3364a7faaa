/**
 * Orchestration: decisions. Durable workflows whose awaited calls are steps, with retries, undo, fallbacks, timers and
 * signals. May import contracts and itself; time, durability and the other layers come through ports.
 * Start with workflow.ts; script.ts and execution.ts are how a run is acted out, runner.ts how a node owns its runs.
 */
export type { FlowOptions } from "./flow.ts";
export { type Machine, machine } from "./machine.ts";
export type {
  MachineActing,
  MachineEvent,
  MachineFailure,
  MachineState,
  Moment,
  StateValue,
} from "./machine-declaration.ts";
export { type Drawn, type DrawnState, toMermaid } from "./machine-drawing.ts";
export type { RetryPolicy, StepPolicy } from "./policy.ts";
export type { Child, Incoming, Part, Run, Steps, Uses, WorkflowContext } from "./run.ts";
export { type Schedule, schedule } from "./schedule.ts";
export { type SignalFrom, type StartOn, signalFrom, startOn } from "./start-on.ts";
export type { Step, StepContext, Undone } from "./step.ts";
export { type Workflow, workflow } from "./workflow.ts";
