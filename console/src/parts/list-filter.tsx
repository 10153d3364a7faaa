import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import type { Filter } from "../model/filter.ts";
import { traceStates } from "../model/state.ts";
import type { Summary } from "../model/summary.ts";
import { Icon, stateWords } from "./icons.tsx";

interface Props {
  readonly filter: Signal<Filter>;
  readonly all: readonly Summary[];
}

export function ListFilter({ filter, all }: Props): JSX.Element {
  const counts = Map.groupBy(all, ({ state }) => state);
  return (
    <div class="filter">
      <label class="filter-text">
        <Icon name="search" />
        <input
          id="filter"
          type="search"
          placeholder="Filter"
          aria-label="Filter by path, workflow, status, problem or trace id"
          autocomplete="off"
          spellcheck={false}
          value={filter.value.text}
          onInput={(event) => {
            filter.value = { ...filter.value, text: event.currentTarget.value };
          }}
        />
        <kbd title="Press / to filter">/</kbd>
      </label>
      <select
        aria-label="Filter by state"
        value={filter.value.state}
        onChange={(event) => {
          const state = traceStates.find((one) => one === event.currentTarget.value) ?? "all";
          filter.value = { ...filter.value, state };
        }}
      >
        <option value="all">All states</option>
        {traceStates.map((state) => (
          <option key={state} value={state}>
            {stateWords[state]} ({counts.get(state)?.length ?? 0})
          </option>
        ))}
      </select>
    </div>
  );
}
