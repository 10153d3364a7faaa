import type { BenchOptions, WorkflowBench } from "./workflow-bench.ts";

/**
 * Tells a story again and again, each time with a crash before or after another commit, and compares what it gives back
 * with what it gives without a crash. Throws at the first difference, naming the commit. Gives back how many crashes there
 * were. `on` is where all of this is kept, in memory unless told; the benches are closed one by one.
 */
export async function crashEverywhere<T>(
  story: (options: BenchOptions) => Promise<{ readonly bench: WorkflowBench; readonly told: T }>,
  same: (told: T, undisturbed: T, where: string) => void,
  { on }: Pick<BenchOptions, "on"> = {},
): Promise<number> {
  const place = on && { on };
  const first = await story({ ...place });
  await first.bench.close();
  let crashes = 0;
  for (const alwaysSuspend of [false, true]) {
    for (const afterWriting of [false, true]) {
      for (let at = 1; ; at++) {
        const { bench, told } = await story({ ...place, alwaysSuspend, crash: { at, afterWriting } });
        await bench.close();
        same(
          told,
          first.told,
          `a crash ${afterWriting ? "after" : "before"} commit ${at}${alwaysSuspend ? ", always suspending" : ""}${on ? `, on ${on.name}` : ""}`,
        );
        if (!bench.crashed) break;
        crashes++;
      }
    }
  }
  return crashes;
}
