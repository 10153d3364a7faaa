import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { z } from "zod";
import { command, contract, silent } from "../../src/contracts/index.ts";
import { workflow } from "../../src/orchestration/index.ts";
import { skippingClock } from "../skipping-clock.ts";
import { onSqlite, startNode } from "./world.ts";

const Naps = contract("naps", "1.0.0", { take: command({ input: z.object({ id: z.number() }) }) });
const runs = 8_000;
const before = 2_000;
const atOnce = 256;
/** Generous: a run that is kept in memory takes several kilobytes. */
const bytesOfRun = 500;

setFlagsFromString("--expose-gc");
const gc: () => void = runInNewContext("gc");
const heap = async (): Promise<number> => {
  for (let n = 0; n < 3; n++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return process.memoryUsage().heapUsed;
};

it("runs that sleep cost disk and no memory, and all of them wake", { timeout: 300_000 }, async () => {
  await using world = await onSqlite();
  const clock = skippingClock(1);
  let woken = 0;
  const nap = workflow(Naps.take, { version: 1 }, async (_, { run }) => {
    await run.sleep("1 day");
    await run.step("wake", () => void woken++);
  });
  const node = await startNode({ ...world, clock }, { workflows: [nap], contracts: [Naps], mostActive: 300 });
  const provider = node.runner.providers[0];
  const call = {
    ...{ principal: { id: "ann", kind: "key" as const, scopes: [] }, trace: silent, patienceMs: 0 },
    aborted: new AbortController().signal,
  };
  const begin = async (from: number, to: number): Promise<void> => {
    for (let id = from; id < to; id += atOnce) {
      const ids = Array.from({ length: Math.min(atOnce, to - id) }, (_, n) => ({ id: id + n }));
      await Promise.all(ids.map((input) => provider?.handle(input, call, input)));
    }
    await world.until(() => node.runner.active === 0, 200_000);
  };
  await begin(0, before);
  const first = await heap();
  const began = performance.now();
  await begin(before, runs);
  const createdMs = performance.now() - began;
  const second = await heap();
  expect(second - first).toBeLessThan((runs - before) * bytesOfRun);

  clock.skip(86_400_000);
  const skipped = performance.now();
  let most = 0;
  await world.until(() => {
    most = Math.max(most, node.runner.active);
    return woken === runs && node.runner.active === 0;
  }, 200_000);
  expect(most).toBeLessThanOrEqual(300);
  const heaps = [first, second, await heap()].map((bytes) => Math.round(bytes / 2 ** 20));
  console.info(
    `${runs - before} runs put to sleep in ${Math.round(createdMs)} ms, ${runs} woken in ${Math.round(performance.now() - skipped)} ms; heap ${heaps.join(", ")} MiB`,
  );
  expect(await node.engine.find("run", { where: { state: { not: "done" } }, limit: 10 })).toEqual([]);
  await node.runner.drain(0);
});
