import type { FastifyRequest } from "fastify";
import { isLocal, isLoopback, isSameOrigin } from "./loopback.ts";
import type { GatewaySettings } from "./ports.ts";
import { invalid } from "./run-filter.ts";

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

const longestReason = 1_000;

/** What an operator's request carries, of which only some fields are known; nothing is an empty object. */
export function bodyOf({ body }: FastifyRequest, known: readonly string[]): { readonly [name: string]: unknown } {
  if (body === undefined || body === null) return {};
  if (typeof body !== "object" || Array.isArray(body)) throw invalid("The body is a JSON object.");
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  const may = known.length > 0 ? `The body may have: ${known.join(", ")}.` : "The body may be left out.";
  if (unknown !== undefined) throw invalid(`There is no "${unknown}" here. ${may}`);
  return body as { readonly [name: string]: unknown };
}

export function readReason(reason: unknown): { readonly reason?: string } {
  if (reason === undefined || reason === "") return {};
  if (typeof reason === "string" && reason.length <= longestReason) return { reason };
  throw invalid(`"reason" is a text of at most ${longestReason} characters.`);
}
