import type { FastifyReply } from "fastify";

/** The requests that are being answered; probes and the console do not count. */
export interface InFlight {
  begin(reply: FastifyReply, counts: boolean): Under;
  end(under: Under): void;
  /** Resolves when there is none any more, or when the time is over. Whoever is answered from now on is told to come back elsewhere. */
  finished(withinMs: number): Promise<void>;
}
/** A request that is under way. */
export interface Under {
  readonly reply: FastifyReply;
  readonly counts: boolean;
  /** Where it stands among all of them. */
  at: number;
}

export function countRequests(): InFlight {
  // A list in which the last takes the place of whoever goes: a set would outgrow its tables all the time, and those link
  // what the collector would otherwise be done with.
  const all: Under[] = [];
  let count = 0;
  let closing = false;
  let told = (): void => {};
  return {
    begin(reply, counts) {
      if (counts) count += 1;
      if (closing) sayClose(reply);
      const under = { reply, counts, at: all.length };
      all.push(under);
      return under;
    },
    end({ counts, at }) {
      const last = all.pop();
      if (last && last.at !== at) {
        last.at = at;
        all[at] = last;
      }
      if (!counts) return;
      count -= 1;
      if (count === 0) told();
    },
    async finished(withinMs) {
      closing = true;
      for (const { reply } of all) sayClose(reply);
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
