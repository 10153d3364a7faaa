import { join } from "node:path";
import { slowFlushes } from "../frame/bare-postgres.ts";
import type { Asked, Measured, Open, Place, Subject } from "../frame/subject.ts";
import { startSystem } from "../frame/system-process.ts";

export { version } from "../storage/trilith-sqlite.ts";

/** Two processes of the same backend on one database; each begins and does the runs of half of the clients. */
const two: Open = async (place) => {
  const file = join(import.meta.dirname, "trilith-postgres.ts");
  const start = (number: number) =>
    startSystem({ name: `trilith-postgres, process ${number}`, file, work: "five-steps", place });
  const processes = await Promise.all([start(1), start(2)]);
  return {
    elsewhere: true,
    pids: processes.map(({ pid }) => pid),
    async round(asked) {
      const each: Asked = { ...asked, clients: Math.ceil(asked.clients / processes.length) };
      const rounds = await Promise.all(processes.map((one) => one.round(each)));
      return toOne(rounds.flatMap(({ measured }) => measured));
    },
    verify: async () => void (await Promise.all(processes.map((one) => one.verify()))),
    close: async () => void (await Promise.all(processes.map((one) => one.close()))),
  } satisfies Subject;
};

export const works: { readonly [work: string]: Open } = {
  "five-steps": two,
  "five-steps-slow-flush": async (place: Place) => {
    await slowFlushes(place);
    return two(place);
  },
};

/** Of the percentiles it gives those of the slower process: there is none of both without every single time. */
function toOne(all: readonly Measured[]): Measured {
  const [first] = all;
  if (!first) throw new Error("Nobody has measured anything.");
  const { firstError } = all.find((one) => one.firstError !== undefined) ?? {};
  const most = (of: (one: Measured) => number): number => Math.max(...all.map(of));
  return {
    operations: all.reduce((sum, { operations }) => sum + operations, 0),
    seconds: most(({ seconds }) => seconds),
    p50Ms: most(({ p50Ms }) => p50Ms),
    p90Ms: most(({ p90Ms }) => p90Ms),
    p99Ms: most(({ p99Ms }) => p99Ms),
    errors: all.reduce((sum, { errors }) => sum + errors, 0),
    ...(firstError !== undefined && { firstError }),
  };
}
