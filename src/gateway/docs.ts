import { join } from "node:path";
import type { FastifyInstance, FastifyReply } from "fastify";
import { noSuchFile, sendFile } from "./files.ts";
import { notBuilt } from "./not-built.ts";
import { sendJson } from "./operation-routes.ts";
import type { GatewayParts } from "./ports.ts";

const quiet = (path: string) => ({ config: { path, quiet: true } });

/** `/openapi.json`, and a page at `/docs` to read and try it. The page's parts all come from this machine. */
export function addDocs(app: FastifyInstance, { assets }: GatewayParts, openApi: object): void {
  const folder = assets === undefined ? undefined : join(assets, "docs");
  app.get("/openapi.json", quiet("/openapi.json"), (_request, reply) => {
    sendJson(reply.header("cache-control", "no-cache"), openApi);
  });
  // The page names its parts relative to itself, so it has to end in a slash.
  app.get("/docs", quiet("/docs"), (_request, reply) => reply.redirect("/docs/", 308));
  app.get("/docs/", quiet("/docs/"), async (request, reply) => {
    const sent = folder === undefined ? undefined : await sendFile(folder, "index.html", request, allow(reply));
    return sent ?? notBuilt(reply, "The API's page");
  });
  app.get("/docs/*", quiet("/docs/*"), async (request, reply) => {
    const { "*": path } = request.params as { readonly "*": string };
    const sent = folder === undefined ? undefined : await sendFile(folder, path, request, allow(reply));
    return sent ?? noSuchFile();
  });
}

/** Swagger UI writes styles into its elements and shows its pictures from data: addresses; nothing else is let in. */
const allow = (reply: FastifyReply): FastifyReply =>
  reply.header(
    "content-security-policy",
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
