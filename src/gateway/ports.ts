import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import type { Adapted, AnyContract, Call, Dispatch, Named, Operation, Problem, Tracing } from "../contracts/index.ts";
import type { SpanFeed } from "../telemetry/index.ts";

import type { Gate } from "./gate.ts";

import type { RunDesk } from "./run-desk.ts";
import type { ScheduleDesk } from "./schedule-routes.ts";

/** Runs as somebody outside may see and reach them. */
export interface Runs {
  status(run: string): Promise<RunStatus | undefined>;
  /** `payload` is JSON that fits the signal's schema, as it was written. */
  signal(run: string, name: string, payload: unknown, call: Call): Promise<SignalAnswer>;
  /** What a run says of itself, from the last on, each as it comes; ends when the run does, or when `aborted` fires. */
  follow(run: string, aborted: AbortSignal): AsyncIterable<unknown>;
}
export type SignalAnswer = "taken" | "no such run" | "no such signal" | "ended";
export type RunState =
  | ("queued" | "running" | "waiting" | "undoing" | "paused")
  | ("done" | "failed" | "cancelled" | "terminated");
export interface RunStatus {
  readonly run: string;
  /** The operation's id: `trips.book`. */
  readonly operation: string;
  readonly state: RunState;
  /** Instants are ISO 8601. */
  readonly startedAt: string;
  /** Of a run that was asked for earlier: when it begins. */
  readonly startsAt?: string;
  readonly endedAt?: string;
  /** As it travels: of a run that is done. */
  readonly output?: unknown;
  /** What a run under way last said of itself, where its contract declares that. */
  readonly progress?: unknown;
  /** Of a run that failed. */
  readonly problem?: Problem;
  /** Why it is paused, or is being undone, in plain words. */
  readonly reason?: string;
  /** The id of the principal who started it. */
  readonly startedBy: string;
}

export interface Health {
  readonly ready: boolean;
  /** By part: what it says of itself. Seen by whoever asks, so it names no secrets. */
  readonly parts: { readonly [part: string]: { readonly ready: boolean; readonly detail?: string } };
}

/** One line of thought for whoever watches, in the words of Prometheus. */
export interface Metric {
  readonly name: string;
  /** One line. */
  readonly help: string;
  readonly type: "counter" | "gauge" | "summary";
  readonly samples: readonly {
    readonly suffix?: "_sum" | "_count";
    readonly labels?: { readonly [label: string]: string };
    readonly value: number;
  }[];
}

/** What an operator may ask of the storage, and do to it. What it gives travels as JSON; a `TypeError` is the asker's own. */
export interface StorageDesk {
  status(): Promise<unknown>;
  /** Looks through everything that is kept: a sentence for each thing that is wrong. */
  check(): Promise<readonly string[]>;
  parked(reader: string): Promise<unknown>;
  resume(reader: string): Promise<unknown>;
  rebuild(reader: string): Promise<void>;
  dismiss(reader: string, position: number): Promise<void>;
  restart(reader: string, after: number): Promise<void>;
}

export interface JwtSettings {
  readonly issuer: string;
  readonly audience: string;
  /** Where the issuer's public keys are: an address, or a file. */
  readonly jwks: string;
}

export interface GatewaySettings {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Bytes. */
  readonly bodyLimit: number;
  /** How long a caller who says nothing else waits for a command that takes its time. */
  readonly patienceMs: number;
  /** How long requests may take to finish once the gateway closes. */
  readonly shutdownMs: number;
  /** `on`: open to this machine on a loopback host, else with the scope `console:read`; `key`: always with the scope. */
  readonly console: "on" | "key" | "off";
  readonly keysFile?: string;
  readonly jwt?: JwtSettings;
  /** Whether somebody starts the process again when it is killed; only then does the console offer to kill it. */
  readonly supervised: boolean;
}

/** What to end an operation with, by the name of a failure or a fault. A `TypeError` is the asker's own. */
export type Rehearse = (operation: Operation & Named, code: string) => Promise<Error>;

export interface GatewayParts {
  readonly name: string;
  readonly version: string;
  readonly contracts: readonly AnyContract[];
  /** Of them, the older versions and how they are adapted to the present ones. */
  readonly older?: readonly Adapted[];
  readonly dispatch: Dispatch;
  readonly runs?: Runs;
  /** The search over runs and what operators do to them: `/runs`. */
  readonly runDesk?: RunDesk;
  /** The schedules and what operators do to them: `/runs/schedules`. */
  readonly schedules?: ScheduleDesk;
  /** The ids of the commands that workflows implement, beside those with signals. They may be answered with 202. */
  readonly longRunning?: readonly string[];
  /** The layer that implements an operation, as the console shows it. */
  readonly layerOf?: (operation: string) => string | undefined;
  readonly tracing: Tracing;
  readonly feed: SpanFeed;
  readonly health: () => Promise<Health>;
  /** What `/metrics` shows beside what the gateway counts itself. */
  readonly metrics?: () => readonly Metric[];
  /** How the sources of views do, as JSON for the console: `/console/sources`. */
  readonly sources?: () => unknown;
  /** For the console: `/console/storage`. */
  readonly storage?: StorageDesk;
  /** What is known of each contract, as JSON for the console: `/console/catalog`. */
  readonly catalog?: () => object;
  /** Adds what else answers beside the contracts' own routes: GraphQL. */
  readonly beside?: (app: FastifyInstance, parts: GatewayParts, gate: Gate) => void;
  /** What another backend has to know of this one to take its place or to call it: told at `/.well-known/trilith.json`. */
  readonly deployment?: () => Promise<object>;
  /** How an operation ends for a caller who asks for a failure with `Mock-Failure`. Where it is missing, nobody can. */
  readonly rehearse?: Rehearse;
  readonly settings: GatewaySettings;
  readonly log: Logger;
  /** The folder of the built console: index.html, assets/, docs/. */
  readonly assets?: string;
}
