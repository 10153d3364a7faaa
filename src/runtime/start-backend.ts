import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { FeedRunner, keptViews, provideViews } from "../aggregation/host.ts";
import { type Call, systemClock, toClient, toMs } from "../contracts/index.ts";
import { createGateway } from "../gateway/index.ts";
import { Runner, Scheduler } from "../orchestration/host.ts";
import { openStorage, toHealth, toIds } from "../storage/host.ts";
import { openTelemetry } from "../telemetry/index.ts";
import { createHttp, toRemoteProviders, toUpstream } from "../transports/http/index.ts";
import type { StartOptions } from "./backend.ts";
import { openCandidates, toSubscription } from "./candidates.ts";
import { catalogOf, lockBeside } from "./catalog.ts";
import { type Composition, checkFeeds, checkStarts, toRemote, toServed } from "./composition.ts";
import { toDeployment } from "./deployment.ts";
import { createDispatch } from "./dispatcher.ts";
import { toFeedKeeping } from "./feed-keeping.ts";
import { toFeedMetrics } from "./feed-metrics.ts";
import { openLastGood } from "./last-good.ts";
import { listening } from "./listening.ts";
import { toLoggedError } from "./logged-error.ts";
import { provideOlder } from "./older.ts";
import { openEngine } from "./open-engine.ts";
import { openGraphql } from "./open-graphql.ts";
import { Opened } from "./opened.ts";
import { tellAttempt, tellOperator } from "./operator.ts";
import { toRunDesk } from "./run-desk.ts";
import { toRunEvents } from "./run-events.ts";
import { openRunJournal } from "./run-journal.ts";
import type { Later, Running } from "./running.ts";
import { toRuns } from "./runs.ts";
import { toRunsClient } from "./runs-client.ts";
import { toScheduleDesk } from "./schedule-desk.ts";
import { readSettings, type Settings } from "./settings.ts";
import { toSourceMetrics } from "./source-metrics.ts";
import { toSubscriptions } from "./starts.ts";
import { openTimetable } from "./timetable.ts";
import { byName, toConnections } from "./upstreams.ts";

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
  const log = pino({ name, level: settings.log, serializers: { err: toLoggedError } });
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
    const http = createHttp({ connections: toConnections(composition, settings) });
    opened.defer(() => http.close());

    const served = toServed(composition);
    const { older } = composition;
    const answered = [...served, ...older.map(({ contract }) => contract)];
    checkFeeds(composition, [...answered, ...remote]);
    const dispatch = createDispatch([...answered, ...remote]);
    const views = provideViews(composition.aggregation, {
      upstream: toUpstream(http),
      dispatch,
      clock,
      random: Math.random,
      origins: sources.urls,
      credentials: sources.credentials,
      inner: sources.inner,
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
      process: `process ${process.pid} on ${hostname()}`,
      report: (sentence) => log.warn(sentence),
    });
    opened.defer(() => storage.close());
    const node = randomUUID();
    const { exclusive: alone } = await engine.status();
    const runner: Runner = new Runner(composition.orchestration, {
      journal: await openRunJournal(engine, clock),
      events: toRunEvents(storage),
      dispatch,
      clock,
      tracing,
      node,
      newId: toIds(clock),
      leaseMs: settings.leaseMs,
      ...(options.alwaysSuspend && { evict: "always", suspendAfterMs: 0 }),
      report: (event) => tellOperator(log, event),
      attemptFailed: (event) => tellAttempt(log, event),
      warn: (sentence) => log.warn(sentence),
    });
    const scheduler = new Scheduler(composition.schedules, {
      timetable: await openTimetable(engine, clock),
      isUnderWay: async (run) => (await runner.status(run))?.row.endedAt === null,
      alone,
      warn: (sentence) => log.warn(sentence),
      ...{ dispatch, clock, tracing },
    });
    const feeds = new FeedRunner(composition.feeds, {
      keeping: toFeedKeeping({ engine, clock, node, leaseMs: settings.leaseMs, alone }),
      warn: (sentence, err) => log.warn({ err }, sentence),
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
      ...(composition.orchestration.length > 0 && { runDesk: toRunDesk(runner, composition.orchestration) }),
      ...(composition.orchestration.length + composition.schedules.length > 0 && {
        schedules: toScheduleDesk(scheduler),
      }),
      longRunning: longRunning(composition),
      layerOf: (operation) => dispatch.layerOf(operation),
      tracing,
      feed,
      health: () =>
        storage.status().then(toHealth, (error: Error) => ({
          ready: false,
          parts: { log: { ready: false, detail: error.message } },
        })),
      metrics: () => [...toSourceMetrics(views), ...toFeedMetrics(feeds.health(), clock.now())],
      sources: () => ({ node, sources: views.sources(), views: views.views(), feeds: feeds.health() }),
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
    opened.defer(() => storage.endSubscriptions()); // before their runs are refused
    await runner.start();
    opened.defer(() => scheduler.stop());
    await scheduler.start();
    ready.resolve();
    opened.defer(() => feeds.stop());
    feeds.start();
    const { url, pages } = await listening(gateway, settings);
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
      // An event that was refused by a runner that stops, once too often, would be parked.
      const endsAt = clock.monotonic() + settings.shutdownMs;
      const drained = Promise.all([scheduler.stop(), feeds.stop(), storage.endSubscriptions()]).then(() =>
        runner.drain(Math.max(0, endsAt - clock.monotonic())),
      );
      await Promise.all([gateway.close(), drained]);
      await opened.close();
      log.info(`${name} has stopped.`);
    };
    return {
      url,
      pages,
      stop() {
        stopped ??= stop();
        return stopped;
      },
      client: (contract, options = {}) => toClient(contract, dispatch, ownCall(options)),
      log: (events) => storage.reading(events),
      async begin(command, input, options = {}) {
        const { run } = await dispatch.call(command.id, input, { ...ownCall(options), detached: true });
        if (run !== undefined) return { run };
        throw new TypeError(`${command.id} is no workflow's, so it was done at once and there is no run.`);
      },
      runs: toRunsClient(runner, () => tracing.begin().traceparent),
      schedules: () => scheduler.list(),
      pauseSchedule: (name, asked) => scheduler.pause(name, asked),
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

async function withGraphql({ graphql }: Composition, { graphqlIntrospection: introspection }: Settings) {
  if (graphql === false) return {};
  const { depth = 12, cost = 1_000 } = graphql === true ? {} : graphql;
  return { beside: await openGraphql({ depth, cost, introspection }) };
}

const hears = ({ aggregation }: Composition): boolean => keptViews(aggregation).length > 0;

const standsIn = ({ aggregation }: Composition): boolean =>
  aggregation.flatMap(({ sources }) => sources).some(({ staleIfErrorMs }) => staleIfErrorMs > 0);

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
