import { type Slice, sliceAt } from "./schedule.ts";
import { type Fault, latencyRange, type Settings } from "./settings.ts";

/** What one request meets. */
export interface Verdict {
  readonly fault: Fault | undefined;
  /** Before the work. */
  readonly latencyMs: number;
  /** After the work, where the fault is `slow`. */
  readonly slowMs: number;
}

export interface Behaviour {
  next(): Verdict;
  change(settings: Partial<Settings>): void;
  settings(): Settings;
  /** Where in the schedule the service is now; `up` unless its mode is `flaky`. */
  slice(): Slice;
}

/**
 * Latency and failures of one service. The same seed and the same sequence of requests meet the same verdicts: every
 * request draws four numbers, whatever the settings say, so a change of settings does not shift those that come later.
 */
export function behaviourOf(
  initial: Settings,
  random: () => number,
  now: () => number = () => performance.now(),
): Behaviour {
  let settings = initial;
  let began = now();

  const slice = (): Slice => (settings.mode === "flaky" ? sliceAt(settings.schedule, now() - began) : "up");

  const switchedOn = (): Fault | undefined => {
    const { mode } = settings;
    if (mode === "up") return undefined;
    if (mode !== "flaky") return mode;
    const current = slice();
    return current === "up" ? undefined : current;
  };

  return {
    slice,
    settings: () => settings,
    change(changes) {
      if (changes.mode === "flaky" || changes.schedule) began = now();
      settings = { ...settings, ...changes };
    },
    next() {
      const [latency, error, kind, slowness] = [random(), random(), random(), random()];
      const [once, ...later] = settings.next;
      settings = { ...settings, next: later };
      const bad = error < settings.errors ? settings.faults[Math.floor(kind * settings.faults.length)] : undefined;
      return {
        fault: once ?? switchedOn() ?? bad,
        latencyMs: spread(settings.latency, latency),
        slowMs: 1_200 * (1 + slowness),
      };
    },
  };
}

/** Most answers come near the lower end and a few near the upper, as on a real network: the median is 1/8 of the way. */
function spread(latency: string, draw: number): number {
  const [low, high] = latencyRange(latency);
  return low + (high - low) * draw ** 3;
}
