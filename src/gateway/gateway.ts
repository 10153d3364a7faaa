import { randomUUID } from "node:crypto";
import fastify, { type FastifyInstance } from "fastify";
import { toOpenApi } from "../contracts/index.ts";
import { createKeyRing } from "./api-keys.ts";
import { acceptBodies } from "./body.ts";
import { answerBrokenRequest } from "./broken-request.ts";
import { addDescriptions } from "./catalog.ts";
import { addConsole } from "./console.ts";
import { createAuthenticate } from "./credentials.ts";
import { addDeployment } from "./deployment.ts";
import { addDocs } from "./docs.ts";
import { addFrontDoor } from "./front-door.ts";
import type { Gate } from "./gate.ts";
import { countRequests, type InFlight } from "./in-flight.ts";
import { type Answered, addMetrics, countAnswers } from "./metrics.ts";
import { answerNowhere } from "./nowhere.ts";
import { addOperationRoutes } from "./operation-routes.ts";
import { type Page, pagesOf } from "./pages.ts";
import type { GatewayParts } from "./ports.ts";
import { addProbes } from "./probes.ts";
import { sendProblem } from "./problem-reply.ts";
import { beginRequest, observeRequests } from "./request-observer.ts";
import { checkRoutes } from "./route-check.ts";
import { addRunDesk } from "./run-desk-routes.ts";
import { addRunRoutes } from "./run-routes.ts";
import { addScheduleRoutes } from "./schedule-routes.ts";
import { createTokens } from "./tokens.ts";
import { countUsage, toVersions } from "./versions.ts";

export interface Gateway {
  /** Listens and gives back the address under which it is reached. A busy port rejects with `EADDRINUSE`. */
  listen(): Promise<{ readonly url: string; readonly pages: readonly Page[] }>;
  /**
   * Takes nothing new (operations and `/readyz` answer 503), lets what runs finish within `shutdownMs`, cuts off what does
   * not, and stops listening. Can be called twice.
   */
  close(): Promise<void>;
}

/** Builds the HTTP side of a backend from its contracts. Throws a sentence for routes that cannot live together. */
export function createGateway(parts: GatewayParts): Gateway {
  checkRoutes(parts.contracts);
  const { settings } = parts;
  const gate = createGate(parts);
  const inFlight = countRequests();
  const answered = countAnswers();
  const app = createApp(parts, { inFlight, answered });
  answerNowhere(app);
  addProbes(app, parts, gate);
  const versions = toVersions(parts.older);
  const usage = countUsage();
  addMetrics(app, parts, gate, usage, answered);
  addOperationRoutes(app, parts, gate, versions, usage);
  if (parts.runs) addRunRoutes(app, parts, parts.runs, gate, versions);
  parts.beside?.(app, parts, gate);
  if (parts.runs && parts.runDesk) addRunDesk(app, parts, parts.runDesk, parts.runs, gate);
  if (parts.schedules) addScheduleRoutes(app, parts, parts.schedules, gate);
  addDocs(app, parts, openApiOf(parts));
  addDescriptions(app, parts);
  if (parts.deployment) addDeployment(app, parts, parts.deployment, gate);
  if (settings.console !== "off") addConsole(app, parts, gate, usage);
  addFrontDoor(app, parts);

  let closed: Promise<void> | undefined;
  return Object.freeze({
    async listen() {
      await app.listen({ host: settings.host, port: settings.port });
      const url = urlOf(app, settings.host);
      return { url, pages: pagesOf(parts, url) };
    },
    close() {
      closed ??= shutDown(app, gate, inFlight, settings.shutdownMs);
      return closed;
    },
  });
}

function createGate({ settings, log }: GatewayParts): Gate {
  const keys = settings.keysFile === undefined ? undefined : createKeyRing(settings.keysFile, log);
  const tokens = settings.jwt && createTokens(settings.jwt, log);
  const closing = new AbortController();
  return {
    authenticate: createAuthenticate(keys, tokens),
    closing: closing.signal,
    beginClosing: () => closing.abort(),
  };
}

function createApp(
  { settings, tracing, log }: GatewayParts,
  counters: { readonly inFlight: InFlight; readonly answered: Answered },
): FastifyInstance {
  const observer = { tracing, log, ...counters };
  const app = fastify({
    // The gateway writes its own line for each request, without bodies and headers.
    logger: false,
    // While it closes, requests on open connections get problem documents of ours rather than Fastify's.
    return503OnClosing: false,
    forceCloseConnections: "idle",
    bodyLimit: settings.bodyLimit,
    requestTimeout: 30_000,
    keepAliveTimeout: 5_000,
    http: { headersTimeout: 10_000, maxHeaderSize: 16 * 1024 },
    routerOptions: { maxParamLength: 1_024, querystringParser: () => ({}) },
    genReqId: ({ headers }) => {
      const given = headers["x-request-id"];
      return typeof given === "string" && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
    },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (failure, request, reply) => {
      beginRequest(request, reply, observer);
      sendProblem(request, reply, failure);
    },
  });
  app.setErrorHandler((failure, request, reply) => sendProblem(request, reply, failure));
  observeRequests(app, observer);
  acceptBodies(app, settings.bodyLimit);
  return app;
}

const openApiOf = ({ name, version, contracts, longRunning, runDesk, schedules }: GatewayParts): object =>
  toOpenApi({
    title: name,
    version,
    contracts,
    ...(longRunning && { longRunning }),
    ...(runDesk && { operators: true }),
    ...(schedules && { schedules: true }),
  });

async function shutDown(app: FastifyInstance, gate: Gate, inFlight: InFlight, withinMs: number): Promise<void> {
  gate.beginClosing();
  // Until then it listens, so that whoever comes is told to go elsewhere instead of finding nobody.
  await inFlight.finished(withinMs);
  const closed = app.close();
  app.server.closeAllConnections();
  await closed;
}

function urlOf(app: FastifyInstance, host: string): string {
  const address = app.server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
