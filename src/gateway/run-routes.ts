import type { FastifyInstance, FastifyRequest } from "fastify";
import {
  type AnyCommand,
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
import { enter, type Gate } from "./gate.ts";
import { declared } from "./input.ts";
import { sendJson } from "./operation-routes.ts";
import { toOperator } from "./operator.ts";
import type { GatewayParts, RunStatus, Runs } from "./ports.ts";
import { stateOf } from "./request-state.ts";
import { addRunProgress } from "./run-progress.ts";

const Ended = failure(409, "The run has ended; it takes no more signals.");

/** How it stands with a run, and signals to it. */
export function addRunRoutes(app: FastifyInstance, parts: GatewayParts, runs: Runs, gate: Gate): void {
  const operator = toOperator(parts.settings);
  const operations = new Map(parts.contracts.flatMap(operationsOf).map((operation) => [operation.id, operation]));
  const find = async (request: FastifyRequest): Promise<{ status: RunStatus; operation: Operation & Named }> => {
    const { run } = request.params as { readonly run: string };
    const status = await runs.status(run);
    const operation = status && operations.get(status.operation);
    if (!status || !operation) throw new Fault("UnknownRoute", "There is no such run.");
    return { status, operation };
  };

  /** For whoever started the run, for whoever may call its operation, and for operators. */
  const show = async (request: FastifyRequest): Promise<{ status: RunStatus; operation: Operation & Named }> => {
    const { status, operation } = await find(request);
    const { principal, span } = stateOf(request);
    if (!startedIt(principal, status) && !principal.scopes.includes("runs:read")) {
      if (operation.access === undefined) throw new Fault("UnknownRoute", "There is no such run.");
      demand(principal, operation.access, `A run of ${operation.id}`);
    }
    span.set({ "trilith.operation": operation.id, "trilith.run": status.run });
    return { status, operation };
  };
  addRunProgress(app, runs, gate, show);

  app.get("/runs/:run", {
    config: { path: "/runs/{run}" },
    onRequest: (request) => enter(request, gate, "public", "This run"),
    async handler(request, reply) {
      const { status, operation } = await show(request);
      reply.header("cache-control", "no-store");
      return sendJson(reply, shown(status, operation));
    },
  });

  app.post("/runs/:run/signals/:signal", {
    config: { path: "/runs/{run}/signals/{signal}" },
    onRequest: (request) => enter(request, gate, "public", "This signal"),
    async handler(request, reply) {
      const { signal: name } = request.params as { readonly signal: string };
      const { status, operation } = await find(request);
      const signals = operation.kind === "command" ? (operation as AnyCommand).signals : {};
      const signal = Object.hasOwn(signals, name) ? signals[name] : undefined;
      // A signal without access can be sent from inside the backend only; from outside there is none.
      if (!signal?.access) throw noSuchSignal(operation.id);
      const { principal, span } = stateOf(request);
      if (!operator.mayDo(request)) demand(principal, signal.access, `The signal "${name}" of ${operation.id}`);
      span.set({ "trilith.operation": operation.id, "trilith.run": status.run, "trilith.signal": name });

      const payload = declared(toProjection(toJsonSchema(signal.schema)), request.body);
      const checked = await validate(signal.schema, payload);
      if (!checked.ok) {
        throw new Fault("InvalidInput", `This is not what the signal "${name}" carries.`, { issues: checked.issues });
      }
      const call = callOf(operation, request, reply, { patienceMs: 0, wantsMeta: false });
      const answer = await runs.signal(status.run, name, payload, call);
      if (answer === "no such run") throw new Fault("UnknownRoute", "There is no such run.");
      if (answer === "no such signal") throw noSuchSignal(operation.id);
      if (answer === "ended") throw new Failed("runs.signal", "Ended", Ended);
      reply.header("location", `/runs/${encodeURIComponent(status.run)}`);
      return sendJson(reply.code(202), { run: status.run, signal: name });
    },
  });
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
