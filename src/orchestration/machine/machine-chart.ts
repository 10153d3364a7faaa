import { type AnyMachineSnapshot, assign, createMachine, initialTransition, transition } from "xstate";
import { type Duration, toMs } from "../../contracts/index.ts";
import { toPlain } from "../language/plain.ts";
import type { MachineState, StateValue } from "./machine-declaration.ts";

/** A declaration with its types forgotten; they were checked where it was declared. */
export interface AnyChart {
  readonly initial: string;
  readonly states: { readonly [name: string]: AnyState };
  readonly guards?: { readonly [name: string]: (at: AnyMoment) => boolean };
  readonly changes?: { readonly [name: string]: (at: AnyMoment) => object };
  readonly actions?: { readonly [name: string]: unknown };
}
export interface AnyMoment {
  readonly context: any; // as above
  readonly event: any; // as above
}
export interface AnyTransition {
  readonly target?: string;
  readonly guard?: string;
  readonly set?: string | readonly string[];
  readonly do?: string | readonly string[];
}
export type AnyTransitions = string | AnyTransition | readonly AnyTransition[];
export interface AnyState {
  readonly type?: "parallel" | "final";
  readonly on?: { readonly [event: string]: AnyTransitions };
  readonly after?: { readonly [delay: string]: AnyTransitions };
  readonly always?: AnyTransition | readonly AnyTransition[];
  readonly entry?: string | readonly string[];
  readonly exit?: string | readonly string[];
  readonly do?: string;
  readonly onDone?: AnyTransitions;
  readonly onFailure?: AnyTransitions;
  readonly initial?: string;
  readonly states?: { readonly [name: string]: AnyState };
}

export interface ChartEvent {
  readonly type: string;
  readonly payload?: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
  readonly patch?: unknown;
}
/** What a move asks for, in this order. `state`: the action is what is done in it. */
export type Asked =
  | { readonly kind: "act"; readonly action: string; readonly state?: string; readonly event: object }
  | { readonly kind: "set timer"; readonly id: string; readonly ms: number }
  | { readonly kind: "clear timer"; readonly id: string };
/** Where a machine is, as XState knows it. */
export interface Place {
  readonly value: unknown;
  readonly context: unknown;
  readonly status: string;
}
/** The library's own types stay in here: its declarations do not compile under every setting that a user may have. */
const known = (place: Place): AnyMachineSnapshot => place as AnyMachineSnapshot; // every place is made in here
export interface Moved {
  readonly place: Place;
  readonly asked: readonly Asked[];
}

const root = "machine";
const changed = "$changed";

/**
 * A machine's states and transitions: pure functions of where it is and what happens, computed by XState. It does
 * nothing: what is to be done comes back as data, in the order in which it is to be done.
 */
export class Chart {
  readonly #logic: ReturnType<typeof createMachine>;
  readonly #signals: readonly string[];

  constructor(operation: string, declared: AnyChart, signals: readonly string[]) {
    check(operation, declared, signals);
    this.#signals = signals;
    const { guards = {}, changes = {} } = declared;
    const moment = ({ context, event }: AnyMoment): AnyMoment => ({ context, event: told(event) });
    const update = (change: (at: AnyMoment) => object) =>
      assign((at) => ({ ...at.context, ...(toPlain(change(at), "What a change gives back") as object) }));
    const config = {
      id: root,
      context: ({ input }: { readonly input: object }) => input,
      initial: declared.initial,
      states: statesOf(declared.states, []),
      on: { [changed]: { actions: update(({ event }) => event.patch) } },
    };
    const setup = {
      guards: Object.fromEntries(
        Object.entries(guards).map(([name, guard]) => [name, (at: AnyMoment) => guard(moment(at))]),
      ),
      actions: Object.fromEntries(
        Object.entries(changes).map(([name, change]) => [`set ${name}`, update((at) => change(moment(at)))]),
      ),
    };
    this.#logic = createMachine(config as never, setup as never); // its types are those of a literal declaration
  }

  begin(context: unknown): Moved {
    return moved(initialTransition(this.#logic, context as never));
  }

  /** An event that nothing waits for moves nothing. */
  move(place: Place, event: ChartEvent): Moved {
    return moved(transition(this.#logic, known(place), event as never));
  }

  /** An action has given back what of the context is another now. */
  change(place: Place, patch: unknown): Moved {
    return this.move(place, { type: changed, patch });
  }

  /** Throws where there is no such state. */
  at({ state, context }: MachineState<unknown>): Place {
    return this.#logic.resolveState({ value: state as never, context: context as never });
  }

  /** The signals that the present states have transitions for. */
  expects(place: Place): readonly string[] {
    const own = new Set(ownEvents(place));
    return this.#signals.filter((signal) => own.has(signal));
  }

  /** The timers that run in the present states. */
  timers(place: Place): readonly { readonly id: string; readonly ms: number }[] {
    return ownEvents(place).flatMap((id) => {
      const [, ms] = /^xstate\.after\.(\d+)\./.exec(id) ?? [];
      return ms === undefined ? [] : [{ id, ms: Number(ms) }];
    });
  }
}

const ownEvents = (place: Place): readonly string[] => [
  ...new Set(known(place)._nodes.flatMap((node) => [...node.ownEvents])),
];

/** Where it is in one line: `open.counting & paid`. */
export function lineOf(state: StateValue): string {
  if (typeof state === "string") return state;
  return Object.entries(state)
    .flatMap(([name, inner]) =>
      lineOf(inner)
        .split(" & ")
        .map((line) => (line === "" ? name : `${name}.${line}`)),
    )
    .join(" & ");
}

/** The events by which a state with something to do learns of it. */
export const doneIn = (state: string): string => `$done ${state}`;
export const failedIn = (state: string): string => `$failed ${state}`;

function moved([place, actions]: readonly [unknown, readonly { readonly type: string; params?: unknown }[]]): Moved {
  const asked = actions.flatMap((action): readonly Asked[] => {
    const { type, params, info } = action as { type: string; params: any; info: { readonly event: ChartEvent } }; // what XState made of our declaration
    if (type === "act") return [{ kind: "act", ...params, event: told(info.event) }];
    if (type === "xstate.raise" && params.delay !== undefined)
      return [{ kind: "set timer", id: params.id, ms: params.delay }];
    return type === "xstate.cancel" ? [{ kind: "clear timer", id: params.sendId }] : [];
  });
  return { place: place as Place, asked };
}

/** An event as functions of the declaration see it. */
function told(event: ChartEvent): ChartEvent {
  const { type } = event;
  if (type === "xstate.init") return { type: "$start" };
  if (type.startsWith("xstate.after.")) return { type: "$after" };
  if (type.startsWith("xstate.done.")) return { type: "$done" };
  if (type.startsWith("$done ")) return { type: "$done", output: event.output };
  if (type.startsWith("$failed ")) return { type: "$failed", error: event.error };
  return type === changed ? { type } : event;
}

const statesOf = (states: { readonly [name: string]: AnyState }, above: readonly string[]): object =>
  Object.fromEntries(Object.entries(states).map(([name, state]) => [name, stateOf(state, [...above, name])]));

function stateOf(state: AnyState, path: readonly string[]): object {
  const { type, on = {}, after = {}, always, entry, exit, onDone, onFailure, initial, states } = state;
  const place = path.join(".");
  const doing = state.do === undefined ? [] : [{ type: "act", params: { action: state.do, state: place } }];
  const works = state.do !== undefined;
  const delays = new Map<number, readonly object[]>();
  for (const [delay, to] of Object.entries(after)) {
    const ms = toMs(delay as Duration); // checked before
    delays.set(ms, [...(delays.get(ms) ?? []), ...transitionsOf(to)]);
  }
  return {
    ...(type && { type }),
    ...(initial !== undefined && { initial }),
    ...(states && { states: statesOf(states, path) }),
    entry: [...actsOf(entry), ...doing],
    exit: actsOf(exit),
    on: {
      ...Object.fromEntries(Object.entries(on).map(([event, to]) => [event, transitionsOf(to)])),
      ...(works && onDone !== undefined && { [doneIn(place)]: transitionsOf(onDone) }),
      ...(works && onFailure !== undefined && { [failedIn(place)]: transitionsOf(onFailure) }),
    },
    after: Object.fromEntries(delays),
    ...(always !== undefined && { always: transitionsOf(always) }),
    ...(!works && onDone !== undefined && { onDone: transitionsOf(onDone) }),
  };
}

export const many = <T>(given: T | readonly T[] | undefined): readonly T[] =>
  given === undefined ? [] : Array.isArray(given) ? given : [given as T];

export const toTransitions = (to: AnyTransitions): readonly AnyTransition[] =>
  typeof to === "string" ? [{ target: to }] : many(to as AnyTransition | readonly AnyTransition[]);

const transitionsOf = (to: AnyTransitions): readonly object[] =>
  toTransitions(to).map(({ target, guard, set, do: acts }) => ({
    ...(target !== undefined && { target: target.startsWith("#") ? `#${root}.${target.slice(1)}` : target }),
    ...(guard !== undefined && { guard }),
    actions: [...many(set).map((name) => `set ${name}`), ...actsOf(acts)],
  }));

const actsOf = (actions: string | readonly string[] | undefined): readonly object[] =>
  many(actions).map((action) => ({ type: "act", params: { action } }));

/** What the types say as well, for whoever has none. */
function check(operation: string, declared: AnyChart, signals: readonly string[]): void {
  const { guards = {}, changes = {}, actions = {} } = declared;
  const wrong = (where: string, what: string): never => {
    throw new TypeError(`The machine of ${operation} ${where}: ${what}`);
  };
  const named = (names: object, kind: string, where: string, used: readonly string[]): void => {
    for (const name of used)
      if (!Object.hasOwn(names, name)) wrong(where, `there is no ${kind} "${name}". Declare it.`);
  };
  const all = (states: { readonly [name: string]: AnyState }, above: readonly string[]): void => {
    for (const [name, state] of Object.entries(states)) {
      const path = [...above, name];
      const where = `in the state "${path.join(".")}"`;
      if (!/^[a-zA-Z][\w-]*$/.test(name)) wrong(where, "names of states have letters, digits, - and _.");
      if (state.do !== undefined && state.states)
        wrong(where, "it has states inside and something to do. Put that into one of them.");
      if (state.onFailure !== undefined && state.do === undefined)
        wrong(where, `it has "onFailure", and nothing to do.`);
      if (state.states && state.type !== "parallel" && state.initial === undefined)
        wrong(where, `it has states inside. Say which one is "initial", or that it is "parallel".`);
      for (const event of Object.keys(state.on ?? {}))
        if (!signals.includes(event)) wrong(where, `"${event}" is no signal of the command.`);
      for (const delay of Object.keys(state.after ?? {})) toMs(delay as Duration); // throws for what is none
      named(actions, "action", where, [...many(state.entry), ...many(state.exit), ...many(state.do)]);
      const leaving = [...Object.values(state.on ?? {}), ...Object.values(state.after ?? {})];
      for (const to of [...leaving, state.always, state.onDone, state.onFailure])
        for (const one of to === undefined ? [] : toTransitions(to)) {
          named(guards, "guard", where, many(one.guard));
          named(changes, "change", where, many(one.set));
          named(actions, "action", where, many(one.do));
        }
      if (state.states) all(state.states, path);
    }
  };
  all(declared.states, []);
}
