import type { TraceState } from "./state.ts";
import type { Summary } from "./summary.ts";

export interface Filter {
  /** Words that must all be found, in any order. */
  readonly text: string;
  readonly state: TraceState | "all";
}
export const noFilter: Filter = { text: "", state: "all" };

export function matches(summary: Summary, { text, state }: Filter): boolean {
  if (state !== "all" && summary.state !== state) return false;
  const { id, title, subtitle, httpStatus = "", code = "", poorSources } = summary;
  const hay = [id, title, subtitle, summary.state, httpStatus, code, ...poorSources].join(" ").toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}
