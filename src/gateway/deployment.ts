import type { FastifyInstance } from "fastify";
import { enter, type Gate } from "./gate.ts";
import { isLocal, isLoopback } from "./loopback.ts";
import { sendJson } from "./operation-routes.ts";
import type { GatewayParts } from "./ports.ts";

const path = "/.well-known/trilith.json";

/**
 * What this backend serves, uses, has stored and has under way, for `trilith contracts deployable`. It names internal
 * operations too, so it is as guarded as the console: open to this machine, else with the scope `contracts:read`.
 */
export function addDeployment(
  app: FastifyInstance,
  { settings }: GatewayParts,
  deployment: () => Promise<object>,
  gate: Gate,
): void {
  const isOpen = settings.console === "on" && isLoopback(settings.host);
  app.get(
    path,
    {
      config: { path, quiet: true },
      onRequest: (request) =>
        enter(request, gate, isOpen && isLocal(request) ? "public" : "contracts:read", "What this backend is made of"),
    },
    async (_request, reply) => sendJson(reply.header("cache-control", "no-store"), await deployment()),
  );
}
