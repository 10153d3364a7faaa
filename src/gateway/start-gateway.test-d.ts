/** A gateway on a free port for the tests of this folder, in a file that is checked and neither run nor shipped. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { z } from "zod";
import {
  type Answer,
  type Call,
  command,
  contract,
  Fault,
  failure,
  personal,
  query,
  signal,
  validate,
} from "../contracts/index.ts";
import { openTelemetry, type Telemetry } from "../telemetry/index.ts";
import { createApiKey } from "./api-keys.ts";
import { createGateway, type Gateway } from "./gateway.ts";
import type { GatewayParts, GatewaySettings } from "./ports.ts";

const Seat = z.object({ flight: z.string(), traveller: personal(z.string()), bags: z.int().optional() });
const SoldOut = failure(409, "No seat is left.", { details: z.object({ flight: z.string() }) });
const Shelf = z.object({
  shelf: z.string(),
  count: z.int(),
  weight: z.number().optional(),
  heavy: z.boolean().optional(),
});

export const Trips = contract("trips", "1.2.0", {
  book: command({
    input: Seat,
    output: z.object({ ticket: z.string() }),
    failures: { SoldOut },
    signals: {
      approved: signal(z.object({ by: z.string() }), { access: "trips:approve" }),
      nudged: signal(z.object({})),
    },
    http: "POST /trips",
    access: "trips:book",
  }),
  rename: command({ input: Seat.extend({ trip: z.string() }), http: "PUT /trips/{trip}", access: "public" }),
  drop: command({ input: z.object({ trip: z.string() }), http: "DELETE /trips/{trip}", access: "public" }),
  find: query({
    input: z.object({
      trip: z.string(),
      limit: z.int().optional(),
      near: z.number().optional(),
      open: z.boolean().optional(),
      tags: z.array(z.int()).optional(),
      code: z.union([z.string(), z.number()]).optional(),
      where: z.object({ seat: z.string() }).optional(),
    }),
    output: z.object({ input: z.unknown() }),
    http: "GET /trips/{trip}",
    access: "public",
    timeout: "1s",
  }),
  shelf: query({
    input: z.object({ meta: z.string().optional() }),
    output: Shelf,
    http: "GET /shelf",
    access: "public",
  }),
  hidden: query({ input: z.object({}), output: z.string() }),
  tell: command({ input: z.object({}), progress: z.object({ done: z.int() }) }),
});

export type Handler = (operation: string, input: unknown, call: Call) => Promise<Answer>;
export interface Started {
  readonly url: string;
  readonly gateway: Gateway;
  readonly telemetry: Telemetry;
  /** Everything that was logged. */
  readonly logged: readonly { readonly [field: string]: unknown }[];
  readonly calls: readonly { readonly operation: string; readonly input: unknown; readonly call: Call }[];
  readonly keysFile: string;
  key(id: string, ...scopes: string[]): Promise<string>;
  get(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  stop(): Promise<void>;
}

/** Operations answer with what `handler` says, after their input has been validated as the runtime's dispatch does. */
export async function startGateway(
  handler: Handler,
  parts: Partial<Omit<GatewayParts, "settings">> & { readonly settings?: Partial<GatewaySettings> } = {},
): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), "gateway-"));
  const keysFile = join(folder, "keys.json");
  const telemetry = openTelemetry({ service: "test", version: "1.2.0" });
  const logged: { readonly [field: string]: unknown }[] = [];
  const calls: { operation: string; input: unknown; call: Call }[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const gateway = createGateway({
    name: "test",
    version: "1.2.0",
    contracts: [Trips],
    dispatch: {
      async call(operation, input, call) {
        calls.push({ operation, input, call });
        const declared = Object.values(Trips).find((member) => "id" in member && member.id === operation);
        if (declared && "input" in declared) {
          const checked = await validate(declared.input, input);
          if (!checked.ok)
            throw new Fault("InvalidInput", "The input breaks the contract.", { issues: checked.issues });
        }
        return handler(operation, input, call);
      },
      void: async () => ({ took: "unknown" }),
    },
    tracing: telemetry.tracing,
    feed: telemetry.feed,
    health: async () => ({ ready: true, parts: {} }),
    log,
    ...parts,
    settings: {
      ...{ host: "127.0.0.1", port: 0, bodyLimit: 1_048_576, patienceMs: 10_000, shutdownMs: 2_000 },
      ...{ console: "on", keysFile, supervised: false },
      ...parts.settings,
    },
  });
  const { url } = await gateway.listen();
  return {
    ...{ url, gateway, telemetry, logged, calls, keysFile },
    key: (id, ...scopes) => createApiKey(keysFile, { id, scopes }),
    get: (path, init) => fetch(url + path, { redirect: "manual", ...init, headers: onItsOwn(init?.headers) }),
    post: (path, body, headers = {}) =>
      fetch(url + path, {
        method: "POST",
        headers: onItsOwn({ "content-type": "application/json", ...headers }),
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    async stop() {
      await gateway.close();
      await telemetry.close();
    },
  };
}

/**
 * On a connection of its own: where a busy machine holds both ends for longer than an idle one is kept, whoever takes
 * it up again at that moment is reset.
 */
function onItsOwn(given?: HeadersInit): Headers {
  const headers = new Headers(given);
  headers.set("connection", "close");
  return headers;
}

export const answering =
  (wire: unknown, more: { readonly meta?: unknown; readonly run?: string } = {}): Handler =>
  async () => ({ wire, value: wire, ...more });

export const failingWith =
  (thrown: unknown): Handler =>
  async () => {
    throw thrown;
  };
