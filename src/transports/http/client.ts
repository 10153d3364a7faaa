import type { lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { Agent, buildConnector, type Dispatcher, Pool } from "undici";
import type { Aborted } from "../../aggregation/host.ts";
import { ForbiddenAddress, isInner, toLookupOuter } from "./addresses.ts";
import { acceptEncoding } from "./body.ts";
import { exchange } from "./exchange.ts";
import { HttpProblem } from "./problem.ts";

export interface HttpRequest {
  readonly method: Dispatcher.HttpMethod;
  readonly url: URL;
  readonly headers: { readonly [name: string]: string };
  readonly body?: string;
  readonly aborted: Aborted;
  readonly maxBytes: number;
  /** Whether an inner address may be connected to. */
  readonly named: boolean;
}
export interface HttpAnswer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | undefined };
  readonly body: Uint8Array;
}
/** HTTP with limits: one exchange is one answer, redirects included. Rejects with `HttpProblem` alone. */
export interface Http {
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Ends every connection, busy or idle. */
  close(): Promise<void>;
}
export interface HttpOptions {
  /** How long a connection may take to come about; 5,000 unless said otherwise. */
  readonly connectTimeoutMs?: number;
  /** Connections to one origin; more requests queue. 64 unless said otherwise, for all or origin by origin. */
  readonly connections?: number | ((origin: string) => number);
  /** Certificates (PEM) that are trusted in place of the well-known ones. */
  readonly ca?: string;
  /** How names are resolved; the machine's own way unless said otherwise. */
  readonly resolve?: typeof lookup;
}

/** A pool of connections per origin. Addresses that are named and those that are not never share a connection. */
export function createHttp(options: HttpOptions = {}): Http {
  const agents = { named: toAgent(options, true), other: toAgent(options, false) };
  return {
    send({ url, method, headers: own, body, named, aborted, maxBytes }) {
      if (!named && isLiteralAddress(url.hostname) && isInner(url.hostname)) return Promise.reject(forbidden());
      const headers = { "accept-encoding": acceptEncoding, ...own };
      const request = { origin: url.origin, path: `${url.pathname}${url.search}`, method, headers };
      return exchange(named ? agents.named : agents.other, body === undefined ? request : { ...request, body }, {
        aborted,
        maxBytes,
        problemOf: toHttpProblem,
      });
    },
    async close() {
      await Promise.all([agents.named.destroy(), agents.other.destroy()]);
    },
  };
}

/** A connection that did not come about: whatever waited for it was never sent. */
class ConnectFailed extends Error {
  override readonly name = "ConnectFailed";
}

function toAgent({ connectTimeoutMs = 5_000, connections = 64, ca, resolve }: HttpOptions, named: boolean): Agent {
  const connect = buildConnector({
    timeout: connectTimeoutMs,
    ...(ca !== undefined && { ca }),
    ...(named ? resolve && { lookup: resolve as LookupFunction } : { lookup: toLookupOuter(resolve) }), // its overloads are wider
  });
  const most = typeof connections === "number" ? () => connections : connections;
  return new Agent({
    factory: (origin, own) => new Pool(origin, { ...own, connections: most(new URL(origin).origin) }),
    pipelining: 1,
    // The caller's signal ends what takes too long; these two only end what nobody would.
    headersTimeout: 120_000,
    bodyTimeout: 120_000,
    connect: (to, done) =>
      connect(to, (error, socket) => {
        if (error) done(new ConnectFailed("No connection came about.", { cause: error }), null);
        else done(null, socket);
      }),
  });
}

function toHttpProblem(error: unknown, aborted: Aborted): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof ConnectFailed) {
    if (error.cause instanceof ForbiddenAddress) return forbidden();
    return new HttpProblem("not connected", `cannot be reached (${codeOf(error.cause)})`, error.cause);
  }
  if (aborted.aborted) return new HttpProblem("given up", "was given up", error);
  return new HttpProblem("interrupted", `broke off (${codeOf(error)})`, error);
}

const forbidden = (): HttpProblem =>
  new HttpProblem("forbidden", "leads to an inner address, and the settings do not allow that");

/** `ECONNREFUSED` and the like say enough, and hold no address as messages do. */
function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" ? code : error instanceof Error ? error.name : "unknown";
}

const isLiteralAddress = (host: string): boolean => host.startsWith("[") || /^[\d.]+$/.test(host);
