import type { FastifyInstance } from "fastify";
import { Fault } from "../contracts/index.ts";

/**
 * What is answered where there is no route: 405 with the methods that there are, or 404. OPTIONS lists the methods.
 * Comes before the routes, to hear of them.
 */
export function answerNowhere(app: FastifyInstance): void {
  const known: { readonly methods: readonly string[]; readonly pattern: RegExp }[] = [];
  app.addHook("onRoute", ({ method, url }) => {
    known.push({ methods: [method].flat(), pattern: toPattern(url) });
  });
  app.setNotFoundHandler((request, reply) => {
    const path = (request.raw.url ?? "/").split("?", 1)[0] ?? "/";
    const methods = new Set(known.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods));
    if (methods.size === 0) {
      throw new Fault(
        "UnknownRoute",
        "No operation answers at this address. /openapi.json lists those that there are.",
      );
    }
    const allow = [...methods, "OPTIONS"].sort().join(", ");
    reply.header("allow", allow);
    if (request.method === "OPTIONS") return reply.code(204).send();
    throw new Fault("MethodNotAllowed", `This address answers to ${allow}.`);
  });
}

/** Fastify's pattern of a path as a regular expression. */
function toPattern(url: string): RegExp {
  const source = url
    .replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll(/::|:\w+|\*/g, (part) => (part === "::" ? ":" : part === "*" ? ".*" : "[^/]+"));
  return new RegExp(`^${source}$`);
}
