import type { ScheduleDesk } from "../gateway/index.ts";
import type { Scheduler, ScheduleStatus } from "../orchestration/host.ts";

/** Orchestration's schedules, as operators reach them over HTTP. */
export function toScheduleDesk(scheduler: Scheduler): ScheduleDesk {
  const rows = async () => (await scheduler.list()).map(toRow);
  const change = async (name: string, work: () => Promise<void>) => {
    if (!(await rows()).some((row) => row.name === name)) return false;
    await work();
    return true;
  };
  return {
    list: rows,
    pause: (name, asked) => change(name, () => scheduler.pause(name, asked)),
    resume: (name) => change(name, () => scheduler.resume(name)),
  };
}

const toRow = ({ next, last, lastRun, otherTimes, pause, waiting, ...about }: ScheduleStatus) => ({
  ...{ ...about, owed: waiting },
  ...(pause && { pause: { ...pause, at: pause.at.toISOString() } }),
  ...(next && { next: next.toISOString() }),
  ...(last && { last: last.toISOString() }),
  ...(lastRun !== undefined && { lastRun }),
  ...(otherTimes !== undefined && { otherTimes }),
});
