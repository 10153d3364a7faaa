import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { plural } from "../format.ts";
import { useConsole } from "../parts/context.ts";
import { FeedCard } from "./feed-card.tsx";
import { beat, type Pulses } from "./pulse.ts";
import { SourceCard } from "./source-card.tsx";
import { fetchSources, states, type Told } from "./sources.ts";
import { ViewConflicts } from "./view-conflicts.tsx";

const everyMs = 2_000;

/** The Sources view: how each upstream does, where sources contradict each other, and how far the feeds are. */
export function SourcesView(): JSX.Element {
  const { live } = useConsole();
  const told = useSignal<Told | undefined>(undefined);
  const trouble = useSignal<string | undefined>(undefined);
  const pulses = useSignal<Pulses>(new Map());
  useEffect(() => {
    const gone = new AbortController();
    let looking = false;
    const look = async (): Promise<void> => {
      if (looking) return; // a slow answer is not overtaken by the next one
      looking = true;
      try {
        const found = await fetchSources(gone.signal);
        told.value = found;
        pulses.value = beat(pulses.peek(), found);
        trouble.value = undefined;
      } catch (error) {
        if (!gone.signal.aborted) trouble.value = (error as Error).message;
      } finally {
        looking = false;
      }
    };
    void look();
    const timer = setInterval(() => void look(), everyMs);
    return () => {
      clearInterval(timer);
      gone.abort();
    };
  }, [told, trouble, pulses]);

  const { node, sources = [], views = [], feeds = [] } = told.value ?? {};
  const nowMs = live.now.value;
  return (
    <main class="sources" aria-label="Sources">
      <header class="sources-head">
        <h2>Sources</h2>
        {told.value && (
          <p class="quiet">
            {plural(sources.length, "upstream")} of {plural(views.length, "view")}, since this process started
          </p>
        )}
        <ul class="state-legend" aria-label="States of an answer">
          {states.map((state) => (
            <li key={state} class={`of-state-${state}`}>
              <i /> {state}
            </li>
          ))}
        </ul>
      </header>
      {trouble.value !== undefined && <p role="alert">{trouble.value}</p>}
      {told.value && sources.length === 0 && <p class="quiet">No view of this backend asks an upstream.</p>}
      <div class="cards-of-sources">
        {sources.map((source) => (
          <SourceCard
            key={source.source}
            source={source}
            usedBy={views.filter((view) => view.sources.includes(source.source)).map(({ view }) => view)}
            pulse={pulses.value.get(source.source)?.counts ?? []}
            nowMs={nowMs}
          />
        ))}
      </div>
      {views.length > 0 && (
        <Part title="Conflicts" about="Answers in which sources contradicted each other, by field of each view">
          <ViewConflicts views={views} />
        </Part>
      )}
      {feeds.length > 0 && (
        <Part title="Feeds" about="Streams of records by event time">
          <div class="cards-of-sources">
            {feeds.map((feed) => (
              <FeedCard key={feed.feed} feed={feed} node={node} nowMs={nowMs} />
            ))}
          </div>
        </Part>
      )}
    </main>
  );
}

interface PartProps {
  readonly title: string;
  readonly about: string;
  readonly children: ComponentChildren;
}
const Part = ({ title, about, children }: PartProps): JSX.Element => (
  <section class="sources-part" aria-label={title}>
    <header class="sources-head">
      <h2>{title}</h2>
      <p class="quiet">{about}</p>
    </header>
    {children}
  </section>
);
