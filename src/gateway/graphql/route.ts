import type { FastifyInstance } from "fastify";
import { GraphQLError, NoSchemaIntrospectionCustomRule, parse } from "graphql";
import { createYoga, type Plugin } from "graphql-yoga";
import { Fault } from "../../contracts/index.ts";
import { demand } from "../access.ts";
import { callOf, checkKey } from "../call-of.ts";
import { enter, type Gate } from "../gate.ts";
import { answerOf } from "../operation-routes.ts";
import type { GatewayParts } from "../ports.ts";
import { readPreferences } from "../prefer.ts";
import { stateOf } from "../request-state.ts";
import type { Context } from "./context.ts";
import { type Limits, toLimitRule } from "./limits.ts";
import { type CallOperation, toSchema } from "./schema.ts";

export interface GraphqlOptions extends Limits {
  /** Whether the schema may be asked for. */
  readonly introspection: boolean;
}

/** More than any page asks for; what is larger is not even parsed to its end. */
const mostTokens = 5_000;

/** Answers GraphQL at `/graphql`, over GET and POST. */
export function addGraphql(app: FastifyInstance, parts: GatewayParts, gate: Gate, options: GraphqlOptions): void {
  const schema = toSchema({
    contracts: parts.contracts,
    longRunning: parts.longRunning ?? [],
    call: toCallOperation(parts),
  });
  const yoga = createYoga<Context>({
    schema,
    graphqlEndpoint: "/graphql",
    graphiql: false,
    landingPage: false,
    logging: false,
    cors: false,
    batching: false,
    multipart: false,
    maskedErrors: { maskError: (error) => masked(error, parts) },
    plugins: [limitedBy(options)],
  });
  app.route({
    method: ["GET", "POST"],
    url: "/graphql",
    config: { path: "/graphql" },
    onRequest: (request) => enter(request, gate, "public", "GraphQL"),
    async handler(request, reply) {
      const { span } = stateOf(request);
      span.set({ "trilith.graphql": true });
      const { method, headers, raw, body } = request;
      if (method === "POST" && body === undefined)
        throw new Fault("MalformedBody", 'There is no body. Send JSON with a "query".');
      const answer = await yoga.fetch(
        `http://gateway${raw.url}`,
        {
          method,
          headers: {
            accept: headers.accept?.includes("graphql-response+json") ? headers.accept : "application/json",
            ...(method === "POST" && { "content-type": "application/json" }),
          },
          ...(method === "POST" && { body: JSON.stringify(body) }),
        },
        { asked: request, reply, degraded: new WeakMap() },
      );
      const allow = answer.headers.get("allow");
      if (allow !== null) reply.header("allow", allow);
      return reply
        .code(answer.status)
        .header("cache-control", "no-store")
        .type(answer.headers.get("content-type") ?? "application/json; charset=utf-8")
        .send(await answer.text());
    },
  });
}

/** Every operation behind its own access, with the deadline, the trace and the key of the request. */
function toCallOperation(parts: GatewayParts): CallOperation {
  return async (operation, input, { asked: request, reply }, { fields, key }) => {
    demand(stateOf(request).principal, operation.access ?? "public", operation.id); // without access it is not in the schema
    const { waitMs } = readPreferences(request.headers.prefer);
    const isQuery = operation.kind === "query";
    const wanted = fields && Object.keys(fields).length > 0 ? fields : undefined;
    const call = callOf(operation, request, reply, {
      patienceMs: waitMs ?? parts.settings.patienceMs,
      wantsMeta: isQuery,
      fields: wanted,
    });
    return answerOf(operation, parts, input, { ...call, ...(key !== undefined && { key: checkKey(key) }) });
  };
}

const limitedBy = ({ introspection, ...limits }: GraphqlOptions): Plugin => ({
  onParse({ setParseFn }) {
    setParseFn((source, options) => parse(source, { ...options, maxTokens: mostTokens }));
  },
  onValidate({ addValidationRule }) {
    addValidationRule(toLimitRule(limits));
    if (!introspection) addValidationRule(NoSchemaIntrospectionCustomRule);
  },
});

/** What GraphQL itself or a declared failure says is told; anything else is for the log. */
function masked(error: unknown, { log }: GatewayParts): Error {
  if (!(error instanceof GraphQLError)) {
    log.error({ err: error }, "A GraphQL request failed.");
    return new GraphQLError("The details are in the server's log.", {
      extensions: { code: "Internal", retry: "later" },
    });
  }
  if (error.extensions.code === "Internal") log.error({ err: error.originalError ?? error }, "A GraphQL field failed.");
  return new GraphQLError(error.message, {
    ...(error.nodes && { nodes: error.nodes }),
    ...(error.path && { path: error.path }),
    extensions: error.extensions,
  });
}
