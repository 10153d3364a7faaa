// Four upstreams on a port each, as fast as Node's own HTTP server is: `node upstreams-process.ts`, told what to be like.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { shelf, sold } from "./page.ts";
import { type UpstreamName, upstream, upstreamNames } from "./product.ts";
import type { FromUpstreams, ToUpstreams } from "./upstreams.ts";

const delays = new Map<UpstreamName, number>();
const servers = new Map<UpstreamName, Server>();
const ports = new Map<UpstreamName, number>();
let calls = 0;

function serve(name: UpstreamName): Server {
  return createServer((request, response) => {
    calls += 1;
    const body = JSON.stringify(said(name, new URL(request.url ?? "", "http://upstream.test")));
    const answer = (): void => {
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
      response.end(body);
    };
    const delay = delays.get(name) ?? 0;
    if (delay > 0) setTimeout(answer, delay);
    else answer();
  });
}

/** `/7` is one product, `/pages/7?size=50` a shelf of the catalog, and `/some?sku=7,8` what is said of each. */
function said(name: UpstreamName, { pathname, searchParams }: URL): unknown {
  if (pathname.startsWith("/pages/")) return shelf(pathname.slice("/pages/".length), Number(searchParams.get("size")));
  // Asked for by a comma or by a name each: whoever asks says it in the way that is its own.
  if (pathname === "/some") return sold(name, searchParams.getAll("sku").join(",").split(","));
  return upstream[name](decodeURIComponent(pathname.slice(1)));
}

async function start(name: UpstreamName): Promise<void> {
  const server = serve(name);
  servers.set(name, server);
  await new Promise<void>((resolve) => server.listen(ports.get(name) ?? 0, "127.0.0.1", resolve));
  ports.set(name, (server.address() as AddressInfo).port);
}

process.on("message", async ({ slow = {}, down = [] }: ToUpstreams) => {
  for (const name of upstreamNames) {
    delays.set(name, slow[name] ?? 0);
    const server = servers.get(name);
    if (down.includes(name) && server) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      servers.delete(name);
    } else if (!down.includes(name) && !server) await start(name);
  }
  process.send?.({ ports: Object.fromEntries(ports) as Record<UpstreamName, number>, calls } satisfies FromUpstreams);
  calls = 0;
});
process.on("disconnect", () => process.exit(0));
