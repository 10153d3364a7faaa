import type { ComponentChildren, JSX } from "preact";
import { clockTime, duration, plural } from "../format.ts";
import { layerOf } from "../model/layer.ts";
import type { Problem, SeenSpan } from "../model/span.ts";
import { inOrder, type Trace } from "../model/trace.ts";
import { latestSpan, type Row } from "../timeline/rows.ts";
import { CopyText } from "./copy-text.tsx";
import { kindOf } from "./row-words.ts";

/** What is known of the row that is pointed at or has the focus; of the whole trace while there is none. */
export function Details({ trace, row }: { readonly trace: Trace; readonly row: Row | undefined }): JSX.Element {
  return (
    <aside class="details" aria-label="Details">
      {row ? <RowDetails row={row} startMs={trace.startMs} /> : <TraceDetails trace={trace} />}
    </aside>
  );
}

function RowDetails({ row, startMs }: { readonly row: Row; readonly startMs: number }): JSX.Element {
  const span = latestSpan(row);
  const first = row.spans[0] ?? span;
  return (
    <>
      <p class={`details-kind of-${row.layer}`}>
        <i aria-hidden="true" />
        {row.layer} · {kindOf(row)}
        {row.undo !== undefined && ` ${row.undo}`}
      </p>
      <h3>{row.label}</h3>
      {problemOf(row) && <ProblemBox {...(problemOf(row) as Problem)} />}
      <dl>
        <Entry name="began">+{duration(first.startMs - startMs)}</Entry>
        <Entry name="took">{span.endMs === undefined ? "still open" : duration(span.endMs - first.startMs)}</Entry>
        {row.spans.length > 1 && <Entry name="taken up">{plural(row.spans.length - 1, "time")}</Entry>}
        {row.journal.length > 0 && <Entry name="journal">{plural(row.journal.length, "append")}</Entry>}
        {Object.entries(span.attributes).map(([name, value]) => (
          <Entry key={name} name={name.replace(/^trilith\./, "")}>
            {String(value)}
          </Entry>
        ))}
      </dl>
      <Events spans={row.spans} startMs={startMs} />
    </>
  );
}

function TraceDetails({ trace }: { readonly trace: Trace }): JSX.Element {
  const spans = inOrder(trace);
  const request = spans.find(({ kind }) => kind === "request");
  const run = spans.find(({ kind }) => kind === "run");
  const principal = request?.attributes["trilith.principal"];
  const problem = spans.findLast(({ kind, problem }) => problem && (kind === "run" || kind === "request"))?.problem;
  const touched = new Set(spans.map(layerOf));
  return (
    <>
      <p class="details-kind">
        <i aria-hidden="true" />
        trace
      </p>
      <h3>{run?.attributes["trilith.workflow"] ?? request?.name ?? spans[0]?.name}</h3>
      {problem && <ProblemBox {...problem} />}
      <dl>
        <Entry name="began">{clockTime(trace.startMs)}</Entry>
        <Entry name="spans">{String(trace.spans.size)}</Entry>
        <Entry name="layers">
          {["orchestration", "aggregation", "storage"].filter((layer) => touched.has(layer as "storage")).join(", ") ||
            "–"}
        </Entry>
        {principal !== undefined && <Entry name="principal">{String(principal)}</Entry>}
        {run && (
          <Entry name="run">
            <CopyText text={String(run.attributes["trilith.run"] ?? run.span)} />
          </Entry>
        )}
        <Entry name="trace id">
          <CopyText text={trace.id} />
        </Entry>
      </dl>
      <p class="hint">Point at a row, or walk with the arrow keys, to see what is known of it.</p>
    </>
  );
}

function Events({
  spans,
  startMs,
}: {
  readonly spans: readonly SeenSpan[];
  readonly startMs: number;
}): JSX.Element | null {
  const events = spans.flatMap((span) => span.events);
  if (events.length === 0) return null;
  return (
    <>
      <h4>Events</h4>
      <ol class="events">
        {events.map(({ name, atMs, attributes }, i) => (
          <li key={`${atMs}-${i}`}>
            <span>+{duration(atMs - startMs)}</span>
            <span>
              {name}
              {attributes && Object.keys(attributes).length > 0 && (
                <em> {Object.values(attributes).map(String).join(" · ")}</em>
              )}
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}

function ProblemBox({ code, title }: Problem): JSX.Element {
  return (
    <div class="problem">
      <strong>{code ?? "Problem"}</strong>
      {title !== undefined && <p>{title}</p>}
    </div>
  );
}

const problemOf = (row: Row): Problem | undefined => row.spans.findLast(({ problem }) => problem)?.problem;

function Entry({ name, children }: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
