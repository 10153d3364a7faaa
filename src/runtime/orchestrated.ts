import type { Schedule, StartOn, Workflow } from "../orchestration/index.ts";

/** What may stand under `orchestration`. */
export type Orchestrated = Workflow | Schedule | StartOn;

interface Orchestration {
  readonly orchestration: readonly Workflow[];
  readonly schedules: readonly Schedule[];
  readonly starts: readonly StartOn[];
}

export function toOrchestration(parts: readonly Orchestrated[]): Orchestration {
  const workflows: Workflow[] = [];
  const schedules: Schedule[] = [];
  const starts: StartOn[] = [];
  for (const part of parts) {
    if (part.kind === "workflow") workflows.push(part);
    else if (part.kind === "schedule") schedules.push(part);
    else starts.push(part);
  }
  return { orchestration: workflows, schedules, starts };
}
