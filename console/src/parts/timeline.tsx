import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { duration } from "../format.ts";
import type { Outage } from "../model/outage.ts";
import { isLive, type Trace } from "../model/trace.ts";
import { axisOf } from "../timeline/axis.ts";
import { busyIn } from "../timeline/busy.ts";
import type { Row } from "../timeline/rows.ts";
import { AxisHead, AxisMarks } from "./axis-marks.tsx";
import { useConsole } from "./context.ts";
import { TimelineRow } from "./timeline-row.tsx";
import { useFrames } from "./use-frames.ts";

interface Props {
  readonly trace: Trace;
  readonly rows: readonly Row[];
  readonly pinned: Signal<string | undefined>;
  readonly pointed: Signal<string | undefined>;
}

export function Timeline({ trace, rows, pinned, pointed }: Props): JSX.Element {
  const { live, summaryOf } = useConsole();
  const tree = useRef<HTMLDivElement>(null);
  const unended = isLive(trace) || summaryOf(trace).state === "waiting";
  const growing = unended && live.connection.value.is === "live";
  const frame = useFrames(growing, () => live.time());
  const nowMs = growing ? Math.max(frame, trace.lastMs) : (live.world.value.lostMs ?? trace.lastMs);
  const outages = live.world.value.outages.filter(({ atMs }) => hasCut(trace, atMs));
  const endMs = unended ? nowMs : endOf(trace, outages);
  const axis = useMemo(() => axisOf(trace.startMs, endMs, busyIn(trace, endMs)), [trace, endMs]);
  const current = rows.some(({ key }) => key === pinned.value) ? pinned.value : rows[0]?.key;

  const move = (event: KeyboardEvent) => {
    const at = rows.findIndex(({ key }) => key === current);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    const next = to === undefined ? undefined : rows[Math.max(0, Math.min(to, rows.length - 1))];
    if (!next) return;
    event.preventDefault();
    pinned.value = next.key;
    tree.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(next.key)}"]`)?.focus();
  };

  return (
    <div class="timeline">
      <AxisHead axis={axis} outages={outages} />
      <div
        class="tree"
        ref={tree}
        role="tree"
        aria-label="Time line"
        onKeyDown={move}
        onPointerLeave={() => {
          pointed.value = undefined;
        }}
      >
        <AxisMarks axis={axis} outages={outages} />
        {rows.map((row) => (
          <TimelineRow
            key={row.key}
            row={row}
            trace={trace}
            axis={axis}
            nowMs={nowMs}
            pinned={row.key === pinned.value}
            reachable={row.key === current}
            onPoint={() => {
              pointed.value = row.key;
            }}
            onPin={() => {
              pinned.value = row.key;
            }}
          />
        ))}
      </div>
      {trace.dropped > 0 && <p class="empty-line">{trace.dropped} more spans of this trace were not kept.</p>}
      <p class="sr-only">The trace took {duration(axis.endMs - axis.startMs)}.</p>
    </div>
  );
}

/** Where the process died under a trace that has not gone on yet, the time line reaches to where it could have. */
const endOf = (trace: Trace, outages: readonly Outage[]): number =>
  Math.max(trace.lastMs, ...outages.map(({ backMs }) => backMs));

const hasCut = (trace: Trace, atMs: number): boolean =>
  [...trace.spans.values()].some(({ status, endMs }) => status === "cut" && Math.abs((endMs ?? 0) - atMs) < 1);
