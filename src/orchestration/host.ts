/** The inside door: what the runtime binds. */

export type { Bulk, Bulks } from "./bulk.ts";
export type { RunStatus } from "./callers.ts";
export type { Emitted, Events } from "./events.ts";
export { type History, replay } from "./history.ts";
export { digestOf, toRunId } from "./identity.ts";
export {
  type Appended,
  type Change,
  type Control,
  type EndState,
  type Entry,
  hasEnded,
  type Item,
  type Journal,
  type NewItem,
  type RunRow,
  type RunState,
  Unreadable,
} from "./journal.ts";
export { entryBytes, refusalOf } from "./limits.ts";
export {
  type Admission,
  type Head,
  type Lane,
  type Line,
  type Standing,
  type Ticket,
  type Turn,
  untilFreed,
} from "./line.ts";
export type { Census, News, Nodes } from "./nodes.ts";
export { Runner, type RunnerEvent, type RunnerPorts, type SignalOutcome } from "./runner.ts";
export { Scheduler, type ScheduleStatus } from "./scheduler.ts";
export {
  fits,
  type Range,
  type RunCount,
  type RunFilter,
  type RunOrder,
  type RunPage,
  type RunQuery,
  type TagCondition,
} from "./search.ts";
export { type Occurrence, type StartPorts, signalFor, startFor } from "./start-on.ts";
export type { Declined, Fork, Forking, Order, Steered } from "./steward.ts";
export { mostTags, type Tags } from "./tags.ts";
export type { Plan, Slot, Timetable } from "./timetable.ts";
