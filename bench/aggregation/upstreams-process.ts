// Four upstreams on a port each: `node upstreams-process.ts`, told what to be like. They share the cores with whom they
// answer, so they read no more of a request than its address.
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { shelf, sold } from "./page.ts";
import { type UpstreamName, upstream, upstreamNames } from "./product.ts";
import type { FromUpstreams, ToUpstreams } from "./upstreams.ts";

interface Serving {
  readonly server: Server;
  readonly sockets: ReadonlySet<Socket>;
}
const delays = new Map<UpstreamName, number>();
const servers = new Map<UpstreamName, Serving>();
const ports = new Map<UpstreamName, number>();
let calls = 0;

function serve(name: UpstreamName): Serving {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy()); // whoever asked has given up
    let received = "";
    socket.setEncoding("latin1").on("data", (piece) => {
      received += String(piece);
      for (let end = received.indexOf(headEnd); end >= 0; end = received.indexOf(headEnd)) {
        answer(name, socket, received.slice(received.indexOf(" ") + 1, received.indexOf(" HTTP/1.1")));
        received = received.slice(end + headEnd.length);
      }
    });
  });
  return { server, sockets };
}

/** Nobody sends a body here, so a request ends with its head. */
const headEnd = "\r\n\r\n";

function answer(name: UpstreamName, socket: Socket, target: string): void {
  calls += 1;
  const body = JSON.stringify(said(name, target));
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const delay = delays.get(name) ?? 0;
  if (delay > 0) setTimeout(() => socket.write(head + body), delay);
  else socket.write(head + body);
}

/** `/7` is one product, `/pages/7?size=50` a shelf of the catalog, and `/some?sku=7,8` what is said of each. */
function said(name: UpstreamName, target: string): unknown {
  // Most ask for one product, and to read an address costs more than to say what there is of one.
  if (/^\/\d+$/.test(target)) return upstream[name](target.slice(1));
  const { pathname, searchParams } = new URL(target, "http://upstream.test");
  if (pathname.startsWith("/pages/")) return shelf(pathname.slice("/pages/".length), Number(searchParams.get("size")));
  // Asked for by a comma or by a name each: whoever asks says it in the way that is its own.
  if (pathname === "/some") return sold(name, searchParams.getAll("sku").join(",").split(","));
  return upstream[name](decodeURIComponent(pathname.slice(1)));
}

async function start(name: UpstreamName): Promise<void> {
  const serving = serve(name);
  const { server } = serving;
  servers.set(name, serving);
  await new Promise<void>((resolve) => server.listen(ports.get(name) ?? 0, "127.0.0.1", resolve));
  ports.set(name, (server.address() as AddressInfo).port);
}

process.on("message", async ({ slow = {}, down = [] }: ToUpstreams) => {
  for (const name of upstreamNames) {
    delays.set(name, slow[name] ?? 0);
    const serving = servers.get(name);
    if (down.includes(name) && serving) {
      const { server, sockets } = serving;
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      servers.delete(name);
    } else if (!down.includes(name) && !serving) await start(name);
  }
  process.send?.({ ports: Object.fromEntries(ports) as Record<UpstreamName, number>, calls } satisfies FromUpstreams);
  calls = 0;
});
process.on("disconnect", () => process.exit(0));
