import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { duration } from "../format.ts";
import type { Trace } from "../model/trace.ts";
import { rowsOf } from "../timeline/rows.ts";
import { useConsole } from "./context.ts";
import { Details } from "./details.tsx";
import { NothingChosen } from "./empty.tsx";
import { Icon, StateIcon } from "./icons.tsx";
import { Legend } from "./legend.tsx";
import { Timeline } from "./timeline.tsx";
import { badge } from "./trace-row.tsx";

interface Props {
  readonly trace: Trace | undefined;
  readonly following: boolean;
  readonly missing: boolean;
}

/** The chosen trace: how it stands, its time line, and what is known of the row under the pointer. */
export function TraceView({ trace, following, missing }: Props): JSX.Element {
  const { live, choice, summaryOf } = useConsole();
  const pinned = useSignal<string | undefined>(undefined);
  const pointed = useSignal<string | undefined>(undefined);
  const shown = useComputed(() => pointed.value ?? pinned.value);
  // Another trace has other rows, so what was pinned is gone.
  useEffect(() => {
    pinned.value = undefined;
    pointed.value = undefined;
  }, [trace?.id]);
  if (!trace) return <NothingChosen missing={missing} />;
  const summary = summaryOf(trace);
  const rows = rowsOf(trace);
  return (
    <section class="trace" aria-label={`Trace of ${summary.title}`}>
      <header class="trace-head">
        <button
          type="button"
          class="icon-button only-small"
          aria-label="Back to the list"
          onClick={() => choice.choose(undefined)}
        >
          <Icon name="back" />
        </button>
        <StateIcon state={summary.state} />
        <h2>{summary.title}</h2>
        <span class={`badge is-${summary.state}`}>{badge(summary)}</span>
        <span class="trace-time">{duration((summary.endMs ?? live.now.value) - summary.startMs)}</span>
        <Legend shares={summary.shares} />
        {following ? (
          <span class="following">
            <i aria-hidden="true" />
            Following the latest
          </span>
        ) : (
          <button
            type="button"
            class="button button-small hide-small"
            onClick={() => choice.choose(undefined)}
            title="Esc"
          >
            Follow the latest
          </button>
        )}
      </header>
      <div class="trace-body">
        <Timeline trace={trace} rows={rows} pinned={pinned} pointed={pointed} />
        <Details trace={trace} row={rows.find(({ key }) => key === shown.value)} />
      </div>
    </section>
  );
}
