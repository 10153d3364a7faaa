import { join } from "node:path";
import { backend } from "trilith";
import { command, contract } from "trilith/contracts";
import { workflow } from "trilith/orchestration";
import { z } from "zod";
import { timed } from "../frame/closed-loop.ts";
import { startLoad } from "../frame/load.ts";
import { expectEqual, type Measured, type Place, type Subject } from "../frame/subject.ts";
import { quiet } from "../frame/trilith-settings.ts";
import type { OpenEngine } from "../storage/trilith.ts";
import { dayMs, shiftedClock } from "./shifted-clock.ts";

const Nap = contract("nap", "1.0.0", {
  run: command({
    input: z.object({ n: z.int() }),
    output: z.object({ n: z.int() }),
    http: "POST /naps",
    access: "public",
  }),
});
/** Of which each work's size is a multiple. */
const connections = 50;
const whats: { readonly [work: string]: string } = {
  "sleeping-start": "one run that sleeps, started over HTTP",
  "sleeping-restart": "one start of a process to which all of them belong",
  "sleeping-wake": "one run, woken in the same moment as all the others and done",
};

/** Runs that sleep for a day: made, left alone while the process starts again, and woken, all of them in the same moment. */
export async function sleepers(openEngine: OpenEngine, place: Place): Promise<Subject> {
  let days = 0;
  let engine = await openEngine(place);
  return {
    async round() {
      let woken = 0;
      const nap = backend("bench", {
        orchestration: [
          workflow(Nap.run, { version: 1 }, async ({ n }, { run }) => {
            await run.sleep("1 day");
            woken++;
            return { n };
          }),
        ],
      });
      const measured: Measured[] = [];
      const add = async (work: string, operations: number, act: () => Promise<void>): Promise<void> => {
        const done = await timed(operations, act);
        const megabytes = process.memoryUsage.rss() / 2 ** 20;
        measured.push({ ...done, work, what: whats[work] ?? "", notes: { "MB of memory after it": megabytes } });
      };
      const { size } = place;
      const before = (await engine.head("runs")).position;

      const first = await nap.start({ engine, environment: quiet, clock: shiftedClock(days * dayMs) });
      await add("sleeping-start", size, () => startAll(first.url, size));
      await first.stop();
      engine = await openEngine(place);
      let second = await nap.start({ engine, environment: quiet, clock: shiftedClock(days * dayMs) });
      await second.stop();
      engine = await openEngine(place);
      await add("sleeping-restart", 1, async () => {
        second = await nap.start({ engine, environment: quiet, clock: shiftedClock(days * dayMs) });
      });
      await second.stop();
      expectEqual(woken, 0, "The number of runs that woke before their time");

      days += 2;
      engine = await openEngine(place);
      const third = await nap.start({ engine, environment: quiet, clock: shiftedClock(days * dayMs) });
      await add("sleeping-wake", size, async () => {
        while (woken < size) await new Promise((resolve) => setTimeout(resolve, 2));
      });
      await third.stop();
      engine = await openEngine(place);
      let ended = 0;
      for (let after = before; ; ) {
        const page = await engine.read("runs", { after, limit: 1_000, types: ["Ended"] });
        if (page.length === 0) break;
        ended += page.filter(({ data }) => [JSON.parse(data)].flat().at(-1).state === "done").length;
        after = page.at(-1)?.position ?? after;
      }
      expectEqual(ended, size, "The number of runs that are kept as done");
      return measured;
    },
    verify: async () => {}, // each round looks at its own runs
    close: () => engine.close(),
  };
}

/** Over HTTP, for callers that do not wait for the end, in a process of their own. */
async function startAll(url: string, size: number): Promise<void> {
  const load = startLoad(url, join(import.meta.dirname, "nap-requests.ts"));
  const { operations, firstError } = await load.round({ clients: connections, forMs: 0, times: size / connections });
  load.close();
  if (firstError !== undefined) throw new Error(`A run was not started: ${firstError}`);
  expectEqual(operations, size, "The number of runs that were started");
}
