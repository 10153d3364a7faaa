/** A machine as plain data, in the words of XState; of its states as much as is drawn here. */
export interface Machine {
  readonly initial: string;
  readonly states: { readonly [name: string]: State };
}
export interface State {
  readonly type?: string;
  readonly initial?: string;
  readonly invoke?: { readonly src: string; readonly onDone?: Transitions; readonly onError?: Transitions };
  readonly on?: { readonly [event: string]: Transitions };
  readonly after?: { readonly [ms: string]: Transitions };
  readonly always?: Transitions;
  readonly onDone?: Transitions;
  readonly states?: { readonly [name: string]: State };
}
type Transitions = readonly { readonly target?: string; readonly guard?: string }[];

/** One way out of a state: on what, and where to; a way without a target stays. */
export interface Way {
  readonly on: string;
  readonly to?: string;
}

export interface Drawing {
  readonly drawn: Machine;
  readonly mermaid: string;
}

/** The machine of a run's workflow; undefined for what is none. */
export async function fetchMachine(workflow: string): Promise<Drawing | undefined> {
  const answer = await fetch("/runs/machines");
  if (!answer.ok) return undefined; // it is said elsewhere that nobody answers
  const { machines } = (await answer.json()) as { readonly machines: { readonly [workflow: string]: Drawing } };
  return machines[workflow];
}

export function waysOf(state: State, toWords: (ms: number) => string): readonly Way[] {
  const named = (on: string, all: Transitions = []): readonly Way[] =>
    all.map(({ target, guard }) => ({
      on: guard === undefined ? on : `${on} [${guard}]`,
      ...(target !== undefined && { to: target.replace(/^#[^.]*\.?|^\./, "") }),
    }));
  return [
    ...named(`${state.invoke?.src} done`, state.invoke?.onDone),
    ...named(`${state.invoke?.src} failed`, state.invoke?.onError),
    ...Object.entries(state.on ?? {}).flatMap(([event, all]) => named(event, all)),
    ...Object.entries(state.after ?? {}).flatMap(([ms, all]) => named(`after ${toWords(Number(ms))}`, all)),
    ...named("at once", state.always),
    ...named("all done", state.onDone),
  ];
}

/** The states in columns, each in that of the fewest moves that lead to it; what nothing leads to comes last. */
export function toColumns({ initial, states }: Machine): readonly (readonly string[])[] {
  const left = new Set(Object.keys(states));
  const columns: string[][] = [];
  let next = [initial];
  while (next.length > 0) {
    const column = next.filter((name) => left.delete(name));
    if (column.length > 0) columns.push(column);
    next = column.flatMap((name) => targetsIn(states[name] ?? {})).filter((name) => left.has(name));
  }
  return left.size > 0 ? [...columns, [...left]] : columns;
}

const targetsIn = (state: State): readonly string[] => [
  ...waysOf(state, String).flatMap(({ to }) => (to === undefined ? [] : [to.split(".")[0] ?? to])),
  ...Object.values(state.states ?? {}).flatMap(targetsIn),
];

/** Where a machine stands, as its progress says it: names of states, outer and inner. */
export function standingOf(progress: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (value: unknown, path: string): void => {
    if (typeof value === "string") names.add(path + value);
    else if (typeof value === "object" && value !== null) {
      for (const [name, inner] of Object.entries(value)) {
        names.add(path + name);
        add(inner, `${path}${name}.`);
      }
    }
  };
  if (typeof progress === "object" && progress !== null && "state" in progress) add(progress.state, "");
  return names;
}
