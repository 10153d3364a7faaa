import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Behaviour, behaviourOf } from "./behaviour.ts";
import { type CommandLine, commandLine } from "./command-line.ts";
import { endWithParent } from "./end-with-parent.ts";
import { BadRequest, json, matchRoute, problem, type Reply, type Routes, readJson, send } from "./http.ts";
import { hash, seeded } from "./random.ts";
import { readSettings, type Settings, wellBehaved } from "./settings.ts";

export interface Service {
  readonly name: string;
  readonly behaviour: Partial<Settings>;
  /** What callers use. Meets latency and faults. */
  readonly routes: Routes;
  /** What the people who run the service use. Answers at once, unless the service is down. */
  readonly operator?: Routes;
  readonly close?: () => Promise<void>;
}

/** Runs a service as this process: on loopback, until SIGTERM or until the parent process is gone. */
export async function serve(service: Service): Promise<void> {
  try {
    await start(service, commandLine());
  } catch (error) {
    process.stderr.write(`${service.name} cannot start. ${(error as Error).message}\n`);
    process.exit(1);
  }
}

async function start(service: Service, { port, seed, settings }: CommandLine): Promise<void> {
  // The name is mixed in, so that services with one seed do not fail in step.
  const random = seeded(seed ^ hash(service.name));
  const behaviour = behaviourOf({ ...wellBehaved, ...service.behaviour, ...settings }, random);
  const underWay = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const done = new Promise<void>((resolve) => response.once("close", resolve)).finally(() => underWay.delete(done));
    underWay.add(done);
    void answer(service, behaviour, request, response);
  });

  server.listen(port, "127.0.0.1");
  await once(server, "listening");

  endWithParent(async () => {
    server.close();
    // What is under way may finish; a caller that hangs on cannot keep the process alive.
    await Promise.race([Promise.all(underWay), sleep(1_000)]);
    server.closeAllConnections();
    await service.close?.();
    process.exit(0);
  });

  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.stdout.write(`${JSON.stringify({ service: service.name, url })}\n`);
}

async function answer(service: Service, behaviour: Behaviour, request: IncomingMessage, response: ServerResponse) {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  try {
    const reply = await replyTo(service, behaviour, request, gone.signal);
    if (reply === "reset") request.socket.resetAndDestroy();
    else send(response, reply);
  } catch (error) {
    if (gone.signal.aborted || request.socket.destroyed) return;
    if (error instanceof BadRequest) return send(response, problem(400, "bad-request", "Bad request", error.message));
    process.stderr.write(`${service.name}: ${error instanceof Error ? error.stack : error}\n`);
    send(response, problem(500, "internal", "Internal error", "Something went wrong here, and it was not you."));
  }
}

async function replyTo(
  service: Service,
  behaviour: Behaviour,
  request: IncomingMessage,
  gone: AbortSignal,
): Promise<Reply | "reset"> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const find = (routes: Routes) => matchRoute(routes, request.method ?? "GET", pathname);
  const call = { query: searchParams, json: () => readJson(request) };

  const control = find(controlOf(behaviour));
  if (control) return control.handle({ ...call, params: {} });
  const operator = find({ ...healthOf(service, behaviour), ...service.operator });
  if (operator && behaviour.settings().mode === "down") return "reset";
  if (operator) return operator.handle({ ...call, params: operator.params });
  const route = find(service.routes);
  if (!route) return problem(404, "no-such-route", "Not found", `There is no ${request.method} ${pathname} here.`);

  const { fault, latencyMs, slowMs } = behaviour.next();
  if (fault === "down") return "reset";
  await sleep(latencyMs, undefined, { signal: gone });
  if (fault === "unavailable") return unavailable;
  if (fault === "garbage") return garbage;
  const reply = await route.handle({ ...call, params: route.params });
  if (fault === "slow") await sleep(slowMs, undefined, { signal: gone });
  if (fault === "unavailable-after-work") return unavailable;
  return fault === "reset-after-work" ? "reset" : reply;
}

const unavailable: Reply = problem(503, "unavailable", "Service unavailable", "Please try again.");

/** What a proxy in front of a broken service likes to say: that all is well, in HTML. */
const garbage: Reply = {
  status: 200,
  type: "text/html; charset=utf-8",
  body: "<!doctype html><html><head><title>Error</title></head><body><h1>An error occurred.</h1></body></html>",
};

function controlOf(behaviour: Behaviour): Routes {
  const now = () => json({ ...behaviour.settings(), slice: behaviour.slice() });
  return {
    "GET /control": now,
    "POST /control": async (call) => {
      const input = await call.json();
      try {
        behaviour.change(readSettings(input));
      } catch (error) {
        throw new BadRequest((error as Error).message);
      }
      return now();
    },
  };
}

function healthOf({ name }: Service, behaviour: Behaviour): Routes {
  return {
    "GET /health": () => {
      const { mode, errors, latency, schedule } = behaviour.settings();
      return json({ service: name, mode, slice: behaviour.slice(), errors, latency, schedule });
    },
  };
}
