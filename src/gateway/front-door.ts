import type { FastifyInstance } from "fastify";
import type { GatewayParts } from "./ports.ts";

/** Whoever comes with a browser and no path is led to the console, or to the API's documents. */
export function addFrontDoor(app: FastifyInstance, { settings }: GatewayParts): void {
  if (app.hasRoute({ method: "GET", url: "/" })) return;
  const inside = settings.console === "on" ? "/console" : "/docs/";
  app.get("/", { config: { path: "/", quiet: true } }, (_request, reply) => reply.redirect(inside, 302));
}
