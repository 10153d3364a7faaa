/** The inside door: what the runtime binds. */

export type { RunStatus } from "./callers.ts";
export type { Emitted, Events } from "./events.ts";
export { type History, replay } from "./history.ts";
export { digestOf } from "./identity.ts";
export type { Appended, Change, Entry, Item, Journal, NewItem, RunRow, RunState } from "./journal.ts";
export { Runner, type RunnerEvent, type RunnerPorts, type SignalOutcome } from "./runner.ts";
