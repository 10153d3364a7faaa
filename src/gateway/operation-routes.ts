import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import {
  type Answer,
  type Call,
  Failed,
  Fault,
  hasBody,
  type Part,
  select,
  toJsonSchema,
  toProjection,
} from "../contracts/index.ts";
import { bringsBody } from "./body.ts";
import { callOf } from "./call-of.ts";
import { withinDeadline } from "./deadline.ts";
import { toDegradedHeader } from "./degraded.ts";
import { toDeprecationHeaders } from "./deprecation.ts";
import { admit, type Gate } from "./gate.ts";
import { sendGrowing, wantsEvents } from "./growing-answer.ts";
import { createGather } from "./input.ts";
import type { GatewayParts } from "./ports.ts";
import { type Preferences, readPreferences } from "./prefer.ts";
import { stateOf } from "./request-state.ts";
import { namedParams, type RoutedOperation, routedOperations, toFastifyPath } from "./route-check.ts";
import { createShownPath } from "./shown-path.ts";
import type { Usage, Versions } from "./versions.ts";

/** One route for each operation whose contract names one. */
export function addOperationRoutes(
  app: FastifyInstance,
  parts: GatewayParts,
  gate: Gate,
  versions: Versions,
  usage: Usage,
): void {
  for (const operation of routedOperations(parts.contracts))
    addOperationRoute(app, operation, parts, { gate, versions, usage });
}

interface Beside {
  readonly gate: Gate;
  readonly versions: Versions;
  readonly usage: Usage;
}

function addOperationRoute(
  app: FastifyInstance,
  operation: RoutedOperation,
  parts: GatewayParts,
  { gate, versions, usage }: Beside,
): void {
  const { id, route, access } = operation;
  const gather = createGather(operation, route);
  const leaving = operation.deprecated && toDeprecationHeaders(operation.deprecated);
  const takesBody = hasBody(route.verb);
  const declare = toProjection(toJsonSchema(operation.output));
  const shownPath = createShownPath(operation, route);
  const isOlder = versions.wayOf(operation) !== undefined;
  app.route({
    method: route.verb,
    url: toFastifyPath(route),
    config: { path: route.path },
    onRequest(request, reply, done) {
      const admitted = (): void => {
        usage.count(operation, stateOf(request).principal.id);
        if (!takesBody && bringsBody(request.raw))
          throw new Fault("MalformedBody", `${route.verb} ${route.path} takes no body; its input is in the address.`);
      };
      try {
        if (leaving) reply.headers(leaving);
        const link = isOlder ? versions.linkOf(operation, namedParams(route, request.params)) : undefined;
        if (link !== undefined) reply.header("link", link);
        // checkRoutes has refused a route without access; what it missed is nobody's.
        if (access === undefined) throw new Fault("UnknownRoute", "No operation answers at this address.");
        const entering = admit(request, gate, access, id);
        if (entering) entering.then(admitted).then(() => done(), done);
        else admitted();
        if (!entering) done();
      } catch (error) {
        done(error as Error);
      }
    },
    async handler(request, reply) {
      const params = namedParams(route, request.params);
      const { span } = stateOf(request);
      if (!span.unheard) span.set({ "trilith.operation": id, "url.path": shownPath(params) });
      const { input, wantsMeta, fields } = gather({
        params,
        query: queryOf(request),
        body: request.body,
      });
      const preferences = readPreferences(request.headers.prefer);
      const call = callOf(operation, request, reply, {
        patienceMs: preferences.waitMs ?? parts.settings.patienceMs,
        wantsMeta: wantsMeta || (operation.kind === "query" && preferences.meta),
        fields,
      });
      if (parts.rehearse) await rehearsed(operation, parts, request.headers["mock-failure"]);
      // Only what the contract declares goes out, whatever the schema library or whoever answered let through.
      const project = (wire: unknown, declared?: true): unknown => {
        const own = declared ? wire : declare(wire).value;
        return fields ? select(fields, own) : own;
      };
      if (operation.kind === "query" && wantsEvents(request.headers.accept)) {
        const ask = (onPart: (part: Part) => void) => answerOf(operation, parts, input, { ...call, onPart });
        return sendGrowing(request, reply, ask, project);
      }
      const answer = await answerOf(operation, parts, input, call);
      const applied = operation.kind === "query" ? preferences.meta && "meta" : waited(preferences);
      if (applied) reply.header("preference-applied", applied);
      const run = answer.run !== undefined && parts.runs ? versions.runName(operation, answer.run) : undefined;
      send(reply, answer, call, project, run); // what it gives could be waited for, and there is nothing to wait for
      return undefined;
    },
  });
}

const waited = ({ wait }: Preferences): string | undefined => (wait === undefined ? undefined : `wait=${wait}`);

/** Ends as a caller asks for, where somebody plays this operation. */
async function rehearsed(operation: RoutedOperation, { rehearse }: GatewayParts, code: unknown): Promise<void> {
  if (!rehearse || typeof code !== "string") return;
  const error = await rehearse(operation, code).catch((error: unknown) => {
    if (error instanceof TypeError) throw new Fault("InvalidInput", error.message, { outcome: "not done" });
    throw error;
  });
  throw error;
}

/** Each name of the query string with all its values. */
function queryOf({ raw }: FastifyRequest): ReadonlyMap<string, readonly string[]> {
  const { url = "" } = raw;
  const at = url.indexOf("?");
  if (at < 0) return noQuery;
  const query = new Map<string, string[]>();
  for (const [name, value] of pairsOf(url.slice(at + 1))) {
    const values = query.get(name);
    if (values) values.push(value);
    else query.set(name, [value]);
  }
  return query;
}

const noQuery: ReadonlyMap<string, readonly string[]> = new Map();

/** Most queries are one plain pair, which says what it says. */
function pairsOf(text: string): Iterable<readonly [string, string]> {
  const [, name, value] = /^([\w.-]+)=([\w.,~-]*)$/.exec(text) ?? [];
  return name === undefined || value === undefined ? new URLSearchParams(text) : [[name, value]];
}

/** Calls an operation for somebody outside: within its time, and with no failure that its contract does not declare. */
export async function answerOf(
  operation: RoutedOperation,
  { dispatch }: GatewayParts,
  input: unknown,
  call: Call,
): Promise<Answer> {
  try {
    const answering = dispatch.call(operation.id, input, call);
    return await (call.deadline === undefined ? answering : withinDeadline(call.deadline, operation.id, answering));
  } catch (thrown) {
    if (!(thrown instanceof Failed)) throw thrown;
    const declared = Object.hasOwn(operation.failures, thrown.code) ? operation.failures[thrown.code] : undefined;
    // A failure of an operation further in says nothing to this one's callers unless its contract says it too.
    if (!declared) throw new Fault("Internal", "A failure that the contract does not declare.", { cause: thrown });
    if (thrown.operation === operation.id) throw thrown;
    throw new Failed(operation.id, thrown.code, declared, thrown.details);
  }
}

function send(
  reply: FastifyReply,
  answer: Answer,
  call: Call,
  project: (wire: unknown, declared?: true) => unknown,
  run: string | undefined,
): FastifyReply {
  reply.header("cache-control", "no-store");
  const location = run && `/runs/${encodeURIComponent(run)}`;
  if (location) reply.header("location", location);
  if ("accepted" in answer) {
    reply.header("retry-after", "1");
    return sendJson(reply.code(202), {
      run: run ?? answer.run,
      ...(location && { location }),
    });
  }
  const degraded = toDegradedHeader(answer.meta);
  if (degraded !== undefined) reply.header("trilith-degraded", degraded);
  const data = answer.wire === undefined ? undefined : project(answer.wire, answer.declared);
  if (call.wantsMeta) return sendJson(reply, { data: data ?? null, meta: answer.meta ?? null });
  return data === undefined ? reply.code(204).send() : sendJson(reply, data);
}

export function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  const text = JSON.stringify(value);
  return reply.type("application/json; charset=utf-8").send(text.length > longestText ? Buffer.from(text) : text);
}

/** A longer text is not written from Node's stack: it sets three bytes aside for each character first. */
const longestText = 5_461;
