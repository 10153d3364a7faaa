import type { FastifyRequest } from "fastify";
import { isLocal, isLoopback, isSameOrigin } from "./loopback.ts";
import type { GatewaySettings } from "./ports.ts";

/** Whom an open console trusts without credentials. */
export interface Operator {
  /** Somebody on this machine. */
  maySee(request: FastifyRequest): boolean;
  /**
   * And no page from elsewhere: it can make a browser on this machine ask for something, but not without saying where
   * it is from.
   */
  mayDo(request: FastifyRequest): boolean;
}

export function toOperator({ console, host }: GatewaySettings): Operator {
  const isOpen = console === "on" && isLoopback(host);
  const maySee = (request: FastifyRequest): boolean => isOpen && isLocal(request);
  return {
    maySee,
    mayDo: (request) => maySee(request) && (request.headers.origin === undefined || isSameOrigin(request)),
  };
}
