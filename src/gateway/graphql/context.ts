import type { FastifyReply, FastifyRequest } from "fastify";

/** What the resolvers of one request share. */
export interface Context {
  /** Not `request`: that is what Yoga calls its own. */
  readonly asked: FastifyRequest;
  readonly reply: FastifyReply;
  /** By the object of an answer that has the field, or would have it: what could not be said. */
  readonly degraded: WeakMap<object, ReadonlyMap<string, Degraded>>;
}

/** A field without a value because its sources could not say, as a view's meta has it. */
export interface Degraded {
  /** A JSON pointer into the answer. */
  readonly path: string;
  readonly state: string;
  readonly sources: readonly { readonly source: string; readonly state: string; readonly problem?: string }[];
}
