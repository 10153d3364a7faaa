import type { JSX } from "preact";
import { duration } from "../format.ts";
import type { Trace } from "../model/trace.ts";
import { type Axis, place } from "../timeline/axis.ts";
import { latestSpan, type Row } from "../timeline/rows.ts";
import { type Segment, segmentsOf } from "../timeline/segments.ts";
import { percent } from "./axis-marks.tsx";
import { kindOf, outcome } from "./row-words.ts";

interface Props {
  readonly row: Row;
  readonly trace: Trace;
  readonly axis: Axis;
  readonly nowMs: number;
  readonly pinned: boolean;
  readonly reachable: boolean;
  readonly onPoint: () => void;
  readonly onPin: () => void;
}

export function TimelineRow({ row, trace, axis, nowMs, pinned, reachable, onPoint, onPin }: Props): JSX.Element {
  const segments = segmentsOf(row, trace, nowMs);
  const first = segments[0];
  const last = segments.at(-1);
  const took = first && last ? last.toMs - first.fromMs : 0;
  const said = outcome(row);
  return (
    <div
      class={`line of-${row.layer} kind-${row.kind} ${row.undo ? "is-undo" : ""} ${latestSpan(row).status === "failed" ? "is-failed" : ""}`}
      role="treeitem"
      aria-label={[kindOf(row), row.label, said?.words, duration(took)].filter(Boolean).join(", ")}
      aria-level={row.depth + 1}
      aria-selected={pinned}
      data-row={row.key}
      tabIndex={reachable ? 0 : -1}
      onPointerEnter={onPoint}
      onFocus={onPin}
    >
      <div class="line-name" style={{ "--depth": row.depth }}>
        <i class="line-mark" aria-hidden="true" />
        <span class="line-kind">{kindOf(row)}</span>
        <span class="line-label">{row.label}</span>
        {said && <span class={`line-said is-${said.tone}`}>{said.words}</span>}
      </div>
      <div class="line-bars axis">
        {segments.map((segment) => (
          <Bar key={segment.key} segment={segment} axis={axis} />
        ))}
        {row.spans
          .flatMap(({ events }) => events)
          .map(({ name, atMs }, i) => (
            <i
              key={`${name}${i}`}
              class={`mark ${/fail/.test(name) ? "mark-failed" : "mark-event"}`}
              style={{ left: percent(place(axis, atMs)) }}
              title={name}
            />
          ))}
        {row.journal.map((append) => (
          <i
            key={append.span}
            class="mark mark-journal"
            style={{ left: percent(place(axis, append.endMs ?? append.startMs)) }}
            title="journal"
          />
        ))}
        {last && (
          <span class="bar-time" style={{ left: percent(place(axis, last.toMs)) }}>
            {duration(took)}
          </span>
        )}
      </div>
    </div>
  );
}

function Bar({ segment, axis }: { readonly segment: Segment; readonly axis: Axis }): JSX.Element {
  const left = place(axis, segment.fromMs);
  return (
    <i
      class={`bar is-${segment.look} ${segment.open ? "is-open" : ""}`}
      style={{ left: percent(left), width: percent(place(axis, segment.toMs) - left) }}
    />
  );
}
