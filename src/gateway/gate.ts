import type { FastifyRequest } from "fastify";
import { type Access, Fault, type Principal } from "../contracts/index.ts";
import { demand } from "./access.ts";
import type { Authenticate } from "./credentials.ts";
import { stateOf } from "./request-state.ts";

/** Who gets in, and until when. */
export interface Gate {
  readonly authenticate: Authenticate;
  /** Aborts when the gateway begins to close. */
  readonly closing: AbortSignal;
  readonly beginClosing: () => void;
}

/** Lets in whoever may do what `access` guards, before a byte of the body is read. */
export async function enter(request: FastifyRequest, gate: Gate, access: Access, what: string): Promise<void> {
  await admit(request, gate, access, what);
}

/** The same, at once where nobody has to be looked up: without credentials there is nothing to wait for. */
export function admit(request: FastifyRequest, gate: Gate, access: Access, what: string): void | Promise<void> {
  if (gate.closing.aborted) {
    throw new Fault("Unavailable", "The backend is shutting down.", { outcome: "not done" });
  }
  const state = stateOf(request);
  const found = gate.authenticate(request);
  const enterAs = (principal: Principal): void => {
    state.principal = principal;
    demand(principal, access, what);
  };
  return found instanceof Promise ? found.then(enterAs) : enterAs(found);
}
