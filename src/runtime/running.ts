import type { AnyCommand, AnyContract, CallerInput, Client, Duration, EventNames, Named } from "../contracts/index.ts";
import type { Page } from "../gateway/index.ts";
import type { History, ScheduleAsked, ScheduleStatus } from "../orchestration/host.ts";
import type { LogReader } from "../storage/index.ts";
import type { RunsClient } from "./runs-client.ts";

/** A backend that is up. */
export interface Running {
  readonly url: string;
  /** What a person can open in a browser, as it is served. */
  readonly pages: readonly Page[];
  /** Stops accepting, finishes or parks what runs, closes the log. */
  stop(): Promise<void>;
  /** A typed client for code in the same process: scripts, tests. It waits for a command's result for as long as it takes. */
  client<C extends AnyContract>(contract: C, options?: { readonly key?: string } & Later): Client<C>;
  /** Reads the events of a contract along the log, for code in the same process: scripts, tests. */
  log<E extends { readonly [name: string]: unknown }>(events: E): LogReader<{ [K in EventNames<E>]: E[K] }>;
  /** Begins a run of a workflow's command, durable when this resolves, and does not wait for its end. */
  begin<Op extends AnyCommand & Named>(
    command: Op,
    input: CallerInput<Op>,
    options?: { readonly key?: string } & Later,
  ): Promise<{ readonly run: string }>;
  /** Finds runs, and steers them. */
  readonly runs: RunsClient;
  /** The schedules, with what is next and what was last. */
  schedules(): Promise<readonly ScheduleStatus[]>;
  /** Begins no run of this schedule any more, on any node, until it is resumed. */
  pauseSchedule(name: string, asked?: ScheduleAsked): Promise<void>;
  /** Goes on with the next instant from now. */
  resumeSchedule(name: string): Promise<void>;
  /** Lets a paused run go on, after whatever stopped it was mended. */
  resume(run: string): Promise<void>;
  /** A run's journal as plain data, for `replays` of trilith/testing. It holds what the run was given and got back. */
  history(run: string): Promise<History>;
}
/** When a run begins that is asked for now: at an instant, or after a time. One that has passed is now. */
export type Later =
  | { readonly startAt?: Date; readonly delay?: never }
  | { readonly delay?: Duration; readonly startAt?: never };
