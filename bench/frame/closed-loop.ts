import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { type Asked, type Measured, Wrong } from "./subject.ts";

/**
 * Clients that each ask, wait for the answer, and ask again. `once` does one thing for a client and says how many
 * operations that was; a rejection counts as an error, and a `Wrong` ends everything.
 */
export async function closedLoop(
  { clients, forMs, times }: Asked,
  once: (client: number) => Promise<number>,
): Promise<Measured> {
  const latencies = createHistogram();
  let operations = 0;
  let errors = 0;
  let firstError: string | undefined;
  let wrong: Wrong | undefined;
  const began = performance.now();
  const until = began + forMs;
  const act = async (client: number): Promise<void> => {
    let now = performance.now();
    for (let time = 1; time === 1 || (times === undefined ? now < until : time <= times); time++) {
      const asked = now;
      try {
        const done = await once(client); // in a line of its own: others add to the sum meanwhile
        operations += done;
      } catch (error) {
        if (error instanceof Wrong) {
          wrong = error;
          return;
        }
        errors++;
        firstError ??= error instanceof Error ? error.message : String(error);
        await new Promise(setImmediate); // one that fails at once would let nobody else have a turn
      }
      now = performance.now();
      latencies.record(Math.max(1, Math.round((now - asked) * 1e6)));
      if (wrong) return;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => act(client)));
  if (wrong) throw wrong;
  const seconds = (performance.now() - began) / 1_000;
  return { operations, seconds, errors, ...(firstError !== undefined && { firstError }), ...percentiles(latencies) };
}

/** Work of a given size, done once: every operation of it took its share of the time. */
export async function timed(operations: number, work: () => Promise<void>): Promise<Measured> {
  const began = performance.now();
  await work();
  const ms = performance.now() - began;
  return { operations, seconds: ms / 1_000, p50Ms: ms, p90Ms: ms, p99Ms: ms, errors: 0 };
}

/** In milliseconds, of a histogram in nanoseconds. */
export function percentiles(histogram: Pick<RecordableHistogram, "percentile">): {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
} {
  const at = (percent: number): number => histogram.percentile(percent) / 1e6;
  return { p50Ms: at(50), p90Ms: at(90), p99Ms: at(99) };
}
