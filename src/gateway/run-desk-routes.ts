import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Access, Failed, Fault, failure } from "../contracts/index.ts";
import { demand } from "./access.ts";
import { callOf } from "./call-of.ts";
import { enter, type Gate } from "./gate.ts";
import { sendJson } from "./operation-routes.ts";
import { bodyOf, readReason, toOperator } from "./operator.ts";
import type { GatewayParts, Runs } from "./ports.ts";
import { stateOf } from "./request-state.ts";
import { type RunAction, type RunDeclined, type RunDesk, runActions } from "./run-desk.ts";
import { invalid, readRunFilter, readRunQuery } from "./run-filter.ts";

/**
 * The search over runs and what operators do to them. Looking asks for the scope `runs:read`, doing for `runs:operate`;
 * where the console is open to this machine, so are these. Whoever began a run may cancel it.
 */
export function addRunDesk(app: FastifyInstance, parts: GatewayParts, desk: RunDesk, runs: Runs, gate: Gate): void {
  const operator = toOperator(parts.settings);
  const toSee = (request: FastifyRequest): Access => (operator.maySee(request) ? "public" : "runs:read");
  const toDo = (request: FastifyRequest): Access => (operator.mayDo(request) ? "public" : "runs:operate");
  const guarded = (path: string, accessOf: (request: FastifyRequest) => Access) => ({
    config: { path, quiet: accessOf === toSee },
    onRequest: (request: FastifyRequest) => enter(request, gate, accessOf(request), "The runs of this backend"),
  });

  app.get("/runs", guarded("/runs", toSee), async (request, reply) => {
    const { filter, query } = readRunQuery(request.url);
    return sendJson(reply.header("cache-control", "no-store"), await desk.search(filter, query));
  });
  app.get("/runs/counts", guarded("/runs/counts", toSee), async (_request, reply) =>
    sendJson(reply.header("cache-control", "no-store"), { counts: await desk.counts() }),
  );
  app.get("/runs/machines", guarded("/runs/machines", toSee), async (_request, reply) =>
    sendJson(reply.header("cache-control", "no-store"), { machines: desk.machines() }),
  );
  app.get("/runs/:run/history", guarded("/runs/{run}/history", toSee), async (request, reply) => {
    const history = await desk.history(runOf(request));
    if (!history) throw noSuchRun();
    return sendJson(reply.header("cache-control", "no-store"), history);
  });

  app.post("/runs/actions", guarded("/runs/actions", toDo), async (request, reply) => {
    const { action, filter, reason } = bodyOf(request, ["action", "filter", "reason"]);
    const to = runActions.find((one) => one === action);
    if (!to) throw invalid(`"action" is one of: ${runActions.join(", ")}.`);
    const meant = readRunFilter(filter);
    if (Object.keys(meant).length === 0)
      throw invalid("The filter is empty, and would mean every run. Say at least one thing that they have in common.");
    const bulk = await desk.steerAll(meant, { to, by: stateOf(request).principal.id, ...readReason(reason) });
    return sendJson(reply.code(202).header("location", `/runs/actions/${bulk.id}`), bulk);
  });
  app.get("/runs/actions/:bulk", guarded("/runs/actions/{action}", toSee), async (request, reply) => {
    const { bulk: id } = request.params as { readonly bulk: string };
    const bulk = await desk.bulk(id);
    if (!bulk) throw new Fault("UnknownRoute", "There is no such action.");
    return sendJson(reply.header("cache-control", "no-store"), bulk);
  });

  for (const to of runActions) {
    const path = `/runs/{run}/${to}`;
    const config = {
      config: { path },
      onRequest: (request: FastifyRequest) => enter(request, gate, "public", "This run"),
    };
    app.post(`/runs/:run/${to}`, config, async (request, reply) => {
      const run = runOf(request);
      const { principal, span } = stateOf(request);
      if (!(await mayDo(request, run, to))) demand(principal, "runs:operate", `To ${to} a run`);
      span.set({ "trilith.run": run });
      const { reason } = bodyOf(request, ["reason"]);
      const steered = await desk.steer(run, { to, by: principal.id, ...readReason(reason) });
      if (!steered.ok) throw declined(steered);
      reply.header("location", `/runs/${encodeURIComponent(run)}`);
      return sendJson(reply.code(202), { run, state: steered.state });
    });
  }

  const toForesee = {
    config: { path: "/runs/{run}/fork", quiet: true },
    onRequest: (request: FastifyRequest) => enter(request, gate, "public", "This run"),
  };
  app.get("/runs/:run/fork", toForesee, async (request, reply) => {
    const { principal } = stateOf(request);
    // Who may fork may know what that does, whether or not he may look at runs otherwise.
    if (!principal.scopes.includes("runs:operate")) demand(principal, toSee(request), "The runs of this backend");
    const { step, ...others } = Object.fromEntries(new URLSearchParams(request.url.split("?")[1] ?? ""));
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) throw invalid(`There is no "${unknown}" here. A fork may be looked at from a "step".`);
    const foreseen = await desk.foreseeFork(runOf(request), step);
    if (!foreseen.ok) throw declined(foreseen);
    return sendJson(reply.header("cache-control", "no-store"), { again: foreseen.again });
  });
  app.post("/runs/:run/fork", guarded("/runs/{run}/fork", toDo), async (request, reply) => {
    const run = runOf(request);
    const { principal, span } = stateOf(request);
    const { step, input } = bodyOf(request, ["step", "input"]);
    if (step !== undefined && typeof step !== "string") throw invalid('"step" is the name of a step in the journal.');
    const { key } = callOf({ kind: "command" } as Parameters<typeof callOf>[0], request, reply, {
      patienceMs: 0,
      wantsMeta: false,
    }); // for its headers
    const forked = await desk.fork(run, {
      ...{ by: principal, traceparent: span.traceparent },
      ...(step !== undefined && { step }),
      ...(input !== undefined && { input: { value: input } }),
      ...(key !== undefined && { key }),
    });
    if (!forked.ok) throw declined(forked);
    const location = `/runs/${encodeURIComponent(forked.run)}`;
    return sendJson(reply.code(202).header("location", location), { run: forked.run, location });
  });

  async function mayDo(request: FastifyRequest, run: string, to: RunAction): Promise<boolean> {
    if (toDo(request) === "public") return true;
    const { principal } = stateOf(request);
    if (to !== "cancel" || principal.kind === "anonymous" || principal.scopes.includes("runs:operate")) return false;
    return (await runs.status(run))?.startedBy === principal.id;
  }
}

const runOf = ({ params }: FastifyRequest): string => (params as { readonly run: string }).run;

const noSuchRun = (): Fault => new Fault("UnknownRoute", "There is no such run.");

function declined({ why, sentence }: RunDeclined): Error {
  if (why === "no such run") return noSuchRun();
  if (why === "invalid") return invalid(sentence);
  return new Failed("runs.steer", "NotNow", failure(409, sentence));
}
