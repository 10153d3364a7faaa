import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { provideViews } from "../aggregation/host.ts";
import { type AnyContract, type Client, systemClock, toClient } from "../contracts/index.ts";
import { createGateway } from "../gateway/index.ts";
import { Runner } from "../orchestration/host.ts";
import { openStorage, toHealth, toIds } from "../storage/host.ts";
import { openTelemetry } from "../telemetry/index.ts";
import { createHttp, toRemoteProviders, toUpstream } from "../transports/http/index.ts";
import type { StartOptions } from "./backend.ts";
import { openCandidates, toSubscription } from "./candidates.ts";
import { type Composition, toRemote, toServed } from "./composition.ts";
import { createDispatch } from "./dispatcher.ts";
import { startFeeds } from "./feeds.ts";
import { openLastGood } from "./last-good.ts";
import { openEngine } from "./open-engine.ts";
import { openGraphql } from "./open-graphql.ts";
import { Opened } from "./opened.ts";
import { tellOperator } from "./operator.ts";
import { openRunJournal } from "./run-journal.ts";
import { toRuns } from "./runs.ts";
import { readSettings, type Settings, upstreamName } from "./settings.ts";
import { toSourceMetrics } from "./source-metrics.ts";

/** A backend that is up. */
export interface Running {
  readonly url: string;
  /** Stops accepting, finishes or parks what runs, closes the log. */
  stop(): Promise<void>;
  /** A typed client for code in the same process: scripts, tests. It waits for a command's result for as long as it takes. */
  client<C extends AnyContract>(contract: C, options?: { readonly key?: string }): Client<C>;
  /** Lets a paused run go on, after whatever stopped it was mended. */
  resume(run: string): Promise<void>;
}
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
  const log = pino({ name, level: settings.log });
  const opened = new Opened();
  try {
    const telemetry = openTelemetry({
      service: name,
      version,
      ...(settings.otlpUrl !== undefined && { otlpUrl: settings.otlpUrl }),
      onExport: (sentence, err) => log.warn({ err }, sentence),
    });
    opened.defer(() => telemetry.close());
    const { tracing, feed } = telemetry;
    const engine = options.engine ?? (await openEngine(settings, (sentence) => log.warn(sentence)));
    opened.defer(() => engine.close());
    const http = createHttp({ connections: mostAtOnce(composition) });
    opened.defer(() => http.close());

    const served = toServed(composition);
    const dispatch = createDispatch([...served, ...remote]);
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
    const storage = await openStorage([...composition.storage, ...views.listeners.map(toSubscription)], {
      engine,
      clock,
      report: (sentence) => log.warn(sentence),
    });
    opened.defer(() => storage.close());
    const runner = new Runner(composition.orchestration, {
      journal: await openRunJournal(engine, clock),
      dispatch,
      clock,
      tracing,
      node: randomUUID(),
      newId: toIds(clock),
      report: (event) => tellOperator(log, event),
      warn: (sentence) => log.warn(sentence),
    });
    dispatch.bind("storage", storage.providers);
    dispatch.bind("orchestration", runner.providers);
    dispatch.bind("aggregation", views.providers);
    for (const contract of remote) {
      const contractName = contract["~contract"].name;
      const { url, token } = remotes[contractName] ?? {};
      const address = { url: url ?? composition.remote[contractName] ?? "", ...(token && { token: token.reveal() }) };
      dispatch.bind("remote", toRemoteProviders(contract, { ...address, http, clock }));
    }

    const gateway = createGateway({
      name,
      version,
      contracts: served,
      dispatch,
      runs: toRuns(runner),
      longRunning: composition.orchestration.map(({ id }) => id),
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
      ...(await withGraphql(composition, settings)),
      settings,
      log,
      ...(await withAssets()),
    });
    opened.defer(() => runner.drain(0)); // what comes later may fail, and nothing may wake runs on a closed log
    await runner.start();
    if (composition.feeds.length > 0) {
      const feeds = await startFeeds(composition.feeds, { engine, dispatch, clock, tracing, log });
      opened.defer(() => feeds.stop());
    }
    const { url } = await listening(gateway, settings);
    log.info({ url, runs: runner.active }, `${name} is up at ${url}.`);

    let stopped: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      // Requests that wait for a run are answered once the run is let go of, so both come to an end side by side.
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
      client: (contract, { key } = {}) =>
        toClient(contract, dispatch, {
          principal: { id: "system", kind: "system", scopes: [] },
          trace: tracing.begin(),
          aborted: new AbortController().signal,
          ...(key !== undefined && { key }),
        }),
      resume: (run) => runner.resume(run),
    };
  } catch (error) {
    await opened.close().catch((second: unknown) => log.warn({ err: second }, "Closing failed as well."));
    throw error;
  }
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
