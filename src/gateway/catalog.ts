import type { FastifyInstance } from "fastify";
import { toArazzo, toAsyncApi } from "../contracts/index.ts";
import type { EnterConsole } from "./console.ts";
import { sendJson } from "./operation-routes.ts";
import type { GatewayParts } from "./ports.ts";
import type { Usage } from "./versions.ts";

const quiet = (path: string) => ({ config: { path, quiet: true } });

/**
 * What else describes the API beside `/openapi.json`: `/asyncapi.json`, `/arazzo.json` where there are workflows, and
 * `/.well-known/api-catalog` (RFC 9727), which leads to all of it.
 */
export function addDescriptions(app: FastifyInstance, { name, version, contracts, longRunning }: GatewayParts): void {
  const about = { title: name, version, contracts };
  const asyncApi = toAsyncApi(about);
  const arazzo = toArazzo({ ...about, ...(longRunning && { longRunning }) });
  app.get("/asyncapi.json", quiet("/asyncapi.json"), (_request, reply) => {
    sendJson(reply.header("cache-control", "no-cache"), asyncApi);
  });
  if (arazzo)
    app.get("/arazzo.json", quiet("/arazzo.json"), (_request, reply) => {
      sendJson(reply.header("cache-control", "no-cache"), arazzo);
    });
  const json = "application/json";
  const linkset = {
    linkset: [
      {
        anchor: "/",
        "service-desc": [
          { href: "/openapi.json", type: "application/vnd.oai.openapi+json;version=3.1", title: "OpenAPI 3.1" },
          { href: "/asyncapi.json", type: "application/vnd.aai.asyncapi+json;version=3.0.0", title: "AsyncAPI 3.0" },
          ...(arazzo ? [{ href: "/arazzo.json", type: json, title: "Arazzo 1.0" }] : []),
        ],
        "service-doc": [{ href: "/docs/", type: "text/html" }],
        "service-meta": [{ href: "/.well-known/trilith.json", type: json, title: "Contracts of this backend" }],
        status: [{ href: "/readyz", type: json }],
        item: contracts.map((contract) => {
          const { name, version } = contract["~contract"];
          return { href: `/docs/#/${encodeURIComponent(name)}`, title: `${name} ${version}` };
        }),
      },
    ],
  };
  const path = "/.well-known/api-catalog";
  app.get(
    path,
    quiet(path),
    (_request, reply) =>
      reply
        .header("cache-control", "no-cache")
        .header("link", `<${path}>; rel="api-catalog"`)
        .type('application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"')
        .send(Buffer.from(JSON.stringify(linkset))), // as text it would be given a charset, which this type has not
  );
}

/** The catalog with who has called what since the process began, for the console: `/console/catalog`. */
export function addCatalog(
  app: FastifyInstance,
  { catalog }: GatewayParts,
  usage: Usage,
  enterConsole: EnterConsole,
): void {
  const path = "/console/catalog";
  app.get(path, { ...quiet(path), onRequest: enterConsole }, async (_request, reply) =>
    sendJson(reply.header("cache-control", "no-store"), { ...catalog?.(), usage: usage.calls }),
  );
}
