import type { ScheduleDesk } from "../gateway/index.ts";
import type { Scheduler, ScheduleStatus } from "../orchestration/host.ts";

/** Orchestration's schedules, as operators reach them over HTTP. */
export function toScheduleDesk(scheduler: Scheduler): ScheduleDesk {
  const rows = async () => (await scheduler.list()).map(toRow);
  const change = (work: (name: string) => Promise<void>) => async (name: string) => {
    if (!(await rows()).some((row) => row.name === name)) return false;
    await work(name);
    return true;
  };
  return {
    list: rows,
    pause: change((name) => scheduler.pause(name)),
    resume: change((name) => scheduler.resume(name)),
  };
}

const toRow = ({ name, operation, cron, zone, paused, waiting, next, last, lastRun }: ScheduleStatus) => ({
  ...{ name, operation, cron, zone, paused, owed: waiting },
  ...(next && { next: next.toISOString() }),
  ...(last && { last: last.toISOString() }),
  ...(lastRun !== undefined && { lastRun }),
});
