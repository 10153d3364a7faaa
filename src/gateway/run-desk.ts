import type { Principal } from "../contracts/index.ts";
import type { RunState } from "./ports.ts";

/** What an operator may ask of all runs, and want of each. What it gives travels as JSON. */
export interface RunDesk {
  search(filter: RunFilter, query: RunQuery): Promise<RunList>;
  counts(): Promise<readonly RunCount[]>;
  /** A run's journal as plain data, from an entry on; undefined where there is no such run. */
  history(run: string): Promise<object | undefined>;
  steer(run: string, order: RunOrder): Promise<RunSteered>;
  /** The machines as they are drawn, by name and version: `parcels.follow@1`. */
  machines(): { readonly [workflow: string]: { readonly drawn: object; readonly mermaid: string } };
  /** What a fork from a step, or from the start, would do a second time: names of steps. */
  foreseeFork(
    run: string,
    step: string | undefined,
  ): Promise<{ readonly ok: true; readonly again: readonly string[] } | RunDeclined>;
  fork(run: string, fork: RunFork): Promise<{ readonly ok: true; readonly run: string } | RunDeclined>;
  steerAll(filter: RunFilter, order: RunOrder): Promise<RunBulk>;
  bulk(id: string): Promise<RunBulk | undefined>;
}

export const runActions = ["cancel", "terminate", "pause", "resume", "retry"] as const;
export type RunAction = (typeof runActions)[number];
export interface RunOrder {
  readonly to: RunAction;
  readonly by: string;
  readonly reason?: string;
}
export type RunSteered = { readonly ok: true; readonly state: RunState } | RunDeclined;
export interface RunDeclined {
  readonly ok: false;
  readonly why: "no such run" | "not now" | "invalid";
  readonly sentence: string;
}
export interface RunFork {
  readonly step?: string;
  readonly input?: { readonly value: unknown };
  readonly by: Principal;
  readonly key?: string;
  readonly traceparent: string;
}

/** Which runs are meant; all that is said must hold. Times in ms since 1970, both bounds inclusive. */
export interface RunFilter {
  readonly operation?: string;
  readonly workflow?: string;
  readonly states?: readonly RunState[];
  readonly prefix?: string;
  readonly key?: string;
  readonly started?: { readonly from?: number; readonly to?: number };
  readonly ended?: { readonly from?: number; readonly to?: number };
  readonly tags?: { readonly [name: string]: TagValue | { readonly from?: TagValue; readonly to?: TagValue } };
}
export type TagValue = string | number;
export interface RunQuery {
  readonly limit: number;
  readonly orderBy?: "startedAt" | "endedAt";
  readonly ascending?: boolean;
  readonly after?: string;
}
export interface RunList {
  readonly runs: readonly RunSummary[];
  readonly next?: string;
}
export interface RunSummary {
  readonly run: string;
  readonly operation: string;
  /** `trips.book@1`. */
  readonly workflow: string;
  readonly state: RunState;
  /** Instants are ISO 8601. */
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly startedBy: string;
  /** That its caller began it with. */
  readonly key?: string;
  /** Why it is paused, or is being undone, in plain words. */
  readonly reason?: string;
  /** Of a run that failed as its contract foresees: the failure. */
  readonly failure?: string;
  readonly tags?: { readonly [name: string]: TagValue };
}
export interface RunCount {
  readonly operation: string;
  readonly workflow: string;
  readonly state: RunState;
  readonly count: number;
  /** There are more than were counted. */
  readonly more: boolean;
}
export interface RunBulk {
  readonly id: string;
  readonly action: RunAction;
  readonly state: "under way" | "done";
  readonly at: string;
  readonly endedAt?: string;
  /** Runs that were looked at so far, and those of them that followed. */
  readonly found: number;
  readonly taken: number;
  /** Of those that did not the last twenty, each with a sentence that says why. */
  readonly refusals: readonly { readonly run: string; readonly why: string }[];
}
