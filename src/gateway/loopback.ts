import { isIPv4 } from "node:net";
import type { FastifyRequest } from "fastify";

/** Whether an address or a host name means this machine and nobody else. */
export function isLoopback(host: string | undefined): boolean {
  if (host === undefined) return false;
  const name = host.replace(/^\[(.*)\]$/, "$1").replace(/^::ffff:/i, "");
  return name === "::1" || name === "localhost" || (isIPv4(name) && name.startsWith("127."));
}

/**
 * Whether a request was made on this machine for this machine. The Host header counts too: a page from elsewhere whose
 * name was made to point at 127.0.0.1 (DNS rebinding) comes through the loopback socket as well. What a proxy passes on
 * was asked by somebody else.
 */
export function isLocal({ raw }: FastifyRequest): boolean {
  const { host, forwarded, "x-forwarded-for": forwardedFor } = raw.headers;
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(host ?? "")?.[1];
  return (
    forwarded === undefined && forwardedFor === undefined && isLoopback(raw.socket.remoteAddress) && isLoopback(name)
  );
}

/** Whether a page of this very address asks, going by what a browser says and a page cannot forge. */
export function isSameOrigin({ raw }: FastifyRequest): boolean {
  const { origin, host, "sec-fetch-site": site } = raw.headers;
  return origin === `http://${host}` && (site === undefined || site === "same-origin");
}
