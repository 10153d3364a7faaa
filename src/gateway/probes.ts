import type { FastifyInstance } from "fastify";
import { Fault } from "../contracts/index.ts";
import { withinDeadline } from "./deadline.ts";
import type { Gate } from "./gate.ts";
import { sendJson } from "./operation-routes.ts";
import type { GatewayParts } from "./ports.ts";

const healthWithinMs = 2_000;

/** `/livez` says that the process answers; `/readyz` says whether to send it work. */
export function addProbes(app: FastifyInstance, { health }: GatewayParts, gate: Gate): void {
  app.get("/livez", { config: { path: "/livez", quiet: true } }, (_request, reply) => {
    sendJson(reply.header("cache-control", "no-store"), { alive: true });
  });
  app.get("/readyz", { config: { path: "/readyz", quiet: true } }, async (_request, reply) => {
    if (gate.closing.aborted)
      throw new Fault("Unavailable", "The backend is draining: it finishes and takes nothing new.");
    const { ready, parts } = await withinDeadline(performance.now() + healthWithinMs, "The health check", health());
    if (!ready) {
      const issues = Object.entries(parts)
        .filter(([, part]) => !part.ready)
        .map(([part, { detail }]) => ({ path: `/${part}`, message: detail ?? "It is not ready." }));
      throw new Fault("Unavailable", "The backend is not ready.", { issues });
    }
    return sendJson(reply.header("cache-control", "no-store"), { ready, parts });
  });
}
