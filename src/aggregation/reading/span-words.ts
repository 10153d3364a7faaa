import type { Attributes } from "../../contracts/index.ts";
import type { SourceState } from "../meta.ts";
import type { Reading } from "./reading.ts";

/** From the best to the worst that can be said of a question. */
export const badness: readonly SourceState[] = ["fresh", "stale", "missing", "invalid", "shed", "slow", "down"];

/** What a span says of the questions that one source was asked: how they did or, of several, the worst and how many did how. */
export function describeReadings(source: string, readings: readonly Reading[]): Attributes {
  const [first] = readings;
  if (first && readings.length === 1) {
    const { state, attempts, cached = false } = first.meta;
    return {
      "trilith.source": source,
      "trilith.state": state,
      "trilith.attempts": attempts,
      "trilith.cached": cached,
    };
  }
  const counts = new Map<SourceState, number>();
  let attempts = 0;
  let cached = 0;
  for (const { meta } of readings) {
    counts.set(meta.state, (counts.get(meta.state) ?? 0) + 1);
    attempts += meta.attempts;
    if (meta.cached) cached += 1;
  }
  const states = badness.filter((state) => counts.has(state));
  return {
    "trilith.source": source,
    "trilith.state": states.at(-1) ?? "missing",
    "trilith.attempts": attempts,
    "trilith.cached": cached === readings.length,
    "trilith.questions": readings.length,
    "trilith.states": states.map((state) => `${counts.get(state)} ${state}`).join(", "),
  };
}
