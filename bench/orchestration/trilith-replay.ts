import { type Backend, backend, type Running } from "trilith";
import { command, contract } from "trilith/contracts";
import { workflow } from "trilith/orchestration";
import { z } from "zod";
import { timed } from "../frame/closed-loop.ts";
import { expectEqual, type Place, type Subject, Wrong } from "../frame/subject.ts";
import { quiet } from "../frame/trilith-settings.ts";
import type { Engine, OpenEngine } from "../storage/trilith.ts";
import { dayMs, shiftedClock } from "./shifted-clock.ts";

const runsInAll = 50;
const Long = contract("long", "1.0.0", {
  run: command({
    input: z.object({ steps: z.int() }),
    output: z.object({ sum: z.int() }),
    http: "POST /long",
    access: "public",
  }),
});

/** Runs that have a long journal and sleep; then a day later, when all of them are acted out again from what is written. */
export async function replays(openEngine: OpenEngine, place: Place): Promise<Subject> {
  const steps = Math.max(1, Math.round(place.size / runsInAll / 2));
  let engine = await openEngine(place);
  let days = 0;
  return {
    async round() {
      const acted = { steps: 0, done: 0, wrong: 0, slept: 0 };
      const long = toBackend(acted, steps);
      const before = (await engine.head("runs")).position;
      const first = await long.start({ engine, environment: quiet, clock: shiftedClock(days * dayMs) });
      await Promise.all(Array.from({ length: runsInAll }, () => start(first, steps)));
      await until(() => acted.slept === runsInAll);
      await first.stop(); // what sleeps is let go of
      expectEqual(acted.steps, runsInAll * steps, "The number of steps that ran at first");
      engine = await openEngine(place);
      const entries = await entriesSince(engine, before);
      const clock = shiftedClock(++days * dayMs + dayMs / 2);
      let second: Running | undefined;
      const measured = await timed(entries, async () => {
        second = await long.start({ engine, environment: quiet, clock });
        await until(() => acted.done === runsInAll);
      });
      await second?.stop();
      engine = await openEngine(place);
      expectEqual(acted.steps, runsInAll * steps, "The number of steps that ran, the replay included");
      if (acted.wrong > 0) throw new Wrong(`${acted.wrong} runs came to another sum in replay.`);
      await endsOf(engine, before);
      days++;
      return { ...measured, notes: { "entries a run": Math.round(entries / runsInAll) } };
    },
    verify: async () => {}, // each round looks at its own runs
    close: () => engine.close(),
  };
}

function toBackend(acted: { steps: number; done: number; wrong: number; slept: number }, expected: number): Backend {
  const body = workflow(Long.run, { version: 1 }, async ({ steps }, { run }) => {
    let sum = 0;
    for (let step = 0; step < steps; step++)
      sum += await run.step("one", () => {
        acted.steps++;
        return 1;
      });
    acted.slept++;
    await run.sleep("1 day");
    acted.done++;
    if (sum !== expected) acted.wrong++;
    return { sum };
  });
  return backend("bench", { orchestration: [body] });
}

/** Over HTTP, for a caller that does not wait for the end. */
async function start({ url }: Running, steps: number): Promise<void> {
  const headers = { "content-type": "application/json", prefer: "wait=0" };
  const response = await fetch(`${url}/long`, { method: "POST", headers, body: JSON.stringify({ steps }) });
  if (response.status !== 202) throw new Error(`The run was not started: ${response.status} ${await response.text()}`);
  await response.text();
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** How many entries runs have that began since a position: as many as their revisions tell. */
async function entriesSince(engine: Engine, position: number): Promise<number> {
  const last = new Map<string, number>();
  for (let after = position; ; ) {
    const page = await engine.read("runs", { after, limit: 1_000 });
    for (const { stream, revision } of page) if (stream.startsWith("run/")) last.set(stream, revision);
    if (page.length === 0) return [...last.values()].reduce((sum, revision) => sum + revision + 1, 0);
    after = page.at(-1)?.position ?? after;
  }
}

/** That every run since a position has come to its end. */
async function endsOf(engine: Engine, after: number): Promise<void> {
  const ends = await engine.read("runs", { after, limit: 1_000, types: ["Ended"] });
  const done = ends.filter(({ data }) => [JSON.parse(data)].flat().at(-1).state === "done");
  expectEqual(done.length, runsInAll, "The number of runs that are kept as done");
}
