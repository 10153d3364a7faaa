import type { JSX } from "preact";
import type { TraceState } from "../model/state.ts";

export function Logo(): JSX.Element {
  return (
    <svg class="logo" viewBox="0 0 24 22" aria-hidden="true">
      <rect class="fill-orchestration" x="1" y="2" width="22" height="6" rx="1.6" />
      <rect class="fill-aggregation" x="3.6" y="9.6" width="6" height="11" rx="1.6" />
      <rect class="fill-storage" x="14.4" y="9.6" width="6" height="11" rx="1.6" />
    </svg>
  );
}

const shapes: Readonly<Record<TraceState, string>> = {
  done: "M3.5 8.5 6.5 11.5 12.5 5",
  failed: "M4.5 4.5 11.5 11.5 M11.5 4.5 4.5 11.5",
  undone: "M5.5 3 3 5.5 5.5 8 M3 5.5 H9.5 A3.5 3.5 0 0 1 9.5 12.5 H6",
  waiting: "M8 4.5 V8 L10.5 9.5 M14 8 A6 6 0 1 1 2 8 A6 6 0 0 1 14 8",
  paused: "M6 4.5 V11.5 M10 4.5 V11.5",
  declined: "M4 8 H12",
  interrupted: "M9 2 4.5 9 H8 L7 14 11.5 7 H8 Z",
  running: "",
};

export function StateIcon({ state }: { readonly state: TraceState }): JSX.Element {
  return (
    <svg class={`state-icon is-${state}`} viewBox="0 0 16 16" aria-hidden="true">
      {state === "running" ? <circle class="running-dot" cx="8" cy="8" r="3.5" /> : <path d={shapes[state]} />}
    </svg>
  );
}

export const stateWords: Readonly<Record<TraceState, string>> = {
  running: "Running",
  waiting: "Waiting",
  paused: "Paused",
  done: "Done",
  undone: "Undone",
  failed: "Failed",
  declined: "Declined",
  interrupted: "Interrupted",
};

const drawn = {
  close: "M4 4 12 12 M12 4 4 12",
  pause: "M5.5 4 V12 M10.5 4 V12",
  play: "M5.5 3.5 12 8 5.5 12.5 Z",
  search: "M7 2.5 A4.5 4.5 0 1 1 7 11.5 A4.5 4.5 0 1 1 7 2.5 M10.5 10.5 13.5 13.5",
  out: "M6 3.5 H12.5 V10 M12.5 3.5 4 12",
  back: "M9.5 3.5 5 8 9.5 12.5",
  bolt: "M9 1.5 3.5 9 H8 L7 14.5 12.5 7 H8 Z",
} as const;

export function Icon({ name }: { readonly name: keyof typeof drawn }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={drawn[name]} />
    </svg>
  );
}
