import { expect, it } from "vitest";
import { z } from "zod";
import { type Call, command, contract, type Dispatch, Fault, silent, silentTracing } from "../../contracts/index.ts";
import { memoryJournal } from "../../testing/memory-journal.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { workflow } from "../index.ts";
import { Runner } from "../node/runner.ts";

const Pair = contract("pair", "1.0.0", {
  outer: command({ input: z.object({ n: z.int() }) }),
  inner: command({ input: z.object({ n: z.int() }), output: z.object({ twice: z.int() }) }),
});

it("the undo of a child of which nobody knew is given the child, where voiding finds that it is done", async () => {
  const given: unknown[] = [];
  const inner = workflow(Pair.inner, { version: 1 }, async ({ n }) => ({ twice: 2 * n }));
  const outer = workflow(Pair.outer, { version: 1, uses: [Pair] }, async ({ n }, { run }) => {
    await run.child(Pair.inner, { n }, { attempts: 1 }).undo(async ({ result, outcome }) => {
      given.push({ run: result?.run, outcome, output: await result?.result() });
    });
  });
  const journal = memoryJournal();
  const clock = virtualClock();
  const child = () => runner.providers.find(({ operation }) => operation === "pair.inner");
  let answers = false;
  const dispatch: Dispatch = {
    async call(_, input, call) {
      const reply = await child()?.handle(input, { ...call, detached: false, patienceMs: 1_000 }, input);
      if (!answers) throw new Fault("Unavailable", "The answer was lost.", { outcome: "unknown", retry: "never" });
      const wire = reply && "output" in reply ? reply.output : undefined;
      return { wire, value: wire };
    },
    async void(_, key, call) {
      answers = true;
      return (await child()?.void?.(key, call)) ?? { took: "unknown" };
    },
  };
  const runner: Runner = new Runner([outer, inner], {
    ...{ journal, dispatch, clock, tracing: silentTracing, node: "node-1", random: () => 0.5 },
  });
  const call: Call = {
    principal: { id: "ann", kind: "key", scopes: [] },
    trace: silent,
    aborted: new AbortController().signal,
  };
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  void runner.providers
    .find(({ operation }) => operation === "pair.outer")
    ?.handle({ n: 4 }, call, { n: 4 })
    .then(end, end);
  await clock.until(() => ended);
  const begun = journal.rows().find(({ operation }) => operation === "pair.inner");
  expect(given).toEqual([{ run: begun?.run, outcome: "done", output: { twice: 8 } }]);
});
