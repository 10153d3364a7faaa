/** The inside door: what the runtime binds. */
export type { Appended, Change, Entry, Item, Journal, NewItem, RunRow, RunState } from "./journal.ts";
export { Runner, type RunnerPorts, type RunStatus, type SignalOutcome } from "./runner.ts";
