import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Access, Fault } from "../contracts/index.ts";
import { enter, type Gate } from "./gate.ts";
import { sendJson } from "./operation-routes.ts";
import { bodyOf, readReason, toOperator } from "./operator.ts";
import type { GatewayParts } from "./ports.ts";
import { stateOf } from "./request-state.ts";

/** The schedules of this backend, as an operator looks after them. What it gives travels as JSON. */
export interface ScheduleDesk {
  list(): Promise<readonly ScheduleRow[]>;
  /** False where there is no such schedule. Who asked, and why, is kept as long as it is paused. */
  pause(name: string, asked: Asked): Promise<boolean>;
  resume(name: string): Promise<boolean>;
}
interface Asked {
  readonly by: string;
  readonly reason?: string;
}
export interface ScheduleRow {
  readonly name: string;
  readonly operation: string;
  readonly cron: string;
  readonly zone: string;
  readonly paused: boolean;
  /** Who paused it, when and why, as far as that was said. */
  readonly pause?: Asked & { readonly at: string };
  /** Instants that have come and whose run has not begun yet. */
  readonly owed: number;
  /** Instants are ISO 8601. None while it is paused, and where its times never come again. */
  readonly next?: string;
  readonly last?: string;
  readonly lastRun?: string;
  /** The times of other code, by which it goes for as long as nodes with them are there. */
  readonly otherTimes?: string;
}

/** `GET /runs/schedules` for the scope `runs:read`, `POST …/pause` and `…/resume` for `runs:operate`; open where the console is. */
export function addScheduleRoutes(app: FastifyInstance, parts: GatewayParts, desk: ScheduleDesk, gate: Gate): void {
  const operator = toOperator(parts.settings);
  const toSee = (request: FastifyRequest): Access => (operator.maySee(request) ? "public" : "runs:read");
  const toDo = (request: FastifyRequest): Access => (operator.mayDo(request) ? "public" : "runs:operate");
  const guarded = (path: string, accessOf: (request: FastifyRequest) => Access) => ({
    config: { path, quiet: accessOf === toSee },
    onRequest: (request: FastifyRequest) => enter(request, gate, accessOf(request), "The schedules of this backend"),
  });
  app.get("/runs/schedules", guarded("/runs/schedules", toSee), async (_request, reply) =>
    sendJson(reply.header("cache-control", "no-store"), { schedules: await desk.list() }),
  );
  for (const to of ["pause", "resume"] as const) {
    const path = `/runs/schedules/{schedule}/${to}`;
    app.post(`/runs/schedules/:schedule/${to}`, guarded(path, toDo), async (request, reply) => {
      const { schedule } = request.params as { readonly schedule: string };
      const { reason } = bodyOf(request, to === "pause" ? ["reason"] : []);
      const asked = { by: stateOf(request).principal.id, ...readReason(reason) };
      if (!(await desk[to](schedule, asked))) throw new Fault("UnknownRoute", "There is no such schedule.");
      return sendJson(
        reply,
        (await desk.list()).find(({ name }) => name === schedule),
      );
    });
  }
}
