/**
 * The inside door: what the runtime binds, and the port that engines implement. Start with open-storage.ts, then
 * commands.ts (one command is one append) and engine.ts.
 */

export { checkQuery } from "./check-query.ts";
export { toColumns } from "./columns.ts";
export type { Emission, Emit } from "./emit.ts";
export type {
  After,
  Append,
  Checkpoint,
  Collection,
  Column,
  Columns,
  Condition,
  Document,
  DocumentQuery,
  Engine,
  EngineStatus,
  Expectation,
  Expected,
  NewEvent,
  NewReceipt,
  Outcome,
  Place,
  ReadQuery,
  Receipt,
  StoredEvent,
  TextQuery,
  Write,
} from "./engine.ts";
export { EventCodec } from "./event-codec.ts";
export type { HeldEvent } from "./event-versions.ts";
export { Generations } from "./generations.ts";
export { type StorageHealth, toHealth } from "./health.ts";
export { type Chance, toIds } from "./ids.ts";
export { Log, type LogAppend, type LogEvent, type Recorded } from "./log.ts";
export type { ReadModelStatus } from "./models.ts";
export {
  openStorage,
  type Storage,
  type StoragePorts,
  type StorageStatus,
} from "./open-storage.ts";
export type { Operating } from "./operating.ts";
export type { Parked } from "./parking.ts";
export type { Progress } from "./progress.ts";
export type { AnyStore, Store } from "./store.ts";
export type { PartitionStatus, SubscriptionStatus } from "./subscription-status.ts";
export { Sweeper } from "./sweeper.ts";
export { toAfter } from "./to-after.ts";
