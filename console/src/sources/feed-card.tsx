import type { JSX } from "preact";
import { amount, duration, plural } from "../format.ts";
import { Fact } from "./source-card.tsx";
import type { FeedTold } from "./sources.ts";

interface Props {
  readonly feed: FeedTold;
  /** The node that this page is from. */
  readonly node: string | undefined;
  readonly nowMs: number;
}

/** One feed: where event time stands, what each input brought, what came too late, and which node has it. */
export function FeedCard({ feed, node, nowMs }: Props): JSX.Element {
  const { feed: name, state, node: holder, watermark, inputs, allowedLatenessMs, late, handedOver, owed, stuck } = feed;
  return (
    <article class={`source-card feed-card is-feed-${state}`} aria-label={name}>
      <header class="source-top">
        <div>
          <h3>{name}</h3>
          <p class="quiet" title={holder}>
            {holder === undefined
              ? "no node has it"
              : holder === node
                ? `runs on this node, ${short(holder)}`
                : `runs on node ${short(holder)}`}
          </p>
        </div>
        <p class="breaker">
          <i /> {state}
        </p>
      </header>
      {stuck && (
        <p class="source-problem">
          <span class="state of-state-down">{stuck.code}</span> {stuck.reason}{" "}
          <span class="quiet">
            {plural(stuck.attempts, "attempt")} in {duration(Math.max(0, nowMs - stuck.since))}
          </span>
        </p>
      )}
      {state !== "elsewhere" && (
        <>
          <dl class="facts facts-wide">
            <Fact title="Watermark">
              <Instant at={watermark} />
            </Fact>
            <Fact title="Allowed lateness">
              {allowedLatenessMs === undefined ? "–" : allowedLatenessMs === 0 ? "none" : duration(allowedLatenessMs)}
            </Fact>
            <Fact title="Late records" bad={late > 0}>
              {amount(late)}
            </Fact>
            <Fact title="Handed over">{amount(handedOver)}</Fact>
            <Fact title="Owed">{amount(owed)}</Fact>
          </dl>
          <table class="inputs">
            <thead>
              <tr>
                <th>Input</th>
                <th>State</th>
                <th class="number">Records</th>
                <th>Watermark</th>
                <th>Out of order</th>
              </tr>
            </thead>
            <tbody>
              {inputs.map((one) => (
                <tr key={one.input}>
                  <td>{one.input}</td>
                  <td>
                    <span class={`input-state is-input-${one.state}`}>{one.state}</span>
                  </td>
                  <td class="number">{amount(one.records)}</td>
                  <td>
                    <Instant at={one.watermark} />
                  </td>
                  <td>up to {duration(one.outOfOrderMs)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </article>
  );
}

const told = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
const Instant = ({ at }: { readonly at: number | null }): JSX.Element =>
  at === null ? (
    <>–</>
  ) : (
    <time dateTime={new Date(at).toISOString()} title={new Date(at).toISOString()}>
      {told.format(at)}
    </time>
  );
const short = (node: string): string => node.slice(0, 8);
