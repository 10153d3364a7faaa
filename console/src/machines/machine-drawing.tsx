import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { duration } from "../format.ts";
import { CopyText } from "../parts/copy-text.tsx";
import type { Entry } from "../runs/journal.ts";
import { type Drawing, fetchMachine, type State, standingOf, toColumns, waysOf } from "./machine.ts";

interface Props {
  readonly workflow: string;
  readonly entries: readonly Entry[];
}

/** The machine that a run is one of, drawn from left to right, with the state that the run is in. Nothing for a workflow. */
export function MachineDrawing({ workflow, entries }: Props): JSX.Element | null {
  const drawing = useSignal<Drawing | undefined>(undefined);
  useEffect(() => {
    void fetchMachine(workflow).then(
      (found) => {
        drawing.value = found;
      },
      () => {}, // it is said elsewhere that nobody answers
    );
  }, [workflow]);
  const told = drawing.value;
  if (!told) return null;
  const standing = standingOf(entries.findLast(({ type }) => type === "Progress")?.value);
  return (
    <section class="machine" aria-label="The machine">
      <div class="machine-columns">
        {toColumns(told.drawn).map((column) => (
          <ul key={column[0]} class="machine-column">
            {column.map((name) => (
              <StateBox key={name} name={name} path={name} state={told.drawn.states[name] ?? {}} standing={standing} />
            ))}
          </ul>
        ))}
      </div>
      <p class="machine-text">
        As a Mermaid diagram: <CopyText text={told.mermaid} shown="copy" />
      </p>
    </section>
  );
}

interface BoxProps {
  readonly name: string;
  readonly path: string;
  readonly state: State;
  readonly standing: ReadonlySet<string>;
}
function StateBox({ name, path, state, standing }: BoxProps): JSX.Element {
  const ways = waysOf(state, duration);
  const isHere = standing.has(path);
  return (
    <li class="machine-state" data-final={state.type === "final"} aria-current={isHere ? "step" : undefined}>
      <strong>{name}</strong>
      {state.invoke && <em>does {state.invoke.src}</em>}
      {ways.map(({ on, to }) => (
        <span key={`${on} ${to}`} class="machine-way">
          {on} <b>{to === undefined ? "↺" : `→ ${to}`}</b>
        </span>
      ))}
      {state.states && (
        <ul class="machine-column">
          {Object.entries(state.states).map(([inner, one]) => (
            <StateBox key={inner} name={inner} path={`${path}.${inner}`} state={one} standing={standing} />
          ))}
        </ul>
      )}
    </li>
  );
}
