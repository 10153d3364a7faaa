import { backend } from "trilith";
import { command, contract } from "trilith/contracts";
import { workflow } from "trilith/orchestration";
import { z } from "zod";
import { closedLoop } from "../frame/closed-loop.ts";
import { expectEqual, type Place, type Subject } from "../frame/subject.ts";
import { quiet } from "../frame/trilith-settings.ts";
import type { OpenEngine } from "../storage/trilith.ts";

const Many = contract("many", "1.0.0", {
  run: command({ input: z.object({ steps: z.int() }), output: z.object({ sum: z.int() }) }),
});

/** Runs of so many steps; an operation is one step. */
export async function manySteps(openEngine: OpenEngine, place: Place): Promise<Subject> {
  const body = workflow(Many.run, { version: 1 }, async ({ steps }, { run }) => {
    let sum = 0;
    for (let step = 0; step < steps; step++) sum = await run.step("one", () => sum + 1);
    return { sum };
  });
  const running = await backend("bench", { orchestration: [body] }).start({
    engine: await openEngine(place),
    environment: quiet,
  });
  const client = running.client(Many);
  return {
    round: (asked) =>
      closedLoop(asked, async () => {
        const { sum } = await client.run({ steps: place.size });
        expectEqual(sum, place.size, "The result of a run");
        return place.size;
      }),
    verify: async () => {}, // each result was looked at
    close: () => running.stop(),
  };
}
