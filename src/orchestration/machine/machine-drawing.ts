import { type Duration, toMs } from "../../contracts/index.ts";
import { type AnyChart, type AnyState, type AnyTransitions, many, toTransitions } from "./machine-chart.ts";

/** A machine as plain data, in the words of XState's own configuration: states, `on`, `after` in ms, `invoke` for `do`. */
export interface Drawn {
  readonly id: string;
  readonly initial: string;
  readonly states: { readonly [name: string]: DrawnState };
}
export interface DrawnState {
  readonly type?: "parallel" | "final";
  readonly initial?: string;
  readonly entry?: readonly string[];
  readonly exit?: readonly string[];
  readonly invoke?: { readonly src: string; readonly onDone?: DrawnTransitions; readonly onError?: DrawnTransitions };
  readonly on?: { readonly [event: string]: DrawnTransitions };
  readonly after?: { readonly [ms: string]: DrawnTransitions };
  readonly always?: DrawnTransitions;
  readonly onDone?: DrawnTransitions;
  readonly states?: { readonly [name: string]: DrawnState };
}
type DrawnTransitions = readonly DrawnTransition[];
interface DrawnTransition {
  readonly target?: string;
  readonly guard?: string;
  /** Changes of the context first, then what is done. */
  readonly actions?: readonly string[];
}

export const toDrawn = (operation: string, { initial, states }: AnyChart): Drawn =>
  frozen({ id: operation, initial, states: drawStates(states, operation) });

/** A picture of a machine, in the language of Mermaid's state diagrams. */
export function toMermaid({ drawn }: { readonly drawn: Drawn }): string {
  return ["stateDiagram-v2", ...linesOf(drawn.states, drawn.initial, [], drawn.id, "  ")].join("\n");
}

const drawStates = (states: AnyChart["states"], id: string): Drawn["states"] =>
  Object.fromEntries(Object.entries(states).map(([name, state]) => [name, drawState(state, id)]));

function drawState(state: AnyState, id: string): DrawnState {
  const { type, initial, entry, exit, on, after, always, onDone, onFailure, states } = state;
  const draw = (to: AnyTransitions): DrawnTransitions => drawTransitions(to, id);
  const each = (all: { readonly [name: string]: AnyTransitions }, key: (name: string) => string) =>
    Object.fromEntries(Object.entries(all).map(([name, to]) => [key(name), draw(to)]));
  return {
    ...(type && { type }),
    ...(initial !== undefined && { initial }),
    ...(entry !== undefined && { entry: many(entry) }),
    ...(exit !== undefined && { exit: many(exit) }),
    ...(state.do !== undefined && {
      invoke: {
        src: state.do,
        ...(onDone !== undefined && { onDone: draw(onDone) }),
        ...(onFailure !== undefined && { onError: draw(onFailure) }),
      },
    }),
    ...(on && { on: each(on, (name) => name) }),
    ...(after && { after: each(after, (delay) => String(toMs(delay as Duration))) }),
    ...(always !== undefined && { always: draw(always) }),
    ...(state.do === undefined && onDone !== undefined && { onDone: draw(onDone) }),
    ...(states && { states: drawStates(states, id) }),
  };
}

const drawTransitions = (to: AnyTransitions, id: string): DrawnTransitions =>
  toTransitions(to).map(({ target, guard, set, do: acts }) => ({
    ...(target !== undefined && { target: target.startsWith("#") ? `#${id}.${target.slice(1)}` : target }),
    ...(guard !== undefined && { guard }),
    ...(set !== undefined || acts !== undefined ? { actions: [...many(set), ...many(acts)] } : {}),
  }));

function linesOf(
  states: Drawn["states"],
  initial: string | undefined,
  above: readonly string[],
  id: string,
  indent: string,
): readonly string[] {
  const idOf = (path: readonly string[]): string => path.join("_").replaceAll("-", "_");
  const lines = Object.entries(states).flatMap(([name, state]) => {
    const path = [...above, name];
    const targetOf = (target: string): string => {
      if (target.startsWith("#")) return idOf(target.slice(id.length + 2).split("."));
      return target.startsWith(".") ? idOf([...path, target.slice(1)]) : idOf([...above, target]);
    };
    const arrows = (label: string, to: DrawnTransitions = []): readonly string[] =>
      to.map(({ target, guard, actions = [] }) => {
        const words = [
          label,
          guard === undefined ? "" : `[${guard}]`,
          actions.length > 0 ? `/ ${actions.join(", ")}` : "",
        ];
        const said = words.filter(Boolean).join(" ");
        return `${indent}${idOf(path)} --> ${target === undefined ? idOf(path) : targetOf(target)}${said && `: ${said}`}`;
      });
    const { on = {}, after = {}, always, onDone, invoke, entry } = state;
    const said = [...(entry ?? []), ...(invoke ? [invoke.src] : [])].join(", ");
    const inside = state.states && [
      `${indent}state "${name}" as ${idOf(path)} {`,
      ...(state.type === "parallel"
        ? Object.entries(state.states).flatMap(([region, inner], at) => [
            ...(at > 0 ? [`${indent}  --`] : []),
            ...linesOf({ [region]: inner }, region, path, id, `${indent}  `),
          ])
        : linesOf(state.states, state.initial, path, id, `${indent}  `)),
      `${indent}}`,
    ];
    return [
      ...(inside ?? [`${indent}${idOf(path)}: ${name}${said && ` (${said})`}`]),
      ...Object.entries(on).flatMap(([event, to]) => arrows(event, to)),
      ...Object.entries(after).flatMap(([ms, to]) => arrows(`after ${words(Number(ms))}`, to)),
      ...arrows("", always),
      ...arrows("done", onDone ?? invoke?.onDone),
      ...arrows("failed", invoke?.onError),
      ...(state.type === "final" ? [`${indent}${idOf(path)} --> [*]`] : []),
    ];
  });
  return [...(initial === undefined ? [] : [`${indent}[*] --> ${idOf([...above, initial])}`]), ...lines];
}

function words(ms: number): string {
  const units = { day: 86_400_000, hour: 3_600_000, minute: 60_000, second: 1_000 };
  const [unit, size] = Object.entries(units).find(([, size]) => ms >= size && ms % size === 0) ?? ["ms", 1];
  const count = ms / size;
  return `${count} ${unit}${count === 1 || unit === "ms" ? "" : "s"}`;
}

function frozen<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === "object" && inner !== null) frozen(inner);
  return Object.freeze(value);
}
