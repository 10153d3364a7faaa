import type { ComponentChildren, JSX } from "preact";
import { ago, amount, duration, plural } from "../format.ts";
import { Spark } from "../parts/spark.tsx";
import { answersOf } from "./pulse.ts";
import { type Sample, type Source, states } from "./sources.ts";

interface Props {
  readonly source: Source;
  readonly usedBy: readonly string[];
  readonly pulse: readonly number[];
  readonly nowMs: number;
}

/** One upstream: its breaker, what its answers were, how long they took, what went wrong, and what was said that broke its contract. */
export function SourceCard({ source, usedBy, pulse, nowMs }: Props): JSX.Element {
  const { source: name, perSecond, requests, hedges, saved, cache, answers, breaker, underWay, queued } = source;
  const { duplicates, incomplete, lastProblem, samples, p50Ms, p95Ms, p99Ms } = source;
  const looks = cache.hits + cache.misses;
  const isUnasked = requests === 0 && answersOf(source) === 0;
  return (
    <article class={`source-card is-breaker-${breaker.state}`} aria-label={name}>
      <header class="source-top">
        <div>
          <h3>{name}</h3>
          <p class="quiet">{usedBy.join(", ")}</p>
        </div>
        <Spark counts={pulse} />
        <p class="source-rate">
          <strong>{amount(perSecond)}</strong> calls/s
        </p>
        <p
          class="breaker"
          title={breaker.opened > 0 ? `It has opened ${plural(breaker.opened, "time")}.` : "It has never opened."}
        >
          <i /> breaker {breaker.state}
        </p>
      </header>
      <AnswerBar source={source} />
      <dl class="facts">
        <Fact title="p50">{toTime(p50Ms)}</Fact>
        <Fact title="p95">{toTime(p95Ms)}</Fact>
        <Fact title="p99">{toTime(p99Ms)}</Fact>
        <Fact title="Cache hits" about={`${amount(cache.hits)} of ${plural(looks, "look")}`}>
          {looks === 0 ? "–" : `${Math.round((cache.hits / looks) * 100)} %`}
        </Fact>
        <Fact title="Stale">{amount(answers.stale)}</Fact>
        <Fact title="Invalid" bad={answers.invalid > 0}>
          {amount(answers.invalid)}
        </Fact>
        <Fact title="Under way" about={`${plural(queued, "question")} wait for a place`}>
          {amount(underWay)}
          {queued > 0 && <small> + {amount(queued)}</small>}
        </Fact>
      </dl>
      {!isUnasked && <Errors errors={source.errors} />}
      {isUnasked ? (
        <p class="source-more">Nobody has asked it since this process started.</p>
      ) : (
        <p class="source-more">
          {plural(requests, "request")}, {plural(hedges, "hedge")}, {plural(saved, "answer")} without a request
          {duplicates > 0 && `; ${plural(duplicates, "duplicate")}`}
          {incomplete > 0 && `; ${plural(incomplete, "incomplete list")}`}
          {breaker.opened > 0 && `; the breaker opened ${plural(breaker.opened, "time")}`}
        </p>
      )}
      {lastProblem && (
        <p class="source-problem">
          <span class={`state of-state-${lastProblem.state}`}>{lastProblem.state}</span> {lastProblem.problem}{" "}
          <span class="quiet">{toAgo(nowMs - lastProblem.at)}</span>
        </p>
      )}
      {samples.length > 0 && <Samples samples={samples} nowMs={nowMs} />}
    </article>
  );
}

/** What share of the answers was in which state. */
function AnswerBar({ source }: { readonly source: Source }): JSX.Element {
  const total = answersOf(source);
  const parts = states.filter((state) => source.answers[state] > 0);
  const words = parts.map((state) => `${state} ${amount(source.answers[state])}`).join(", ");
  return (
    <div class="answer-bar" role="img" aria-label={words ? `Answers: ${words}` : "No answers yet"} title={words}>
      {parts.map((state) => (
        <i key={state} class={`of-state-${state}`} style={{ flexGrow: source.answers[state] / total }} />
      ))}
    </div>
  );
}

interface FactProps {
  readonly title: string;
  readonly about?: string;
  readonly bad?: boolean;
  readonly children: ComponentChildren;
}
export const Fact = ({ title, about, bad = false, children }: FactProps): JSX.Element => (
  <div title={about} data-bad={bad}>
    <dt>{title}</dt>
    <dd>{children}</dd>
  </div>
);

function Errors({ errors }: { readonly errors: Source["errors"] }): JSX.Element {
  const kinds = Object.entries(errors).sort(([, a], [, b]) => b - a);
  return (
    <ul class="kinds" aria-label="Errors by kind">
      {kinds.length === 0 && <li class="kind-none">no errors</li>}
      {kinds.map(([kind, count]) => (
        <li key={kind} title={meanings[kind]} data-quiet={kind === "nothing"}>
          {kind} <strong>{amount(count)}</strong>
        </li>
      ))}
    </ul>
  );
}

function Samples({ samples, nowMs }: { readonly samples: readonly Sample[]; readonly nowMs: number }): JSX.Element {
  return (
    <details class="samples">
      <summary>{plural(samples.length, "invalid answer")} kept, masked</summary>
      {samples.toReversed().map(({ at, problem, said }) => (
        <figure key={`${at} ${problem}`}>
          <figcaption>
            {problem} <span class="quiet">{toAgo(nowMs - at)}</span>
          </figcaption>
          <pre>{said === "" ? "(nothing)" : said}</pre>
        </figure>
      ))}
    </details>
  );
}

const meanings: { readonly [kind: string]: string | undefined } = {
  nothing: "It says that there is nothing.",
  unreachable: "No connection came about.",
  interrupted: "The connection broke.",
  forbidden: "Its address is an inner one that nobody named.",
  refused: "It answered 4xx.",
  failing: "It answered that it cannot.",
  unexpected: "It answered with a status that nobody asked for.",
  unreadable: "Its answer could not be read.",
  broken: "Its answer broke its contract.",
  timeout: "No answer within its timeout.",
  budget: "No answer as long as somebody waited.",
  breaker: "It was left alone.",
  queue: "Too many were waiting.",
  late: "Its turn would have come too late.",
};

const toTime = (ms: number | undefined): string => (ms === undefined ? "–" : duration(ms));
const toAgo = (ms: number): string => (ago(Math.max(0, ms)) === "now" ? "just now" : `${ago(ms)} ago`);
