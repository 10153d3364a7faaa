import { type Backend, backend } from "trilith";
import { command, contract } from "trilith/contracts";
import { workflow } from "trilith/orchestration";
import { z } from "zod";
import type { Notes, Open, Place, Subject } from "../frame/subject.ts";
import { quiet } from "../frame/trilith-settings.ts";
import type { Engine, OpenEngine } from "../storage/trilith.ts";
import { add, steps } from "./five-steps.ts";
import { runs } from "./runs.ts";
import { replays } from "./trilith-replay.ts";
import { sleepers } from "./trilith-sleepers.ts";
import { manySteps } from "./trilith-steps.ts";

type Count = (place: Place) => Promise<(runs: number) => Promise<Notes>>;

/** The works of orchestration, on whichever engine. `count` is what the engine's own server can tell of a run's cost. */
export function toWorks(openEngine: OpenEngine, count?: Count) {
  return {
    "five-steps": (place) => fiveSteps(place, openEngine, count),
    replay: (place) => replays(openEngine, place),
    "sleeping-runs": (place) => sleepers(openEngine, place),
    steps: (place) => manySteps(openEngine, place),
  } satisfies { readonly [work: string]: Open };
}

const Five = contract("five", "1.0.0", {
  run: command({ input: z.object({ n: z.number() }), output: z.object({ n: z.number() }) }),
});
const fiveStepsOf = workflow(Five.run, { version: 1 }, async ({ n }, { run }) => {
  let sum = n;
  for (const step of steps) sum = await run.step(`step-${step}`, () => add(sum, step));
  return { n: sum };
});
const fiveBackend: Backend = backend("bench", { orchestration: [fiveStepsOf] });

async function fiveSteps(place: Place, openEngine: OpenEngine, count?: Count): Promise<Subject> {
  const engine = await openEngine(place);
  const running = await fiveBackend.start({ engine, environment: quiet });
  const client = running.client(Five);
  return runs({
    run: async (n) => (await client.run({ n })).n,
    done: () => endedRuns(engine),
    close: () => running.stop(),
    ...(count && { count: () => count(place) }),
  });
}

/** As a beginning and an end are kept: alone, or in a list with others, of which most are no objects. */
interface Entry {
  readonly type: string;
  readonly input: { readonly n: number };
  readonly output: { readonly n: number };
}

/** Inputs and outputs of the runs that the journal has to their end. */
async function endedRuns(engine: Engine): Promise<ReadonlyMap<number, unknown>> {
  const inputs = new Map<string, number>();
  const ended = new Map<number, unknown>();
  for (let after = 0; ; ) {
    const page = await engine.read("runs", { after, limit: 1_000 });
    for (const { stream, data } of page) {
      for (const entry of [JSON.parse(data) as Entry | readonly Entry[]].flat()) {
        if (entry.type === "Started") inputs.set(stream, entry.input.n);
        else if (entry.type === "Ended") ended.set(inputs.get(stream) ?? -1, entry.output.n);
      }
    }
    if (page.length === 0) return ended;
    after = page.at(-1)?.position ?? after;
  }
}
