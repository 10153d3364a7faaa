import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Fault } from "../contracts/index.ts";
import { addCatalog } from "./catalog.ts";
import { addFeed } from "./console-feed.ts";
import { addStorageDesk } from "./console-storage.ts";
import { noSuchFile, sendFile } from "./files.ts";
import { enter, type Gate } from "./gate.ts";
import { isLocal, isLoopback, isSameOrigin } from "./loopback.ts";
import { notBuilt } from "./not-built.ts";
import { sendJson } from "./operation-routes.ts";
import type { GatewayParts } from "./ports.ts";
import type { Usage } from "./versions.ts";

export type EnterConsole = (request: FastifyRequest) => Promise<void>;

/** The console: its page, its feed, and the button that kills the process. */
export function addConsole(app: FastifyInstance, parts: GatewayParts, gate: Gate, usage: Usage): void {
  const { settings, assets } = parts;
  const isOpen = settings.console === "on" && isLoopback(settings.host);
  const enterConsole: EnterConsole = async (request) => {
    await enter(request, gate, isOpen && isLocal(request) ? "public" : "console:read", "The console");
  };
  const route = { config: { path: "/console", quiet: true }, onRequest: enterConsole };

  const page = async (request: FastifyRequest, reply: FastifyReply) =>
    (assets !== undefined && (await sendFile(assets, "index.html", request, allow(reply)))) ||
    notBuilt(reply, "The console");
  app.get("/console", route, page);
  app.get("/console/", route, page);
  app.get("/console/*", route, async (request, reply) => {
    const { "*": path } = request.params as { readonly "*": string };
    const sent = assets === undefined ? undefined : await sendFile(assets, path, request, allow(reply));
    return sent ?? noSuchFile();
  });
  app.get("/console/sources", route, async (_request, reply) =>
    sendJson(reply.header("cache-control", "no-store"), parts.sources?.() ?? { sources: [], views: [] }),
  );
  addCatalog(app, parts, usage, enterConsole);
  if (parts.storage) addStorageDesk(app, parts, parts.storage, gate);
  addFeed(app, parts, gate, enterConsole);
  addCrash(app, parts);
}

/** Kills this process on demand, as a power cut would: only where somebody starts it again, and only for this machine's own page. */
function addCrash(app: FastifyInstance, { settings, log }: GatewayParts): void {
  app.post("/console/crash", { config: { path: "/console/crash", quiet: true } }, async (request, reply) => {
    if (!settings.supervised || settings.console !== "on" || !isLocal(request) || !isSameOrigin(request)) {
      throw new Fault("UnknownRoute", "There is nothing at this address.");
    }
    log.warn("The console asked for a crash: this process kills itself.");
    reply.raw.once("finish", () => process.kill(process.pid, "SIGKILL"));
    return reply.code(202).header("connection", "close").send();
  });
}

const allow = (reply: FastifyReply): FastifyReply =>
  reply.header(
    "content-security-policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
