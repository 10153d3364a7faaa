import { describe, expect, it } from "vitest";
import { z } from "zod";
import { command, contract } from "../../contracts/index.ts";
import { virtualClock } from "../../testing/index.ts";
import type { Line, Standing } from "../journal/line.ts";
import { workflow } from "../language/workflow.ts";
import { Admitters } from "./admitter.ts";

const Jobs = contract("jobs", "1.0.0", { do: command({ input: z.object({}) }) });
const limited = workflow(Jobs.do, { version: 1, concurrency: 1 }, async () => {});

/** How often a line is looked at within a second. */
async function looksAt(line: Pick<Line, "admit"> & { readonly turn: Standing["turns"][number] }): Promise<number> {
  const clock = virtualClock();
  const failures: unknown[] = [];
  let looks = 0;
  const admitters = new Admitters([limited], {
    line: {
      async look() {
        looks++;
        const still = { revision: 0, virtual: 0, opensAt: undefined, lanes: new Map(), meters: new Map() };
        return { ...still, now: clock.now(), turns: [line.turn] };
      },
      admit: (...given) => line.admit(...given),
    },
    ...{ clock, alone: true, admitted: () => {} },
    mayAdmit: () => looks < 200, // so that a loop without an end fails instead of hanging
    failed: (error) => failures.push(error),
  });
  admitters.start();
  await clock.advance(1_000);
  await admitters.stop();
  expect(failures).toEqual([]);
  return looks;
}

describe("whoever lets runs in", () => {
  const turn = { key: "", priority: 0, start: 0, waiting: 1, heads: [] };

  it("does not look without a pause at a line that counts a run which is not there", async () => {
    const looks = await looksAt({ turn, admit: async () => true });
    expect(looks).toBeGreaterThan(2);
    expect(looks).toBeLessThan(30);
  });

  it("does not try without a pause where others are always faster", async () => {
    const looks = await looksAt({ turn: { ...turn, heads: [{ run: "r", lane: "" }] }, admit: async () => false });
    expect(looks).toBeGreaterThan(2);
    expect(looks).toBeLessThan(30);
  });
});
