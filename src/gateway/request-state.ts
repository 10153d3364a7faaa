import type { FastifyRequest } from "fastify";
import { Fault, type Principal, type Span } from "../contracts/index.ts";

/** What the gateway knows of a request beside its bytes. */
export interface RequestState {
  span: Span;
  traceId: string;
  principal: Principal;
  /** What it failed with. */
  failure?: unknown;
  /** Aborts when the caller of a query does not wait any more. */
  gone?: AbortController;
}

const states = Symbol("trilith.request");
type Stateful = FastifyRequest & { [states]?: RequestState };

export function setState(request: FastifyRequest, state: RequestState): void {
  (request as Stateful)[states] = state;
}

export function stateOf(request: FastifyRequest): RequestState {
  const state = (request as Stateful)[states];
  if (!state) throw new TypeError(`The request ${request.id} was never begun: its onRequest hook did not run.`);
  return state;
}

/** The caller does not wait any more. */
export function leave({ gone }: RequestState): void {
  gone?.abort(new Fault("DeadlineExceeded", "The caller went away."));
}

export const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35);
