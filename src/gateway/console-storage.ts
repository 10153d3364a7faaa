import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Access, Fault } from "../contracts/index.ts";
import { enter, type Gate } from "./gate.ts";
import { sendJson } from "./operation-routes.ts";
import { toOperator } from "./operator.ts";
import type { GatewayParts, StorageDesk } from "./ports.ts";

/**
 * What an operator asks the storage: `GET /console/storage` and a reader's `…/parked` for whoever may see the console;
 * `POST …/check` and what is done to a reader for the scope `console:operate`, or for this machine where the console is open.
 */
export function addStorageDesk(app: FastifyInstance, parts: GatewayParts, desk: StorageDesk, gate: Gate): void {
  const { settings } = parts;
  if (settings.console === "off") return;
  const operator = toOperator(settings);
  const guarded = (path: string, accessOf: (request: FastifyRequest) => Access) => ({
    config: { path, quiet: true },
    onRequest: (request: FastifyRequest) => enter(request, gate, accessOf(request), "The console"),
  });
  const toSee = (request: FastifyRequest): Access => (operator.maySee(request) ? "public" : "console:read");
  const toDo = (request: FastifyRequest): Access => (operator.mayDo(request) ? "public" : "console:operate");

  const see = (path: string, look: (asked: Asked) => Promise<unknown>): void => {
    app.get(path, guarded(path, toSee), async (request, reply) =>
      sendJson(reply.header("cache-control", "no-store"), await told(() => look(toAsked(request)))),
    );
  };
  const act = (path: string, work: (asked: Asked) => Promise<unknown>): void => {
    app.post(path, guarded(path, toDo), async (request, reply) =>
      sendJson(reply.header("cache-control", "no-store"), (await told(() => work(toAsked(request)))) ?? { done: true }),
    );
  };

  see("/console/storage", () => desk.status());
  see("/console/storage/:reader/parked", ({ reader }) => desk.parked(reader));
  let checking: Promise<readonly string[]> | undefined;
  act("/console/storage/check", async () => {
    // However many ask, everything is looked through once at a time.
    checking ??= desk.check().finally(() => {
      checking = undefined;
    });
    return { found: await checking };
  });
  act("/console/storage/:reader/resume", ({ reader }) => desk.resume(reader));
  act("/console/storage/:reader/rebuild", ({ reader }) => desk.rebuild(reader));
  act("/console/storage/:reader/dismiss", ({ reader, number }) => desk.dismiss(reader, number("position")));
  act("/console/storage/:reader/restart", ({ reader, number }) => desk.restart(reader, number("after")));
}

interface Asked {
  readonly reader: string;
  /** A whole number that has to be in the query. */
  number(name: string): number;
}

const toAsked = ({ params, url }: FastifyRequest): Asked => ({
  reader: (params as { readonly reader?: string }).reader ?? "",
  number: (name) => {
    const given = new URLSearchParams(url.split("?")[1]).get(name);
    if (given !== null && /^\d{1,15}$/.test(given)) return Number(given);
    throw new TypeError(`Say which: ?${name}=<a position of the log>.`);
  },
});

/** What was asked for and cannot be is said in its own sentence. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Fault("InvalidInput", error.message, { outcome: "not done", cause: error });
  }
}
