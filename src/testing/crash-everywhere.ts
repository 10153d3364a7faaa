import type { BenchOptions, WorkflowBench } from "./workflow-bench.ts";

export interface CrashOptions extends Pick<BenchOptions, "on"> {
  /**
   * Crashes at every n-th commit only, for a long story on a slow disk; 1 unless told. Each of the four times that the
   * story's commits are gone through begins with another one, so that few of them are left out by all four.
   */
  readonly every?: number;
}

/**
 * Tells a story again and again, each time with a crash before or after another commit, and compares what it gives back
 * with what it gives without a crash. Throws at the first difference, naming the commit. Gives back how many crashes there
 * were. `on` is where all of this is kept, in memory unless told; the benches are closed one by one.
 */
export async function crashEverywhere<T>(
  story: (options: BenchOptions) => Promise<{
    readonly bench: Pick<WorkflowBench, "close" | "crashed">;
    readonly told: T;
  }>,
  same: (told: T, undisturbed: T, where: string) => void,
  { on, every = 1 }: CrashOptions = {},
): Promise<number> {
  if (!Number.isInteger(every) || every < 1)
    throw new TypeError(`A crash at every ${every}-th commit cannot be. Say \`every: 1\`, 2, 3, …`);
  const place = on && { on };
  const first = await story({ ...place });
  await first.bench.close();
  let crashes = 0;
  let times = 0;
  for (const alwaysSuspend of [false, true]) {
    for (const afterWriting of [false, true]) {
      for (let at = 1 + (times++ % every); ; at += every) {
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
