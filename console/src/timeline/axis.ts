/** A time axis in which long stretches without events are folded to a fixed width, so that what happened stays visible. */
export interface Axis {
  readonly startMs: number;
  readonly endMs: number;
  readonly pieces: readonly Piece[];
}
/** From and to in epoch milliseconds, left and right in shares of the width. */
export interface Piece {
  readonly fromMs: number;
  readonly toMs: number;
  readonly left: number;
  readonly right: number;
  readonly folded: boolean;
}
export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

const foldedWidth = 0.07;
const foldFromMs = 250;
/** A gap is folded if it would take more than this share of what is not folded yet. */
const foldShare = 0.4;
const foldsAtMost = 5;

/** `busy` are the stretches in which work was done; only what lies between them is ever folded. */
export function axisOf(startMs: number, endMs: number, busy: readonly Interval[]): Axis {
  const end = Math.max(endMs, startMs + 1);
  const folds = chooseFolds(gaps(startMs, end, busy), end - startMs);
  const cuts = [startMs, ...folds.flatMap(({ fromMs, toMs }) => [fromMs, toMs]), end];
  const plainMs = end - startMs - folds.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const plainWidth = 1 - folds.length * foldedWidth;
  const pieces: Piece[] = [];
  let left = 0;
  for (const [i, fromMs] of cuts.entries()) {
    const toMs = cuts[i + 1];
    if (toMs === undefined || toMs <= fromMs) continue;
    const folded = i % 2 === 1;
    const right = left + (folded ? foldedWidth : ((toMs - fromMs) / plainMs) * plainWidth);
    pieces.push({ fromMs, toMs, left, right, folded });
    left = right;
  }
  return { startMs, endMs: end, pieces };
}

/** Where an instant is, in shares of the width. */
export function place(axis: Axis, ms: number): number {
  if (ms <= axis.startMs) return 0;
  const piece = axis.pieces.find(({ toMs }) => ms <= toMs);
  if (!piece) return 1;
  return piece.left + ((ms - piece.fromMs) / (piece.toMs - piece.fromMs)) * (piece.right - piece.left);
}

function gaps(startMs: number, endMs: number, busy: readonly Interval[]): Interval[] {
  const found: Interval[] = [];
  let until = startMs;
  for (const { fromMs, toMs } of [...busy].sort((a, b) => a.fromMs - b.fromMs)) {
    if (fromMs > until) found.push({ fromMs: until, toMs: Math.min(fromMs, endMs) });
    until = Math.max(until, toMs);
  }
  if (until < endMs) found.push({ fromMs: until, toMs: endMs });
  return found;
}

function chooseFolds(candidates: readonly Interval[], totalMs: number): Interval[] {
  const chosen: Interval[] = [];
  let leftMs = totalMs;
  for (const gap of [...candidates].sort((a, b) => length(b) - length(a))) {
    const worth = length(gap) >= foldFromMs && length(gap) > foldShare * leftMs && length(gap) < leftMs;
    if (!worth || chosen.length === foldsAtMost) break;
    chosen.push(gap);
    leftMs -= length(gap);
  }
  return chosen.sort((a, b) => a.fromMs - b.fromMs);
}
const length = ({ fromMs, toMs }: Interval) => toMs - fromMs;
