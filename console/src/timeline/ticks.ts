import { type Axis, type Piece, place } from "./axis.ts";

export interface Tick {
  readonly left: number;
  /** Since the beginning of the trace; after a long fold since the end of that fold, for nobody reads "2 min 6.32 s". */
  readonly afterMs: number;
  readonly relative: boolean;
}

/** Round instants at least `apart` (a share of the width) from each other, none of them within a fold or under its label. */
export function ticksOf(axis: Axis, apart: number): Tick[] {
  const plain = axis.pieces.filter(({ folded }) => !folded);
  const folds = axis.pieces.filter(({ folded }) => folded);
  const widths = plain.reduce((sum, { left, right }) => sum + right - left, 0);
  const spanMs = plain.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const stepMs = roundStep((spanMs / Math.max(widths, 0.01)) * apart);
  const covered = (left: number) => folds.some((fold) => Math.abs(left - (fold.left + fold.right) / 2) < apart * 0.75);
  const ticks: Tick[] = [];
  for (const piece of plain) {
    const relative = piece.fromMs - axis.startMs >= 10 * stepMs && piece !== plain[0];
    const zeroMs = relative ? piece.fromMs : axis.startMs;
    for (const afterMs of multiples(piece, zeroMs, stepMs)) {
      const left = place(axis, zeroMs + afterMs);
      const last = ticks.at(-1)?.left ?? Number.NEGATIVE_INFINITY;
      if (left - last >= apart * 0.7 && left <= 1 - apart * 0.4 && !covered(left))
        ticks.push({ left, afterMs, relative });
    }
  }
  return ticks;
}

function multiples({ fromMs, toMs }: Piece, zeroMs: number, stepMs: number): number[] {
  const first = Math.ceil((fromMs - zeroMs) / stepMs);
  const last = Math.floor((toMs - zeroMs) / stepMs);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * stepMs);
}

const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5];
const roundStep = (ms: number): number => steps.find((step) => step >= ms) ?? Math.ceil(ms / 36e5) * 36e5;
