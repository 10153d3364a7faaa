import type { RunBulk, RunDesk, RunSummary } from "../gateway/index.ts";
import type { Bulk, Runner, RunRow } from "../orchestration/host.ts";
import { type Machine, toMermaid, type Workflow } from "../orchestration/index.ts";

/** How many runs of a workflow in a state are counted. */
export const mostCounted = 10_000;

/** Orchestration's runs, as operators reach them over HTTP. */
export function toRunDesk(runner: Runner, workflows: readonly Workflow[]): RunDesk {
  return {
    machines: () =>
      Object.fromEntries(
        workflows
          .filter(isMachine)
          .map((machine) => [
            `${machine.id}@${machine.version}`,
            { drawn: machine.drawn, mermaid: toMermaid(machine) },
          ]),
      ),
    async search(filter, query) {
      const { runs, next } = await runner.search(filter, query);
      return { runs: runs.map(toSummary), ...(next !== undefined && { next }) };
    },
    counts: () => runner.count({}, mostCounted),
    async history(run) {
      return (await runner.status(run)) && runner.history(run);
    },
    steer: (run, order) => runner.steer(run, order),
    foreseeFork: (run, step) => runner.foreseeFork(run, step),
    fork: (run, fork) => runner.fork(run, fork),
    steerAll: async (filter, order) => toBulk(await runner.steerAll(filter, order)),
    async bulk(id) {
      const bulk = await runner.bulk(id);
      return bulk && toBulk(bulk);
    },
  };
}

const isMachine = (workflow: Workflow): workflow is Machine => "drawn" in workflow;

export function toSummary(row: RunRow): RunSummary {
  const { run, operation, workflow, state, startedAt, endedAt, startedBy, key, reason, failure, tags } = row;
  return {
    ...{ run, operation, workflow, state, startedBy },
    startedAt: new Date(startedAt).toISOString(),
    ...(endedAt !== null && { endedAt: new Date(endedAt).toISOString() }),
    ...(key !== undefined && { key }),
    ...(reason !== null && (state === "paused" || state === "undoing") && { reason }),
    ...(typeof failure === "string" && { failure }),
    ...(tags && { tags }),
  };
}

export const toBulk = ({ id, order, state, at, endedAt, found, taken, refusals = [] }: Bulk): RunBulk => ({
  ...{ id, action: order.to, state, found, taken, refusals },
  at: new Date(at).toISOString(),
  ...(endedAt !== null && { endedAt: new Date(endedAt).toISOString() }),
});
