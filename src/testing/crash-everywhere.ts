import type { BenchOptions, WorkflowBench } from "./workflow-bench.ts";

/**
 * Tells a story again and again, each time with a crash before or after another commit, and compares what it gives back
 * with what it gives without a crash. Throws at the first difference, naming the commit. Gives back how many crashes there were.
 */
export async function crashEverywhere<T>(
  story: (options: BenchOptions) => Promise<{ readonly bench: WorkflowBench; readonly told: T }>,
  same: (told: T, undisturbed: T, where: string) => void,
): Promise<number> {
  const { told: undisturbed } = await story({});
  let crashes = 0;
  for (const alwaysSuspend of [false, true]) {
    for (const afterWriting of [false, true]) {
      for (let at = 1; ; at++) {
        const { bench, told } = await story({ alwaysSuspend, crash: { at, afterWriting } });
        same(
          told,
          undisturbed,
          `a crash ${afterWriting ? "after" : "before"} commit ${at}${alwaysSuspend ? ", always suspending" : ""}`,
        );
        if (!bench.crashed) break;
        crashes++;
      }
    }
  }
  return crashes;
}
