/** From (included) and to (excluded), in milliseconds since the period began. */
export type Span = readonly [fromMs: number, toMs: number];

/** When a service in mode `flaky` misbehaves. */
export interface Schedule {
  readonly periodMs: number;
  readonly garbage: Span;
  readonly unavailable: Span;
}

export type Slice = "up" | "garbage" | "unavailable";

/** Of every 24 s: 14 s well, 2 s of garbage, 2 s well, 6 s of 503. A fresh service begins well. */
export const everyTwentyFourSeconds: Schedule = {
  periodMs: 24_000,
  garbage: [14_000, 16_000],
  unavailable: [18_000, 24_000],
};

export function sliceAt({ periodMs, garbage, unavailable }: Schedule, elapsedMs: number): Slice {
  const phaseMs = elapsedMs % periodMs;
  if (inside(garbage, phaseMs)) return "garbage";
  if (inside(unavailable, phaseMs)) return "unavailable";
  return "up";
}

function inside([fromMs, toMs]: Span, phaseMs: number): boolean {
  return phaseMs >= fromMs && phaseMs < toMs;
}
