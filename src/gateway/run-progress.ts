import type { FastifyInstance, FastifyRequest } from "fastify";
import { Fault, type Operation, toJsonSchema, toProjection } from "../contracts/index.ts";
import { createEventStream } from "./event-stream.ts";
import { enter, type Gate } from "./gate.ts";
import type { RunStatus, Runs } from "./ports.ts";

const mostWatchers = 1_000;

/**
 * `/runs/{run}/progress`: a `progress` event for what the run last said of itself and for each thing that it says from
 * then on, and `end` with its state when it has ended. Whoever goes away is forgotten.
 */
export function addRunProgress(
  app: FastifyInstance,
  runs: Runs,
  gate: Gate,
  find: (request: FastifyRequest) => Promise<{ readonly status: RunStatus; readonly operation: Operation }>,
): void {
  let watchers = 0;
  app.get(
    "/runs/:run/progress",
    {
      config: { path: "/runs/{run}/progress" },
      exposeHeadRoute: false,
      onRequest: (request) => enter(request, gate, "public", "This run"),
    },
    async (request, reply) => {
      const { status, operation } = await find(request);
      if (operation.kind !== "command" || !operation.progress)
        throw new Fault("UnknownRoute", `Runs of ${status.operation} say nothing of their progress.`);
      if (watchers >= mostWatchers)
        throw new Fault("TooManyRequests", `${mostWatchers} callers follow runs already. Ask for the run itself.`);
      const project = toProjection(toJsonSchema(operation.progress));
      watchers += 1;
      const gone = new AbortController();
      const leave = (): void => gone.abort();
      gate.closing.addEventListener("abort", leave, { once: true });
      reply.raw.once("close", leave);
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) reply.raw.setHeader(name, value);
      const stream = createEventStream(reply.raw);
      try {
        for await (const value of runs.follow(status.run, gone.signal))
          stream.sendLatest("progress", "progress", project(value).value);
        const ended = gone.signal.aborted ? undefined : await runs.status(status.run);
        if (ended) stream.sendLatest("end", "end", { run: ended.run, state: ended.state });
      } catch (error) {
        request.log.warn(error, "A run could not be followed any more.");
      } finally {
        watchers -= 1;
        gate.closing.removeEventListener("abort", leave);
        reply.raw.off("close", leave);
        setImmediate(() => stream.end()); // after what is still to be sent
      }
    },
  );
}
