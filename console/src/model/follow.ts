import type { Summary } from "./summary.ts";

/** How long an ended trace stays in view before a newer one takes its place: long enough to be read. */
const lingerMs = 6_000;

/** The trace to show while nobody has chosen one. It changes only when the one in view has come to rest. */
export function follow(summaries: readonly Summary[], current: string | undefined, nowMs: number): string | undefined {
  const shown = summaries.find(({ id }) => id === current);
  if (shown && !atRest(shown, nowMs)) return shown.id;
  const newestFirst = [...summaries].sort((a, b) => b.startMs - a.startMs);
  // A run has more to show than a plain request, so a newer run goes first.
  const next = newestFirst.find(({ hasRun }) => hasRun) ?? newestFirst[0];
  if (!next || !shown) return next?.id;
  return next.startMs > shown.startMs ? next.id : shown.id;
}

function atRest(summary: Summary, nowMs: number): boolean {
  if (summary.state === "running") return false;
  return nowMs - (summary.endMs ?? summary.startMs + lingerMs) > lingerMs;
}
