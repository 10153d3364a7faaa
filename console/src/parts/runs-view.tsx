import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { ago, duration } from "../format.ts";
import { type RunState, type RunSummary, runStates, runWords, standing, tone } from "../runs/words.ts";
import { useConsole } from "./context.ts";
import { Icon } from "./icons.tsx";
import { RunView } from "./run-view.tsx";

/** All runs, found by state and words, and the one that was chosen. */
export function RunsView(): JSX.Element {
  const { runs, choice, live } = useConsole();
  useEffect(() => runs.watch(), [runs]);
  const chosen = choice.run.value;
  useEffect(() => runs.choose(chosen), [runs, chosen]);
  const found = runs.runs.value;
  return (
    <main class="main main-runs">
      <section class="list" aria-label="Runs">
        <div class="list-head">
          <RunFilter />
        </div>
        <div class="rows-place">
          {found.length === 0 ? (
            <p class="empty-line">{runs.loaded.value ? (runs.trouble.value ?? "No run is found.") : "Looking…"}</p>
          ) : (
            <ul class="rows" aria-label="Runs, newest first">
              {found.map((run) => (
                <RunRow
                  key={run.run}
                  run={run}
                  chosen={run.run === chosen}
                  nowMs={live.now.value}
                  onChoose={() => choice.chooseRun(run.run)}
                />
              ))}
              {runs.more.value !== undefined && (
                <li class="empty-line">The latest {found.length}. Filter to see others.</li>
              )}
            </ul>
          )}
        </div>
      </section>
      <div class="trace-place">
        <RunView key={chosen} />
      </div>
    </main>
  );
}

function RunFilter(): JSX.Element {
  const { runs } = useConsole();
  return (
    <div class="filter">
      <label class="filter-text">
        <Icon name="search" />
        <input
          type="search"
          placeholder="operation, tag=value, key:…"
          aria-label="Find runs by operation, tag, key or id"
          autocomplete="off"
          spellcheck={false}
          value={runs.words.value}
          onInput={(event) => runs.filter(event.currentTarget.value, runs.state.value)}
        />
      </label>
      <select
        aria-label="Runs in which state"
        value={runs.state.value}
        onChange={(event) => {
          const state = runStates.find((one) => one === event.currentTarget.value);
          runs.filter(runs.words.value, state ?? "all");
        }}
      >
        <option value="all">All states</option>
        {runStates.map((state: RunState) => (
          <option key={state} value={state}>
            {runWords[state]}
          </option>
        ))}
      </select>
    </div>
  );
}

interface Props {
  readonly run: RunSummary;
  readonly chosen: boolean;
  readonly nowMs: number;
  readonly onChoose: () => void;
}
function RunRow({ run, chosen, nowMs, onChoose }: Props): JSX.Element {
  const started = Date.parse(run.startedAt);
  const ended = run.endedAt === undefined ? nowMs : Date.parse(run.endedAt);
  const tags = Object.entries(run.tags ?? {}).map(([name, value]) => `${name}=${value}`);
  return (
    <li class={`row is-${tone(run)}`}>
      <button type="button" aria-current={chosen} onClick={onChoose}>
        <i class="run-dot" aria-hidden="true" />
        <span class="row-title">{run.operation}</span>
        <span class="row-time">{duration(Math.max(0, ended - started))}</span>
        <span class="row-more">
          <span class={`badge is-${tone(run)}`}>{standing(run)}</span>
          <span class="row-sub">{run.reason ?? (tags.join(" ") || run.run)}</span>
        </span>
        <span class="row-end">
          <span class="row-ago">{ago(Math.max(0, nowMs - started))}</span>
        </span>
      </button>
    </li>
  );
}
