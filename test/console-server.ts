import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import type { SpanRecord } from "../console/src/model/span.ts";

/** Serves the built console as the gateway does, with a feed that a test dictates, and a process that can be made to die. */
export class ConsoleServer {
  readonly origin: string;
  readonly #server: Server;
  readonly #folder: string;
  readonly #pages = new Set<ServerResponse>();
  #history: readonly SpanRecord[];
  #process: { pid: number; startedAt: number } | undefined;
  canCrash = true;

  private constructor(server: Server, folder: string, history: readonly SpanRecord[]) {
    this.#server = server;
    this.#folder = folder;
    this.#history = history;
    this.#process = { pid: 4711, startedAt: Date.now() - 754_000 };
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => void this.#answer(request, response));
  }

  static async start(folder: string, history: readonly SpanRecord[] = []): Promise<ConsoleServer> {
    const server = createServer();
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    return new ConsoleServer(server, folder, history);
  }

  send(...spans: readonly SpanRecord[]): void {
    for (const span of spans) for (const page of this.#pages) event(page, "span", span);
  }

  /** Dies as a killed process does: connections break, and new ones are refused. */
  die(): void {
    this.#process = undefined;
    for (const page of this.#pages) page.destroy();
    this.#pages.clear();
  }

  /** Another process, which remembers nothing of the spans. */
  revive(pid = 4712): void {
    this.#history = [];
    this.#process = { pid, startedAt: Date.now() };
  }

  async stop(): Promise<void> {
    this.die();
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", this.origin);
    if (!this.#process) return void request.socket.destroy();
    if (pathname === "/console/feed") return this.#feed(response);
    if (pathname === "/console/crash" && request.method === "POST") {
      if (request.headers["content-type"] !== "application/json") return void response.writeHead(415).end();
      response.once("finish", () => this.die());
      return void response.writeHead(202, { connection: "close" }).end();
    }
    if (pathname === "/docs") return void response.writeHead(308, { location: "/docs/" }).end();
    if (pathname === "/openapi.json")
      return void response.writeHead(200, { "content-type": types[".json"] }).end(JSON.stringify(openapi));
    await this.#file(pathname, response);
  }

  #feed(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    const { pid, startedAt } = this.#process ?? { pid: 0, startedAt: 0 };
    event(response, "hello", {
      name: "trips",
      version: "0.1.0",
      pid,
      startedAt: new Date(startedAt).toISOString(),
      canCrash: this.canCrash,
      contracts,
    });
    for (const span of this.#history) event(response, "span", span);
    this.#pages.add(response);
    response.on("close", () => this.#pages.delete(response));
  }

  async #file(pathname: string, response: ServerResponse): Promise<void> {
    const asked = pathname.replace(/^\/docs/, "/console/docs").replace(/^\/console/, "");
    const path = normalize(extname(asked) === "" ? `${asked}/index.html` : asked);
    const body = await readFile(join(this.#folder, path)).catch(() => undefined);
    if (!body || path.startsWith("..")) return void response.writeHead(404).end();
    response.writeHead(200, {
      "content-type": types[extname(path)] ?? "application/octet-stream",
      "content-security-policy": pathname.startsWith("/docs") ? docsPolicy : consolePolicy,
      "x-content-type-options": "nosniff",
    });
    response.end(body);
  }
}

const nothingElse =
  "default-src 'none'; script-src 'self'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const consolePolicy = `${nothingElse}; style-src 'self'`;
const docsPolicy = `${nothingElse}; style-src 'self' 'unsafe-inline'`;

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

const event = (page: ServerResponse, name: string, data: unknown): void =>
  void page.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);

const contracts = [
  { name: "bookings", version: "1.0.0", operations: [{ name: "hold", kind: "command", layer: "storage" }] },
  { name: "trips", version: "1.0.0", operations: [{ name: "book", kind: "command", layer: "orchestration" }] },
  { name: "airports", version: "1.0.0", operations: [{ name: "page", kind: "query", layer: "aggregation" }] },
  { name: "payments", version: "1.0.0", operations: [{ name: "charge", kind: "command", layer: "remote" }] },
  { name: "fares", version: "1.0.0", operations: [{ name: "quote", kind: "query", layer: "remote" }] },
];

const openapi = {
  openapi: "3.1.0",
  info: { title: "trips", version: "0.1.0" },
  paths: {
    "/trips": {
      post: {
        operationId: "trips.book",
        summary: "Book a trip",
        requestBody: {
          content: { "application/json": { schema: { type: "object", properties: { flight: { type: "string" } } } } },
        },
        responses: { 200: { description: "Booked." }, 409: { description: "No seat is left." } },
      },
    },
  },
};
