/**
 * Orchestration: decisions. Durable workflows whose awaited calls are steps, with retries, undo, fallbacks, timers and
 * signals. May import contracts and itself; time, durability and the other layers come through ports.
 * Start with workflow.ts; script.ts and execution.ts are how a run is acted out, runner.ts how a node owns its runs.
 */
export type { FlowOptions } from "./flow.ts";
export type { Step, StepContext, StepPolicy, Undone } from "./step.ts";
export {
  type Incoming,
  type Run,
  type Steps,
  type Uses,
  type Workflow,
  type WorkflowContext,
  workflow,
} from "./workflow.ts";
