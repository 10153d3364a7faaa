import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { anonymous, Fault, type Span, silent, type Trace, type Tracing } from "../contracts/index.ts";
import type { InFlight } from "./in-flight.ts";
import type { Answered } from "./metrics.ts";
import { leave, type RequestState, setState, traceIdOf } from "./request-state.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The route as its contract writes it: `/bookings/{booking}`. */
    readonly path?: string;
    /** Not measured and not told of: probes, and what the console asks for itself. */
    readonly quiet?: boolean;
  }
}
export interface Observer {
  readonly tracing: Tracing;
  readonly log: Logger;
  readonly inFlight: InFlight;
  readonly answered: Answered;
}

/** A span and a log line for each request, and the headers that every answer has. */
export function observeRequests(app: FastifyInstance, observer: Observer): void {
  app.addHook("onRequest", (request, reply, done) => {
    beginRequest(request, reply, observer);
    done();
  });
}

/** Begins the span of a request and ends it, with its log line, when the answer has gone out or nobody waits for it any more. */
export function beginRequest(request: FastifyRequest, reply: FastifyReply, observer: Observer): void {
  const { tracing, log, inFlight, answered } = observer;
  const startedMs = performance.now();
  const incoming = request.headers.traceparent;
  const trace = typeof incoming === "string" ? tracing.continue(incoming) : tracing.begin();
  const config: FastifyContextConfig = request.is404 ? {} : request.routeOptions.config;
  const { path: route, quiet = false } = config;
  const measure = toMeasure(request, route, quiet, trace);
  const traceId = traceIdOf(measure.traceparent);
  const state: RequestState = { span: measure.span, traceId, principal: anonymous };
  setState(request, state);

  reply.headers(toHeaders(request.id, traceId, measure.traceparent));
  const under = inFlight.begin(reply, !quiet);
  // The one listener for everything that ends with a request: each of its own would cost as much as what it does.
  reply.raw.once("close", () => {
    const { failure, principal, span } = state;
    const { writableFinished, statusCode } = reply.raw;
    const status = writableFinished ? statusCode : clientGone;
    if (!writableFinished) leave(state);
    inFlight.end(under);
    if (writableFinished && !quiet) answered.count(request.method, route ?? "", status);
    if (!span.unheard) span.set({ "http.response.status_code": status, "trilith.principal": principal.id });
    measure.end(failure);
    if (!isWritten(log, status, quiet)) return;
    writeLine(
      log,
      {
        ...{ trace: traceId, request: request.id, method: request.method, route: route ?? null, status },
        ...{ ms: Math.round((performance.now() - startedMs) * 10) / 10, principal: principal.id },
      },
      failure,
      quiet,
    );
  });
}

function toMeasure(request: FastifyRequest, route: string | undefined, quiet: boolean, trace: Trace): Measure {
  const { traceparent } = trace;
  if (quiet) return { span: silent, traceparent, end: notMeasured };
  // Where nobody hears of spans nobody has to hear of the end of one either.
  if (trace.unheard)
    return { span: trace.span("request", request.method, {}, (inside) => inside), traceparent, end: notMeasured };
  return measured(request, route ?? "(nowhere)", trace.span);
}

interface Measure {
  readonly span: Span;
  readonly traceparent: string;
  end(failure: unknown): void;
}
const notMeasured = (): void => {};

function measured(request: FastifyRequest, route: string, begin: Span["span"]): Measure {
  const ended = Promise.withResolvers<void>();
  let span: Span = silent;
  begin(
    "request",
    `${request.method} ${route}`,
    { "http.request.method": request.method, "http.route": route, "trilith.request": request.id },
    (inside) => {
      span = inside;
      return ended.promise;
    },
  ).catch(() => {}); // it failed with what the caller was told already
  return {
    span,
    traceparent: span.traceparent,
    end: (failure: unknown) => (failure === undefined ? ended.resolve() : ended.reject(failure)),
  };
}

interface Line {
  readonly method: string;
  readonly route: string | null;
  readonly status: number;
  readonly [field: string]: unknown;
}

/** Whether the line of a request would be written, before it is put together. */
const isWritten = (log: Logger, status: number, quiet: boolean): boolean =>
  status >= 500 || log.isLevelEnabled(quiet ? "debug" : "info");

/** One line a request: never a body, a header, a query string, or the address as it was written. */
function writeLine(log: Logger, line: Line, failure: unknown, quiet: boolean): void {
  const code = failure instanceof Error && "code" in failure ? { code: failure.code } : {};
  const said = `${line.method} ${line.route ?? "(nowhere)"} ${line.status}`;
  if (line.status >= 500) {
    const expected = failure instanceof Fault && failure.code !== "Internal";
    log[expected ? "warn" : "error"]({ ...line, ...code, err: failure }, said);
  } else if (quiet) log.debug({ ...line, ...code }, said);
  else log.info({ ...line, ...code }, said);
}

/** The customary status of a request whose caller did not wait for the answer. It is seen in logs only. */
const clientGone = 499;

const toHeaders = (request: string, trace: string, traceparent: string) => ({
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-request-id": request,
  "trace-id": trace,
  traceparent,
});
