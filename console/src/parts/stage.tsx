import type { JSX } from "preact";
import { amount } from "../format.ts";
import type { Layer } from "../model/layer.ts";
import { type Counter, perMinute, perSecond, series } from "../model/rates.ts";
import { useConsole } from "./context.ts";
import { Diagram } from "./diagram.tsx";
import { Spark } from "./spark.tsx";

/** The three layers as they are at this moment: the picture, and what each of them counts. */
export function Stage(): JSX.Element {
  return (
    <section class="stage" aria-label="The three layers">
      <Diagram />
      <div class="cards">
        <OrchestrationCard />
        <AggregationCard />
        <StorageCard />
      </div>
    </section>
  );
}

function OrchestrationCard(): JSX.Element {
  const { live, summaryOf } = useConsole();
  const { rates, traces } = live.world.value;
  const now = live.now.value;
  const states = [...traces.values()].map(summaryOf).filter(({ hasRun }) => hasRun);
  const running = states.filter(({ state }) => state === "running").length;
  const waiting = states.filter(({ state }) => state === "waiting" || state === "paused").length;
  return (
    <Card
      layer="orchestration"
      title="Orchestration"
      value={amount(running)}
      unit={running === 1 ? "run under way" : "runs under way"}
      counter="steps"
    >
      <Fact name="done" value={amount(perMinute(rates, "done", now))} />
      <Fact name="undone" value={amount(perMinute(rates, "undone", now))} />
      <Fact name="failed" value={amount(perMinute(rates, "failed", now))} />
      <Fact name="waiting" value={amount(waiting)} />
    </Card>
  );
}

function AggregationCard(): JSX.Element {
  const { live } = useConsole();
  const { rates, sources } = live.world.value;
  const shown = [...sources].sort(([a], [b]) => a.localeCompare(b)).slice(0, 6);
  return (
    <Card
      layer="aggregation"
      title="Aggregation"
      value={amount(perMinute(rates, "views", live.now.value))}
      unit="views / min"
      counter="sources"
    >
      {shown.length === 0 && <span class="quiet">No source was asked yet.</span>}
      {shown.map(([name, { state }]) => (
        <span key={name} class={`source is-${state}`} title={`${name}: ${state}`}>
          <i aria-hidden="true" />
          {name} {state !== "fresh" && <em>{state}</em>}
        </span>
      ))}
    </Card>
  );
}

function StorageCard(): JSX.Element {
  const { live } = useConsole();
  const { rates, logs } = live.world.value;
  const heads = [...logs].sort(([a], [b]) => a.localeCompare(b)).slice(0, 4);
  return (
    <Card
      layer="storage"
      title="Storage"
      value={amount(perSecond(rates, "appends", live.now.value))}
      unit="appends / s"
      counter="appends"
    >
      {heads.length === 0 && <span class="quiet">Nothing was appended yet.</span>}
      {heads.map(([log, { position }]) => (
        <Fact key={log} name={`log ${log} at`} value={amount(position)} before />
      ))}
    </Card>
  );
}

interface CardProps {
  readonly layer: Layer;
  readonly title: string;
  readonly value: string;
  readonly unit: string;
  readonly counter: Counter;
  readonly children: preact.ComponentChildren;
}
function Card({ layer, title, value, unit, counter, children }: CardProps): JSX.Element {
  const { live } = useConsole();
  return (
    <article class={`card of-${layer}`}>
      <h2>{title}</h2>
      <p class="card-value">
        <strong>{value}</strong> <span>{unit}</span>
      </p>
      <Spark counts={series(live.world.value.rates, counter, live.now.value, 60)} />
      <div class="card-facts">{children}</div>
    </article>
  );
}

function Fact({
  name,
  value,
  before = false,
}: {
  readonly name: string;
  readonly value: string;
  readonly before?: boolean;
}): JSX.Element {
  return (
    <span class="fact">
      {before && `${name} `}
      <b>{value}</b>
      {!before && ` ${name}`}
    </span>
  );
}
