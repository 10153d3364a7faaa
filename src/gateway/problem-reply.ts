import type { FastifyReply, FastifyRequest } from "fastify";
import { Fault, type Problem, toProblem } from "../contracts/index.ts";
import { stateOf } from "./request-state.ts";

const problemType = "application/problem+json; charset=utf-8";

/** A problem document as the gateway sends it: with the request that it happened in, and its trace. */
export interface SentProblem extends Problem {
  readonly instance: string;
  readonly trace: string;
}

/** Answers with the problem document of whatever was thrown. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, thrown: unknown): FastifyReply {
  const failure = fromHttp(thrown);
  const problem = toSent(request, failure);
  if (problem.status === 503 || problem.status === 429) reply.header("retry-after", "1");
  if (failure instanceof Fault && failure.code === "Unauthenticated" && !reply.hasHeader("www-authenticate")) {
    reply.header("www-authenticate", 'Bearer realm="trilith"');
  }
  return reply.code(problem.status).header("cache-control", "no-store").type(problemType).send(JSON.stringify(problem));
}

/** The problem document of whatever was thrown while a request was answered; the request's line in the log tells of it too. */
export function toSent(request: FastifyRequest, thrown: unknown): SentProblem {
  const state = stateOf(request);
  state.failure = thrown;
  return { ...toProblem(thrown), instance: `urn:trilith:request:${request.id}`, trace: state.traceId };
}

/** Fastify's own errors in the words of the contracts. Anything else stays what it is. */
function fromHttp(thrown: unknown): unknown {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new Fault("BodyTooLarge", "The body is larger than this backend accepts.");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new Fault("UnsupportedMediaType", 'Send the body as "application/json".');
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
    case "ECONNRESET":
      return new Fault("MalformedBody", "The body ended before its announced length.");
    case "FST_ERR_BAD_URL":
    case "FST_ERR_MAX_PARAM_LENGTH":
      return new Fault("UnknownRoute", "The address is not well-formed, so nothing can be there.");
    default:
      return thrown;
  }
}
