import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type Filter, matches, noFilter } from "../model/filter.ts";
import type { Summary } from "../model/summary.ts";
import { useConsole } from "./context.ts";
import { NothingYet } from "./empty.tsx";
import { Icon } from "./icons.tsx";
import { ListFilter } from "./list-filter.tsx";
import { TraceRow } from "./trace-row.tsx";

/** The latest traces, newest on top. The order holds still while somebody points at it or has stopped it. */
export function TraceList({ shown }: { readonly shown: string | undefined }): JSX.Element {
  const { live, choice, summaryOf } = useConsole();
  const filter = useSignal<Filter>(noFilter);
  const stopped = useSignal(false);
  const hovering = useSignal(false);
  const frozen = useRef<ReadonlySet<string> | undefined>(undefined);
  const list = useRef<HTMLUListElement>(null);

  const { traces } = live.world.value;
  const all = [...traces.values()].map(summaryOf).sort((a, b) => b.startMs - a.startMs);
  const holds = stopped.value || hovering.value;
  frozen.current = holds ? (frozen.current ?? new Set(traces.keys())) : undefined;
  const standing = frozen.current ? all.filter(({ id }) => frozen.current?.has(id)) : all;
  const rows = standing.filter((summary) => matches(summary, filter.value));
  const held = all.length - standing.length;
  const current = rows.some(({ id }) => id === shown) ? shown : rows[0]?.id;

  const move = (event: KeyboardEvent) => {
    const next = neighbour(rows, current, event.key);
    if (!next) return;
    event.preventDefault();
    choice.choose(next);
    list.current?.querySelector<HTMLElement>(`[data-trace="${CSS.escape(next)}"]`)?.focus();
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      document.getElementById("filter")?.focus();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);

  return (
    <section class="list" aria-label="Latest traces">
      <div class="list-head">
        <ListFilter filter={filter} all={all} />
        <button
          type="button"
          class="icon-button"
          aria-pressed={stopped.value}
          aria-label={stopped.value ? "Go on" : "Hold the list"}
          title={stopped.value ? "Go on" : "Hold the list"}
          onClick={() => {
            stopped.value = !stopped.value;
          }}
        >
          <Icon name={stopped.value ? "play" : "pause"} />
        </button>
      </div>
      <div
        class="rows-place"
        onPointerEnter={(event) => {
          // A finger that scrolls is not a pointer that rests.
          if (event.pointerType === "mouse") hovering.value = true;
        }}
        onPointerLeave={() => {
          hovering.value = false;
        }}
      >
        {held > 0 && (
          <button
            type="button"
            class="held"
            onClick={() => {
              stopped.value = false;
              hovering.value = false;
            }}
          >
            Held · {held} new
          </button>
        )}
        {all.length === 0 ? (
          <NothingYet />
        ) : rows.length === 0 ? (
          <p class="empty-line">Nothing matches the filter.</p>
        ) : (
          <ul ref={list} class="rows" aria-label="Traces, newest first" onKeyDown={move}>
            {rows.map((summary) => (
              <TraceRow
                key={summary.id}
                summary={summary}
                chosen={summary.id === shown}
                reachable={summary.id === current}
                nowMs={live.now.value}
                onChoose={() => choice.choose(summary.id)}
              />
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

function neighbour(rows: readonly Summary[], current: string | undefined, key: string): string | undefined {
  const at = rows.findIndex(({ id }) => id === current);
  if (key === "ArrowDown") return rows[Math.min(at + 1, rows.length - 1)]?.id;
  if (key === "ArrowUp") return rows[Math.max(at - 1, 0)]?.id;
  if (key === "Home") return rows[0]?.id;
  if (key === "End") return rows.at(-1)?.id;
  return undefined;
}
