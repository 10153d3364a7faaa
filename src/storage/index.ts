/**
 * Storage: facts. Declares entities, read models and stores; a backend opens them on an engine. It imports contracts and
 * itself. Start with entity.ts, read-model.ts and store.ts; what opens them is host.ts, what keeps the bytes is a port,
 * engine.ts.
 */
export {
  type Decision,
  type Emit,
  type Emitted,
  type Entity,
  type EntityReader,
  type EntityWriter,
  type EventMeta,
  entity,
  type HistoryOptions,
  type PastEvent,
} from "./entity.ts";
export { type EventLog, eventLog, type LoggedEvent, type LogReader, type LogReadOptions } from "./event-log.ts";
export {
  type CaughtUpOptions,
  type ReadModel,
  type RowPage,
  type RowReader,
  type Rows,
  readModel,
} from "./read-model.ts";
export {
  type AnyStore,
  type CommandContext,
  type Handler,
  type Parts,
  type QueryContext,
  type Store,
  type StoreOptions,
  store,
} from "./store.ts";
export { type Delivery, type Subscription, subscription } from "./subscription.ts";
