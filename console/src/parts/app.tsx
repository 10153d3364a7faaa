import { useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { ContractsView } from "../contracts/contracts-view.tsx";
import { follow } from "../model/follow.ts";
import { SchedulesView } from "../schedules/schedules-view.tsx";
import { SourcesView } from "../sources/sources-view.tsx";
import { useConsole } from "./context.ts";
import { OutageStrip } from "./outage-strip.tsx";
import { RunsView } from "./runs-view.tsx";
import { Stage } from "./stage.tsx";
import { TopBar } from "./top-bar.tsx";
import { TraceList } from "./trace-list.tsx";
import { TraceView } from "./trace-view.tsx";

export function App(): JSX.Element {
  const { live, choice, summaryOf } = useConsole();
  const followed = useSignal<string | undefined>(undefined);
  const held = useRef(false);

  useSignalEffect(() => {
    const all = [...live.world.value.traces.values()].map(summaryOf);
    const now = live.now.value;
    if (choice.trace.value !== undefined) followed.value = undefined;
    else if (!held.current) followed.value = follow(all, followed.peek(), now);
    live.chosen.value = choice.trace.value ?? followed.value;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      if (choice.view.value === "runs") choice.chooseRun(undefined);
      else choice.choose(undefined);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [choice]);
  useSignalEffect(() => {
    const name = live.world.value.hello?.name;
    document.title = name ? `${name} · Trilith` : "Trilith console";
  });

  const chosen = choice.trace.value;
  const shown = chosen ?? followed.value;
  const trace = shown === undefined ? undefined : live.world.value.traces.get(shown);
  const view = choice.view.value;
  const page = {
    contracts: ContractsView,
    schedules: SchedulesView,
    sources: SourcesView,
    live: undefined,
    runs: undefined,
  };
  const Page = page[view];
  if (Page)
    return (
      <div class="app">
        <TopBar />
        <OutageStrip />
        <Page />
      </div>
    );
  if (view === "runs")
    return (
      <div class="app" data-chosen={choice.run.value !== undefined}>
        <TopBar />
        <OutageStrip />
        <RunsView />
      </div>
    );
  return (
    <div class="app" data-chosen={chosen !== undefined}>
      <TopBar />
      <OutageStrip />
      <main class="main">
        <Stage />
        <TraceList shown={shown} />
        {/* While somebody reads a followed trace, the page must not turn it over. */}
        <div
          class="trace-place"
          onPointerEnter={() => {
            held.current = true;
          }}
          onPointerLeave={() => {
            held.current = false;
          }}
          onFocusIn={() => {
            held.current = true;
          }}
          onFocusOut={() => {
            held.current = false;
          }}
        >
          <TraceView trace={trace} following={chosen === undefined} missing={chosen !== undefined && !trace} />
        </div>
      </main>
    </div>
  );
}
