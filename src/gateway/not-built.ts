import type { FastifyReply } from "fastify";

/** A sentence in the place of a page whose files are not there. */
export const notBuilt = (reply: FastifyReply, what: string): FastifyReply =>
  reply
    .code(404)
    .header("cache-control", "no-store")
    .type("text/plain; charset=utf-8")
    .send(`${what} has not been built. Run: npm run build\n`);
