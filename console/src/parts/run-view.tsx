import type { JSX } from "preact";
import { clockTime, duration } from "../format.ts";
import { MachineDrawing } from "../machines/machine-drawing.tsx";
import { awaited, isUndone, type Line, toLines } from "../runs/journal.ts";
import { standing, tone } from "../runs/words.ts";
import { useConsole } from "./context.ts";
import { CopyText } from "./copy-text.tsx";
import { RunActions } from "./run-actions.tsx";

/** One run: how it stands, what can be done to it, and its journal as a timeline. */
export function RunView(): JSX.Element {
  const { runs, choice, live } = useConsole();
  const run = runs.run.value;
  const entries = runs.entries.value;
  const chosen = choice.run.value;
  if (chosen === undefined) return <p class="empty-line">Choose a run to see its journal.</p>;
  if (!run || !entries)
    return <p class="empty-line">{runs.trouble.value ?? (runs.loaded.value ? "Looking for this run…" : "Looking…")}</p>;
  const lines = toLines(entries);
  const startMs = lines[0]?.startMs ?? 0;
  const endMs = run.endedAt === undefined ? Math.max(live.now.value, startMs + 1) : Date.parse(run.endedAt);
  return (
    <article class="run" aria-label={`Run ${run.run}`}>
      <header class="trace-head">
        <h2>{run.operation}</h2>
        <span class={`badge is-${tone(run)}`}>{standing(run)}</span>
        <span class="trace-time">{duration(Math.max(0, endMs - startMs))}</span>
        <CopyText text={run.run} />
      </header>
      <div class="run-body">
        {run.reason !== undefined && (
          <p class="run-reason">
            <strong>Why it is paused</strong>
            <span>{run.reason}</span>
          </p>
        )}
        <RunActions run={run} undone={isUndone(entries)} awaited={awaited(entries)} input={entries[0]?.input} />
        {runs.trouble.value !== undefined && (
          <p class="problem" role="alert">
            {runs.trouble.value}
          </p>
        )}
        <MachineDrawing workflow={run.workflow} entries={entries} />
        <ol class="journal" aria-label="Journal">
          {lines.map((line) => (
            <JournalLine key={line.key} line={line} startMs={startMs} endMs={endMs} />
          ))}
        </ol>
      </div>
    </article>
  );
}

interface LineProps {
  readonly line: Line;
  readonly startMs: number;
  readonly endMs: number;
}
function JournalLine({ line, startMs, endMs }: LineProps): JSX.Element {
  const whole = Math.max(1, endMs - startMs);
  const till = line.endMs ?? endMs;
  const left = Math.min(99.5, ((line.startMs - startMs) / whole) * 100);
  const width = Math.max(0.5, Math.min(100 - left, ((till - line.startMs) / whole) * 100));
  const takes = till - line.startMs;
  return (
    <li class={`journal-line is-${line.tone}`} data-undo={line.undo} title={clockTime(line.startMs)}>
      <span class="journal-what">{line.what}</span>
      <span class="journal-name">{line.name}</span>
      <span class="journal-track" aria-hidden="true">
        <i style={{ left: `${left}%`, width: `${width}%` }} />
      </span>
      <span class="journal-time">{line.what === "run" ? `+${duration(line.startMs - startMs)}` : duration(takes)}</span>
      <span class="journal-words">{line.words}</span>
    </li>
  );
}
