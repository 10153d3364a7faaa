import type { FastifyReply, FastifyRequest } from "fastify";
import type { Degraded } from "../degraded.ts";

/** What the resolvers of one request share. */
export interface Context {
  /** Not `request`: that is what Yoga calls its own. */
  readonly asked: FastifyRequest;
  readonly reply: FastifyReply;
  /** By the object of an answer that has the field, or would have it: what could not be said. */
  readonly degraded: WeakMap<object, ReadonlyMap<string, Degraded>>;
}
