/**
 * What tests of a backend need: time that can be skipped, contracts played by functions, and a bench on which a workflow
 * is run, crashed and looked at without a disk. May import contracts and the layers' inside doors.
 * Start with workflow-bench.ts.
 */
export {
  type Fake,
  type FakeCall,
  type FakeContext,
  type FakeHandlers,
  type FakeOptions,
  fake,
  lostAnswer,
} from "./fake.ts";
export { type VirtualClock, virtualClock } from "./virtual-clock.ts";
export { type BenchOptions, type Crash, crashEverywhere, type WorkflowBench, workflowBench } from "./workflow-bench.ts";
