import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { provideViews } from "../aggregation/host.ts";
import {
  type AnyCommand,
  type AnyContract,
  type Call,
  type CallerInput,
  type Client,
  type Duration,
  type Named,
  systemClock,
  toClient,
  toMs,
} from "../contracts/index.ts";
import { createGateway } from "../gateway/index.ts";
import { type History, Runner, Scheduler, type ScheduleStatus } from "../orchestration/host.ts";
import { openStorage, toHealth, toIds } from "../storage/host.ts";
import { openTelemetry } from "../telemetry/index.ts";
import { createHttp, toRemoteProviders, toUpstream } from "../transports/http/index.ts";
import type { StartOptions } from "./backend.ts";
import { openCandidates, toSubscription } from "./candidates.ts";
import { catalogOf, lockBeside } from "./catalog.ts";
import { type Composition, checkStarts, toRemote, toServed } from "./composition.ts";
import { toDeployment } from "./deployment.ts";

import { createDispatch } from "./dispatcher.ts";
import { startFeeds } from "./feeds.ts";
import { openLastGood } from "./last-good.ts";
import { provideOlder } from "./older.ts";
import { openEngine } from "./open-engine.ts";
import { openGraphql } from "./open-graphql.ts";
import { Opened } from "./opened.ts";
import { tellAttempt, tellOperator } from "./operator.ts";
import { toRunDesk } from "./run-desk.ts";
import { toRunEvents } from "./run-events.ts";
import { openRunJournal } from "./run-journal.ts";
import { toRuns } from "./runs.ts";
import { type RunsClient, toRunsClient } from "./runs-client.ts";
import { readSettings, type Settings, upstreamName } from "./settings.ts";
import { toSourceMetrics } from "./source-metrics.ts";
import { toSubscriptions } from "./starts.ts";
import { openTimetable } from "./timetable.ts";

/** A backend that is up. */
export interface Running {
  readonly url: string;
  /** Stops accepting, finishes or parks what runs, closes the log. */
  stop(): Promise<void>;
  /** A typed client for code in the same process: scripts, tests. It waits for a command's result for as long as it takes. */
  client<C extends AnyContract>(contract: C, options?: { readonly key?: string } & Later): Client<C>;
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
  pauseSchedule(name: string): Promise<void>;
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
interface Plan {
  readonly name: string;
  readonly version: string;
  readonly composition: Composition;
}

/** Opens everything in order, and closes in reverse what was opened if a later part does not open. */
export async function startBackend({ name, version, composition }: Plan, options: StartOptions): Promise<Running> {
  const { environment = process.env, clock = systemClock } = options;
  const settings = readSettings(environment);
  const { remotes, sources } = byName(composition, settings);
  const remote = toRemote(composition, new Set(Object.keys(remotes)));
  checkStarts(composition);
  const log = pino({ name, level: settings.log });
  const opened = new Opened();
  try {
    const telemetry = openTelemetry({
      service: name,
      version,
      ...(settings.otlpUrl !== undefined && { otlpUrl: settings.otlpUrl }),
      ...(settings.console === "off" && { keep: 0 }), // nobody could look
      onExport: (sentence, err) => log.warn({ err }, sentence),
    });
    opened.defer(() => telemetry.close());
    const { tracing, feed } = telemetry;
    const engine = options.engine ?? (await openEngine(settings, (sentence) => log.warn(sentence)));
    opened.defer(() => engine.close());
    const http = createHttp({ connections: mostAtOnce(composition) });
    opened.defer(() => http.close());

    const served = toServed(composition);
    const { older } = composition;
    const answered = [...served, ...older.map(({ contract }) => contract)];
    const dispatch = createDispatch([...answered, ...remote]);
    const views = provideViews(composition.aggregation, {
      upstream: toUpstream(http),
      dispatch,
      clock,
      random: Math.random,
      origins: sources.urls,
      credentials: sources.credentials,
      ...(standsIn(composition) && { lastGood: await openLastGood(engine, clock) }),
      ...(hears(composition) && { candidates: await openCandidates(engine, clock) }),
    });
    opened.defer(() => views.close());
    const ready = Promise.withResolvers<void>();
    const starts = toSubscriptions(composition.starts, ready.promise, {
      ...{ dispatch, tracing },
      signal: (...signal) => runner.signal(...signal), // nothing is handed over before it is there
    });
    const storage = await openStorage([...composition.storage, ...starts, ...views.listeners.map(toSubscription)], {
      engine,
      clock,
      report: (sentence) => log.warn(sentence),
    });
    opened.defer(() => storage.close());
    const runner: Runner = new Runner(composition.orchestration, {
      journal: await openRunJournal(engine, clock),
      events: toRunEvents(storage),
      dispatch,
      clock,
      tracing,
      node: randomUUID(),
      newId: toIds(clock),
      leaseMs: settings.leaseMs,
      report: (event) => tellOperator(log, event),
      attemptFailed: (event) => tellAttempt(log, event),
      warn: (sentence) => log.warn(sentence),
    });
    const scheduler = new Scheduler(composition.schedules, {
      timetable: await openTimetable(engine, clock),
      isUnderWay: async (run) => (await runner.status(run))?.row.endedAt === null,
      alone: (await engine.status()).exclusive,
      warn: (sentence) => log.warn(sentence),
      ...{ dispatch, clock, tracing },
    });
    dispatch.bind("storage", storage.providers);
    dispatch.bind("orchestration", runner.providers);
    dispatch.bind("aggregation", views.providers);
    dispatch.bind("older versions", provideOlder(older, dispatch));
    for (const contract of remote) {
      const contractName = contract["~contract"].name;
      const { url, token } = remotes[contractName] ?? {};
      const address = { url: url ?? composition.remote[contractName] ?? "", ...(token && { token: token.reveal() }) };
      dispatch.bind("remote", toRemoteProviders(contract, { ...address, http, clock }));
    }

    const gateway = createGateway({
      name,
      version,
      contracts: answered,
      older,
      dispatch,
      runs: toRuns(runner),
      ...(composition.orchestration.length > 0 && { runDesk: toRunDesk(runner) }),
      longRunning: longRunning(composition),
      layerOf: (operation) => dispatch.layerOf(operation),
      tracing,
      feed,
      health: () =>
        storage.status().then(toHealth, (error: Error) => ({
          ready: false,
          parts: { log: { ready: false, detail: error.message } },
        })),
      metrics: () => toSourceMetrics(views),
      sources: () => ({ sources: views.sources(), views: views.views() }),
      storage: { ...storage, check: () => engine.check() },
      catalog: once(() => catalogOf({ name, composition }, lockBeside(process.cwd()))),
      ...(await withGraphql(composition, settings)),
      deployment: toDeployment(name, composition, engine),
      ...(options.rehearse && { rehearse: options.rehearse }),
      settings,
      log,
      ...(await withAssets()),
    });
    opened.defer(() => runner.drain(0)); // what comes later may fail, and nothing may wake runs on a closed log
    await runner.start();
    opened.defer(() => scheduler.stop());
    await scheduler.start();
    ready.resolve();
    if (composition.feeds.length > 0) {
      const feeds = await startFeeds(composition.feeds, { engine, dispatch, clock, tracing, log });
      opened.defer(() => feeds.stop());
    }
    const { url } = await listening(gateway, settings);
    log.info({ url, runs: runner.active }, `${name} is up at ${url}.`);

    const ownCall = ({ key, startAt, delay }: { readonly key?: string } & Later): Call => {
      const at = startAt?.getTime();
      if (Number.isNaN(at)) throw new TypeError("A run cannot be begun at an invalid date. Give an instant.");
      return {
        principal: { id: "system", kind: "system", scopes: [] },
        trace: tracing.begin(),
        aborted: new AbortController().signal,
        ...(key !== undefined && { key }),
        ...(at !== undefined && { startAt: at }),
        ...(delay !== undefined && { startAfterMs: toMs(delay) }),
      };
    };
    let stopped: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      // Requests that wait for a run are answered once the run is let go of, so both come to an end side by side.
      await scheduler.stop();
      await Promise.all([gateway.close(), runner.drain(settings.shutdownMs)]);
      await opened.close();
      log.info(`${name} has stopped.`);
    };
    return {
      url,
      stop() {
        stopped ??= stop();
        return stopped;
      },
      client: (contract, options = {}) => toClient(contract, dispatch, ownCall(options)),
      async begin(command, input, options = {}) {
        const { run } = await dispatch.call(command.id, input, { ...ownCall(options), detached: true });
        if (run !== undefined) return { run };
        throw new TypeError(`${command.id} is no workflow's, so it was done at once and there is no run.`);
      },
      runs: toRunsClient(runner, () => tracing.begin().traceparent),
      schedules: () => scheduler.list(),
      pauseSchedule: (name) => scheduler.pause(name),
      resumeSchedule: (name) => scheduler.resume(name),
      resume: (run) => runner.resume(run),
      history: (run) => runner.history(run),
    };
  } catch (error) {
    await opened.close().catch((second: unknown) => log.warn({ err: second }, "Closing failed as well."));
    throw error;
  }
}

/** Worked out when it is first asked for, since it compares every version with the one before. */
function once<T>(work: () => T): () => T {
  let done: { readonly value: T } | undefined;
  return () => {
    done ??= { value: work() };
    return done.value;
  };
}

/** The commands that workflows implement, under the names of older versions too. */
function longRunning({ orchestration, older }: Composition): readonly string[] {
  const ids = orchestration.map(({ id }): string => id);
  const ways = older.flatMap(({ ways }) => ways).filter(({ present }) => ids.includes(present.id));
  return [...ids, ...ways.map(({ older }) => older.id)];
}

/** As many connections to an origin as the most patient of its sources may use; a pool must not queue what a bulkhead let through. */
const mostAtOnce = ({ aggregation }: Composition): number =>
  Math.max(64, ...aggregation.flatMap(({ sources }) => sources).map(({ concurrency }) => concurrency));

async function withGraphql({ graphql }: Composition, { graphqlIntrospection: introspection }: Settings) {
  if (graphql === false) return {};
  const { depth = 12, cost = 1_000 } = graphql === true ? {} : graphql;
  return { beside: await openGraphql({ depth, cost, introspection }) };
}

const hears = ({ aggregation }: Composition): boolean => aggregation.some(({ kept }) => kept !== undefined);

const standsIn = ({ aggregation }: Composition): boolean =>
  aggregation.flatMap(({ sources }) => sources).some(({ staleIfErrorMs }) => staleIfErrorMs > 0);

async function listening(
  gateway: ReturnType<typeof createGateway>,
  { host, port }: Settings,
): Promise<{ readonly url: string }> {
  try {
    return await gateway.listen();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE")
      throw new Error(
        `Port ${port} on ${host} is taken by another process. Stop that one, or set PORT to another port (0 takes a free one).`,
        { cause: error },
      );
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
      throw new Error(`This machine has no address "${host}". Set HOST to one that it has, such as 127.0.0.1.`, {
        cause: error,
      });
    if (code === "EACCES")
      throw new Error(`This user may not listen on port ${port}. Set PORT to a port above 1023.`, { cause: error });
    throw error;
  }
}

/** Settings know upstreams in capitals; the layers know them by their own names. */
function byName({ aggregation, orchestration }: Composition, settings: Settings) {
  const contracts = orchestration.flatMap(({ uses }) => uses).map((contract) => contract["~contract"].name);
  const remotes = named(contracts, settings.remotes, "TRILITH_REMOTE");
  const found = named(
    aggregation.flatMap(({ sources }) => sources).map((source) => source.name),
    settings.sources,
    "TRILITH_SOURCE",
  );
  const urls: Record<string, string> = {};
  const credentials: Record<string, string> = {};
  for (const [source, { url, token }] of Object.entries(found)) {
    if (url !== undefined) urls[source] = url;
    if (token) credentials[source] = `Bearer ${token.reveal()}`;
  }
  return { remotes, sources: { urls, credentials } };
}

function named(names: readonly string[], upstreams: Settings["remotes"], prefix: string): Settings["remotes"] {
  const known = new Map(names.map((name) => [upstreamName(name), name]));
  return Object.fromEntries(
    Object.entries(upstreams).map(([capitals, upstream]) => {
      const name = known.get(capitals);
      if (name === undefined)
        throw new TypeError(
          `${prefix}_${capitals}_…: this backend has no such upstream. It has: ${[...known.keys()].join(", ") || "none"}.`,
        );
      return [name, upstream];
    }),
  );
}

// From source the console lies in dist beside src; in the package it lies beside this file's folder.
async function withAssets(): Promise<{ readonly assets?: string }> {
  for (const place of ["../../dist/console", "../console"]) {
    const folder = fileURLToPath(new URL(place, import.meta.url));
    if (
      await stat(folder).then(
        (found) => found.isDirectory(),
        () => false,
      )
    )
      return { assets: folder };
  }
  return {};
}
