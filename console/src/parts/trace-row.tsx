import type { JSX } from "preact";
import { ago, duration } from "../format.ts";
import type { Summary } from "../model/summary.ts";
import { StateIcon, stateWords } from "./icons.tsx";
import { LayerBar } from "./layer-bar.tsx";

interface Props {
  readonly summary: Summary;
  readonly chosen: boolean;
  /** The one row that the tab key stops at; the arrow keys go on from there. */
  readonly reachable: boolean;
  readonly nowMs: number;
  readonly onChoose: () => void;
}

export function TraceRow({ summary, chosen, reachable, nowMs, onChoose }: Props): JSX.Element {
  const { id, title, subtitle, state, httpStatus, shares, startMs, endMs } = summary;
  return (
    <li class={`row is-${state}`}>
      <button type="button" data-trace={id} aria-current={chosen} tabIndex={reachable ? 0 : -1} onClick={onChoose}>
        <StateIcon state={state} />
        <span class="row-title">{title}</span>
        <span class="row-time">{duration((endMs ?? nowMs) - startMs)}</span>
        <span class="row-more">
          <span class={`badge is-${state}`}>{badge(summary)}</span>
          {httpStatus && <span class="row-status">{httpStatus}</span>}
          {subtitle && <span class="row-sub">{subtitle}</span>}
        </span>
        <span class="row-end">
          <LayerBar shares={shares} />
          <span class="row-ago">{ago(nowMs - startMs)}</span>
        </span>
      </button>
    </li>
  );
}

/** The state, and the one thing that a person would ask next. */
export function badge({ state, waitsFor, code, poorSources, resumed }: Summary): string {
  if (state === "waiting" && waitsFor) return `Waiting · ${waitsFor}`;
  if ((state === "failed" || state === "undone" || state === "declined") && code)
    return `${stateWords[state]} · ${code}`;
  if (state === "done" && resumed) return "Done · resumed";
  if (state === "done" && poorSources.length > 0)
    return poorSources.length === 1
      ? `Done · without ${poorSources[0]}`
      : `Done · without ${poorSources.length} sources`;
  return stateWords[state];
}
