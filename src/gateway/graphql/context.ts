import type { FastifyReply, FastifyRequest } from "fastify";

/** What the resolvers of one request share. */
export interface Context {
  /** Not `request`: that is what Yoga calls its own. */
  readonly asked: FastifyRequest;
  readonly reply: FastifyReply;
  /** By the answer's own object: what its view said beside it. */
  readonly provenance: WeakMap<object, Provenance>;
}

/** As much of a view's meta as a degraded field tells of. */
export interface Provenance {
  readonly fields?: {
    readonly [field: string]: { readonly state: string; readonly rejected?: readonly { readonly source: string }[] };
  };
  readonly sources?: { readonly [source: string]: { readonly state: string; readonly problem?: string } };
}
