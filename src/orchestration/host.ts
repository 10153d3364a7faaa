/** The inside door: what the runtime binds. */

export { Entries } from "./journal/entries.ts";
export { digestOf } from "./journal/identity.ts";
export {
  type Appended,
  type Change,
  type Control,
  type EndState,
  type Entry,
  type Item,
  type Journal,
  type Loaded,
  type NewItem,
  type RunRow,
  type RunState,
  type StepKind,
  Unreadable,
} from "./journal/journal.ts";
export { entryBytes, refusalOf, sizeToRead, tooLargeToRead } from "./journal/limits.ts";
export {
  type Admission,
  type Head,
  type Lane,
  type Line,
  type Standing,
  type Ticket,
  type Turn,
  untilFreed,
} from "./journal/line.ts";
export type { Census, News, Nodes } from "./journal/nodes.ts";
export {
  fits,
  type Range,
  type RunCount,
  type RunFilter,
  type RunOrder,
  type RunPage,
  type RunQuery,
  type TagCondition,
} from "./journal/search.ts";
export type { Emitted, Events } from "./language/events.ts";
export type { Tags } from "./language/tags.ts";
export type { RunStatus } from "./node/callers.ts";
export { Runner, type RunnerEvent, type RunnerPorts, type SignalOutcome } from "./node/runner.ts";
export type { AttemptEvent } from "./replay/execution.ts";
export { type History, replay } from "./replay/history.ts";
export { type ScheduleAsked, Scheduler, type ScheduleStatus } from "./starting/scheduler.ts";
export { type Occurrence, type StartPorts, signalFor, startFor } from "./starting/start-on.ts";
export type { Plan, Slot, Timetable } from "./starting/timetable.ts";
export type { Bulk, Bulks } from "./steering/bulk.ts";
export type { Declined, Fork, ForkForeseen, Forking, Order, Steered } from "./steering/steward.ts";
