import { toProblem } from "../contracts/index.ts";
import type { RunStatus, Runs } from "../gateway/index.ts";
import type { Runner } from "../orchestration/host.ts";

/** Orchestration's runs, as the gateway shows them. */
export function toRuns(runner: Runner): Runs {
  return {
    async status(run) {
      const found = await runner.status(run);
      if (!found) return undefined;
      const { row, output, error, progress } = found;
      const { operation, state, startedAt, endedAt, startedBy, reason, startsAt } = row;
      return {
        run,
        operation,
        state,
        startedAt: new Date(startedAt).toISOString(),
        startedBy,
        ...(startsAt !== undefined && { startsAt: new Date(startsAt).toISOString() }),
        ...(endedAt !== null && { endedAt: new Date(endedAt).toISOString() }),
        ...(output !== undefined && { output }),
        ...(progress !== undefined && { progress }),
        ...(error && { problem: toProblem(error) }),
        ...(reason !== null && (state === "paused" || state === "undoing") && { reason }),
      } satisfies RunStatus;
    },
    follow: (run, aborted) => runner.follow(run, aborted),
    signal: (run, name, payload, { principal, key }) =>
      runner.signal(run, name, payload, { id: principal.id, ...(key !== undefined && { key }) }),
  };
}
