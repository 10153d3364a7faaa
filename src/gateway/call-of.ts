import type { FastifyReply, FastifyRequest } from "fastify";
import { type Call, Fault, type Operation, type Selection, systemClock } from "../contracts/index.ts";
import { leave, type RequestState, stateOf } from "./request-state.ts";

export interface Wishes {
  readonly patienceMs: number;
  readonly wantsMeta: boolean;
  readonly fields?: Selection | undefined;
}

/** What travels beside the input of a call, out of a request's headers. */
export function callOf(operation: Operation, request: FastifyRequest, reply: FastifyReply, wishes: Wishes): Call {
  const state = stateOf(request);
  const { principal, span } = state;
  const isQuery = operation.kind === "query";
  const timeMs = shortest(operation.timeoutMs, readTimeout(request.headers["request-timeout-ms"]));
  const key = isQuery ? undefined : readKey(request.headers["idempotency-key"]);
  const start = isQuery ? {} : readStart(request.headers["start-at"], request.headers["start-after-ms"]);
  const aborted = isQuery ? goneFrom(state, reply) : neverAborted();
  if (isQuery && timeMs === undefined && !wishes.fields)
    return wishes.wantsMeta
      ? { principal, trace: span, aborted, wantsMeta: true }
      : { principal, trace: span, aborted };
  return {
    principal,
    trace: span,
    aborted,
    ...(key !== undefined && { key }),
    ...start,
    ...(timeMs !== undefined && { deadline: systemClock.monotonic() + timeMs }),
    ...(!isQuery && { patienceMs: wishes.patienceMs }),
    ...(wishes.wantsMeta && { wantsMeta: true }),
    ...(wishes.fields && { fields: wishes.fields }),
  };
}

/** A query that nobody waits for any more is given up. A command that was begun goes on: its caller may ask again with its key. */
function goneFrom(state: RequestState, reply: FastifyReply): AbortSignal {
  if (!state.gone) {
    state.gone = new AbortController(); // one for all calls of a GraphQL request
    if (reply.raw.closed && !reply.raw.writableFinished) leave(state);
  }
  return state.gone.signal;
}

const neverAborted = (): AbortSignal => new AbortController().signal;

function readTimeout(text: string | string[] | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Number(text);
  if (typeof text === "string" && /^\d{1,9}$/.test(text) && ms > 0) return ms;
  throw new Fault("InvalidInput", '"Request-Timeout-Ms" is a number of milliseconds, like 2000.', {
    outcome: "not done",
  });
}

type Header = string | string[] | undefined;

function readStart(at: Header, after: Header): Pick<Call, "startAt" | "startAfterMs"> {
  if (at === undefined && after === undefined) return {};
  const wrong = (sentence: string): never => {
    throw new Fault("InvalidInput", sentence, { outcome: "not done" });
  };
  if (at !== undefined && after !== undefined) return wrong('Send "Start-At" or "Start-After-Ms", not both.');
  if (after !== undefined) {
    if (typeof after === "string" && /^\d{1,12}$/.test(after)) return { startAfterMs: Number(after) };
    return wrong('"Start-After-Ms" is a number of milliseconds, like 60000.');
  }
  const instant =
    typeof at === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(at) ? Date.parse(at) : Number.NaN;
  return Number.isNaN(instant)
    ? wrong('"Start-At" is an instant with its offset, like 2026-05-01T06:00:00Z.')
    : { startAt: instant };
}

function readKey(text: string | string[] | undefined): string | undefined {
  if (text === undefined) return undefined;
  return checkKey(text);
}

/** A key as it is used, or a sentence about what is no key. */
export function checkKey(text: string | string[]): string {
  // The draft of the header's standard writes it in quotes; nearly nobody does.
  const [, key] = (typeof text === "string" && /^"?([\x21\x23-\x7e]{1,255})"?$/.exec(text)) || [];
  if (key) return key;
  throw new Fault("InvalidInput", '"Idempotency-Key" is 1 to 255 visible ASCII characters, a UUID say.');
}

const shortest = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined ? other : other === undefined ? one : Math.min(one, other);
