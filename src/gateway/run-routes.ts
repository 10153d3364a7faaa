import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import {
  type AdaptedWay,
  type AnyCommand,
  type AnySchema,
  Failed,
  Fault,
  failure,
  type Named,
  type Operation,
  operationsOf,
  type Principal,
  toJsonSchema,
  toProjection,
  validate,
} from "../contracts/index.ts";
import { demand } from "./access.ts";
import { callOf } from "./call-of.ts";
import { toDeprecationHeaders } from "./deprecation.ts";
import { enter, type Gate } from "./gate.ts";
import { declared } from "./input.ts";
import { sendJson } from "./operation-routes.ts";
import { toOperator } from "./operator.ts";
import type { GatewayParts, RunStatus, Runs } from "./ports.ts";
import { stateOf } from "./request-state.ts";
import { addRunProgress } from "./run-progress.ts";
import { toOlderStatus, type Versions } from "./versions.ts";

const Ended = failure(409, "The run has ended; it takes no more signals.");

/** How it stands with a run, and signals to it. */
export function addRunRoutes(
  app: FastifyInstance,
  parts: GatewayParts,
  runs: Runs,
  gate: Gate,
  versions: Versions,
): void {
  const operator = toOperator(parts.settings);
  const operations = new Map(parts.contracts.flatMap(operationsOf).map((operation) => [operation.id, operation]));
  const find = async (request: FastifyRequest): Promise<Found> => {
    const { run: asked } = request.params as { readonly run: string };
    const { run, major } = versions.readRun(asked);
    const status = await runs.status(run);
    const present = status && operations.get(status.operation);
    const operation = present && versions.shownAs(present, major);
    if (!status || !operation) throw new Fault("UnknownRoute", "There is no such run.");
    return { status, operation, asked };
  };

  /** For whoever started the run, for whoever may call its operation, and for operators. */
  const show = async (request: FastifyRequest): Promise<Found> => {
    const found = await find(request);
    const { status, operation } = found;
    const { principal, span } = stateOf(request);
    if (!startedIt(principal, status) && !principal.scopes.includes("runs:read")) {
      if (operation.access === undefined) throw new Fault("UnknownRoute", "There is no such run.");
      demand(principal, operation.access, `A run of ${operation.id}`);
    }
    span.set({ "trilith.operation": operation.id, "trilith.run": status.run });
    return found;
  };
  addRunProgress(app, runs, gate, show, versions);

  app.get("/runs/:run", {
    config: { path: "/runs/{run}" },
    onRequest: (request) => enter(request, gate, "public", "This run"),
    async handler(request, reply) {
      const { status, operation, asked } = await show(request);
      reply.header("cache-control", "no-store").headers(toDeprecationHeaders(operation.deprecated));
      const way = versions.wayOf(operation);
      const said = way ? await toOlderStatus(way, status) : status;
      return sendJson(reply, shown({ ...said, run: asked }, operation));
    },
  });

  const takeSignal =
    (asOperator: boolean) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const { signal: name } = request.params as { readonly signal: string };
      const { status, operation, asked } = await find(request);
      const signals = operation.kind === "command" ? (operation as AnyCommand).signals : {};
      const signal = Object.hasOwn(signals, name) ? signals[name] : undefined;
      // A signal without access can be sent from inside the backend only; from outside there is none.
      if (!signal?.access) throw noSuchSignal(operation.id);
      const { principal, span } = stateOf(request);
      if (!asOperator) demand(principal, signal.access, `The signal "${name}" of ${operation.id}`);
      span.set({ "trilith.operation": operation.id, "trilith.run": status.run, "trilith.signal": name });

      const sent = request.body === undefined ? await emptiest(signal.schema) : request.body;
      const payload = declared(toProjection(toJsonSchema(signal.schema)), sent);
      const checked = await validate(signal.schema, payload);
      if (!checked.ok) {
        throw new Fault("InvalidInput", `This is not what the signal "${name}" carries.`, { issues: checked.issues });
      }
      const call = callOf(operation, request, reply, { patienceMs: 0, wantsMeta: false });
      const answer = await runs.signal(status.run, name, await raised(versions.wayOf(operation), name, payload), call);
      if (answer === "no such run") throw new Fault("UnknownRoute", "There is no such run.");
      if (answer === "no such signal") throw noSuchSignal(operation.id);
      if (answer === "ended") throw new Failed("runs.signal", "Ended", Ended);
      reply.header("location", `/runs/${encodeURIComponent(asked)}`);
      return sendJson(reply.code(202), { run: asked, signal: name });
    };
  app.post("/runs/:run/signals/:signal", {
    config: { path: "/runs/{run}/signals/{signal}" },
    onRequest: (request) => enter(request, gate, "public", "This signal"),
    handler: takeSignal(false),
  });
  // By hand, whoever the contract expects it from.
  app.post("/console/runs/:run/signals/:signal", {
    config: { path: "/console/runs/{run}/signals/{signal}" },
    onRequest: (request) =>
      enter(request, gate, operator.mayDo(request) ? "public" : "runs:operate", "A signal by hand"),
    handler: takeSignal(true),
  });
}

/** What a signal carries that is sent without a body: nothing in particular, where its schema takes that. */
const emptiest = async (schema: AnySchema): Promise<unknown> => ((await validate(schema, {})).ok ? {} : undefined);

/** A run as it was asked for: `asked` is its name in the address, `operation` the one in whose words it is shown. */
interface Found {
  readonly status: RunStatus;
  readonly operation: Operation & Named;
  readonly asked: string;
}

/** What a caller of an older version sends, as the present one's signal carries it. */
async function raised(way: AdaptedWay | undefined, name: string, payload: unknown): Promise<unknown> {
  if (!way) return payload;
  const up = way.signal(name, payload);
  const { signals } = way.present as AnyCommand;
  const schema = Object.hasOwn(signals, name) ? signals[name]?.schema : undefined;
  const checked = schema && (await validate(schema, up));
  if (checked && !checked.ok)
    throw new Fault("InvalidInput", `This is not what the signal "${name}" carries now.`, { issues: checked.issues });
  return up;
}

/** Nobody in particular is not somebody: who started a run anonymously is known by nothing but its id. */
const startedIt = (principal: Principal, { startedBy }: RunStatus): boolean =>
  principal.kind !== "anonymous" && principal.id === startedBy;

/** A run as its caller sees it: the output by its contract, and nothing of who else is there. */
function shown({ startedBy: _private, output, progress, ...status }: RunStatus, operation: Operation): object {
  const declared = operation.kind === "command" ? operation.progress : undefined;
  return {
    ...status,
    ...(progress !== undefined && declared && { progress: toProjection(toJsonSchema(declared))(progress).value }),
    ...(output !== undefined && { output: toProjection(toJsonSchema(operation.output))(output).value }),
  };
}

const noSuchSignal = (operation: string): Fault =>
  new Fault("UnknownRoute", `${operation} takes no such signal from outside.`);
