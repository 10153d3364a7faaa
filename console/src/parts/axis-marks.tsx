import type { JSX } from "preact";
import { duration, tickLabel } from "../format.ts";
import type { Outage } from "../model/outage.ts";
import { type Axis, type Piece, place } from "../timeline/axis.ts";
import { ticksOf } from "../timeline/ticks.ts";

interface Props {
  readonly axis: Axis;
  readonly outages: readonly Outage[];
}

/** The numbers above the time line. */
export function AxisHead({ axis, outages }: Props): JSX.Element {
  const folds = axis.pieces.filter((piece) => piece.folded && isLabelled(piece, axis, outages));
  return (
    <div class="axis-head" aria-hidden="true">
      <div class="axis">
        {ticksOf(axis, 0.14).map(({ left, afterMs, relative }) => (
          <span key={String(left)} class="tick-label" style={{ left: percent(left) }}>
            {relative && "+"}
            {tickLabel(afterMs)}
          </span>
        ))}
        {folds.map((fold) => (
          <span key={String(fold.fromMs)} class="fold-label" style={{ left: percent((fold.left + fold.right) / 2) }}>
            {duration(fold.toMs - fold.fromMs)}
          </span>
        ))}
      </div>
      {outages.map((outage) => (
        <div key={String(outage.epoch)} class="axis crash-line">
          <span
            class={`crash-label ${place(axis, outage.atMs) > 0.6 ? "is-late" : ""}`}
            style={{ left: percent(place(axis, outage.atMs)) }}
          >
            crashed · restarted after {duration(outage.backMs - outage.atMs)}
          </span>
        </div>
      ))}
    </div>
  );
}

/** A fold over a crash has the crash's own label; of two folds side by side the longer one is told. */
function isLabelled(fold: Piece, axis: Axis, outages: readonly Outage[]): boolean {
  const crashed = outages.some(({ atMs, backMs }) => atMs < fold.toMs && backMs > fold.fromMs);
  const beside = axis.pieces.some(
    (other) => other.folded && Math.abs(other.left - fold.left) < 0.1 && lengthOf(other) > lengthOf(fold),
  );
  return !crashed && !beside;
}
const lengthOf = ({ fromMs, toMs }: Piece) => toMs - fromMs;

/** The lines behind the rows: round instants, folds, and where the process died. */
export function AxisMarks({ axis, outages }: Props): JSX.Element {
  return (
    <div class="axis marks" aria-hidden="true">
      {ticksOf(axis, 0.14).map(({ left }) => (
        <i key={String(left)} class="tick" style={{ left: percent(left) }} />
      ))}
      {axis.pieces
        .filter(({ folded }) => folded)
        .map(({ fromMs, left, right }) => (
          <i key={String(fromMs)} class="fold" style={{ left: percent(left), width: percent(right - left) }} />
        ))}
      {outages.map(({ epoch, atMs, backMs }) => (
        <i
          key={String(epoch)}
          class="outage"
          style={{ left: percent(place(axis, atMs)), width: percent(place(axis, backMs) - place(axis, atMs)) }}
        />
      ))}
    </div>
  );
}

export const percent = (share: number): string => `${(share * 100).toFixed(3)}%`;
