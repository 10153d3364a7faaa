import { everyTwentyFourSeconds, type Schedule, type Span } from "./schedule.ts";

export const modes = ["up", "down", "slow", "garbage", "flaky"] as const;
/** `flaky` follows the schedule; `up` fails only at the error rate; each other mode is that fault, on every request. */
export type Mode = (typeof modes)[number];

export const faults = ["down", "unavailable", "garbage", "slow", "unavailable-after-work", "reset-after-work"] as const;
/**
 * - `down`: the connection is destroyed, nothing was done
 * - `unavailable`: 503, nothing was done
 * - `garbage`: 200 with an HTML error page, nothing was done
 * - `slow`: the work is done at once, its answer comes 1.2 to 2.4 s later
 * - `unavailable-after-work`: 503, although the work was done
 * - `reset-after-work`: the work was done, the connection is destroyed instead of an answer
 */
export type Fault = (typeof faults)[number];

/** How a service behaves. The same object is a service's default, its `--settings` and the body of `POST /control`. */
export interface Settings {
  readonly mode: Mode;
  /** The share of requests that meet one of `faults`, 0 to 1. */
  readonly errors: number;
  readonly faults: readonly Fault[];
  /** Faults for exactly the next requests, one each, before anything else applies. */
  readonly next: readonly Fault[];
  /** In milliseconds, like `5..30`. */
  readonly latency: string;
  readonly schedule: Schedule;
}

export const wellBehaved: Settings = {
  mode: "up",
  errors: 0,
  faults: ["unavailable"],
  next: [],
  latency: "0..0",
  schedule: everyTwentyFourSeconds,
};

/** Throws a sentence when something is not a setting, so that a misspelt one is not silently nothing. */
export function readSettings(input: unknown): Partial<Settings> {
  if (typeof input !== "object" || input === null || Array.isArray(input))
    throw new Error("Settings are a JSON object.");
  for (const [name, value] of Object.entries(input)) {
    const rule = Object.hasOwn(rules, name) ? rules[name as keyof Settings] : undefined;
    if (!rule) throw new Error(`"${name}" is not a setting. There are: ${Object.keys(rules).join(", ")}.`);
    if (!rule.test(value)) throw new Error(`"${name}" must be ${rule.words}, and not ${JSON.stringify(value)}.`);
  }
  return input;
}

/** `5..30` as [5, 30]. */
export function latencyRange(latency: string): Span {
  const [low = 0, high = low] = latency.split("..").map(Number);
  return [low, high];
}

interface Rule {
  readonly words: string;
  readonly test: (value: unknown) => boolean;
}

const isFaults = (value: unknown): boolean => Array.isArray(value) && value.every((fault) => faults.includes(fault));
const isSpan = (value: unknown): boolean => Array.isArray(value) && value.length === 2 && value.every(Number.isFinite);

const rules: Record<keyof Settings, Rule> = {
  mode: { words: `one of ${modes.join(", ")}`, test: (value) => modes.includes(value as Mode) },
  errors: { words: "a number from 0 to 1", test: (value) => typeof value === "number" && value >= 0 && value <= 1 },
  faults: { words: `a list of ${faults.join(", ")}`, test: isFaults },
  next: { words: `a list of ${faults.join(", ")}`, test: isFaults },
  latency: { words: "a range of milliseconds like 5..30", test: (value) => /^\d+\.\.\d+$/.test(String(value)) },
  schedule: {
    words: 'like {"periodMs":24000,"garbage":[14000,16000],"unavailable":[18000,24000]}',
    test: (value) => {
      const schedule = value as Partial<Schedule> | null;
      return Number(schedule?.periodMs) > 0 && isSpan(schedule?.garbage) && isSpan(schedule?.unavailable);
    },
  },
};
