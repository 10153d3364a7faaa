import type { FastifyReply } from "fastify";

/** The requests that are being answered; probes and the console do not count. */
export interface InFlight {
  begin(reply: FastifyReply, counts: boolean): void;
  end(reply: FastifyReply, counts: boolean): void;
  /** Resolves when there is none any more, or when the time is over. Whoever is answered from now on is told to come back elsewhere. */
  finished(withinMs: number): Promise<void>;
}

export function countRequests(): InFlight {
  const replies = new Set<FastifyReply>();
  let count = 0;
  let closing = false;
  let told = (): void => {};
  return {
    begin(reply, counts) {
      if (counts) count += 1;
      if (closing) sayClose(reply);
      else replies.add(reply);
    },
    end(reply, counts) {
      replies.delete(reply);
      if (!counts) return;
      count -= 1;
      if (count === 0) told();
    },
    async finished(withinMs) {
      closing = true;
      for (const reply of replies) sayClose(reply);
      replies.clear();
      if (count === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      told = resolve;
      const timer = setTimeout(resolve, withinMs);
      await promise;
      clearTimeout(timer);
    },
  };
}

/** What has begun to go out already is ended by whoever closes the server. */
function sayClose(reply: FastifyReply): void {
  if (!reply.raw.headersSent) reply.header("connection", "close");
}
