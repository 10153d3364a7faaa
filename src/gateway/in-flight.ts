import type { FastifyInstance } from "fastify";

/** The requests that are being answered; probes and the console do not count. */
export interface InFlight {
  /** Resolves when there is none any more, or when the time is over. */
  finished(withinMs: number): Promise<void>;
}

export function countRequests(app: FastifyInstance): InFlight {
  let count = 0;
  let told = (): void => {};
  app.addHook("onRequest", (request, reply, done) => {
    if (request.is404 || !request.routeOptions.config.quiet) {
      count += 1;
      reply.raw.once("close", () => {
        count -= 1;
        if (count === 0) told();
      });
    }
    done();
  });
  return {
    async finished(withinMs) {
      if (count === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      told = resolve;
      const timer = setTimeout(resolve, withinMs);
      await promise;
      clearTimeout(timer);
    },
  };
}
