/**
 * What tests of a backend need: time that can be skipped, contracts played by functions, a bench on which a workflow is
 * run, crashed and looked at without a disk, given / when / then for decisions, and the suite that an engine of one's own
 * has to pass. May import contracts, the layers' inside doors and engines.
 * Start with workflow-bench.ts and given-when-then.ts; engine-conformance.ts is for those who write an engine.
 */

export type { Log, LogAppend, LogEvent, Recorded } from "../storage/host.ts";
export {
  type After,
  type Append,
  type Checkpoint,
  type Collection,
  type Column,
  type Columns,
  type Condition,
  checkQuery,
  type Document,
  type DocumentQuery,
  type Engine,
  type EngineStatus,
  type Expectation,
  type Expected,
  type NewEvent,
  type NewReceipt,
  type Outcome,
  type Place,
  type ReadQuery,
  type Receipt,
  type StoredEvent,
  type TextQuery,
  type Write,
} from "../storage/host.ts";
export type { Crash, EmittedEvent } from "./bench-node.ts";
export { type BenchPlace, inMemory, postgresSchemas, sqliteFiles } from "./bench-places.ts";
export { type CrashOptions, crashEverywhere } from "./crash-everywhere.ts";
export { Memory, memoryEngine } from "./engine/memory-engine.ts";
export { type Choices, playAgainstModel } from "./engine/play.ts";
export { raceForOneOrder } from "./engine/race.ts";
export type { OpenEngine, OpenedEngine } from "./engine/room.ts";
export { type Conformance, type ConformanceCase, engineConformance } from "./engine-conformance.ts";
export {
  type Fake,
  type FakeCall,
  type FakeContext,
  type FakeHandlers,
  type FakeOptions,
  fake,
  lostAnswer,
} from "./fake.ts";
export { type Decided, type Given, given, type Told } from "./given-when-then.ts";
export { leadDown, leadUp } from "./lead.ts";
export { type Mock, type MockOptions, mock } from "./mock.ts";
export { type History, replays } from "./replays.ts";
export { type StoresUnderTest, testStores } from "./stores-under-test.ts";
export type { TemporaryEngine } from "./temporary-sqlite.ts";
export type { Implementation } from "./verify/target.ts";
export { type Verification, type Verified, type VerifiedRule, type VerifyOptions, verify } from "./verify/verify.ts";
export { type VirtualClock, virtualClock } from "./virtual-clock.ts";
export { type BenchOptions, type WorkflowBench, workflowBench } from "./workflow-bench.ts";
