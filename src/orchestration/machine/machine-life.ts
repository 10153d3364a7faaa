import { type AnyCommand, Fault, type Named, validate } from "../../contracts/index.ts";
import { toPlain } from "../language/plain.ts";
import { toThrown } from "../replay/thrown.ts";
import {
  type AnyChart,
  type Asked,
  type Chart,
  type ChartEvent,
  doneIn,
  failedIn,
  lineOf,
  type Moved,
  type Place,
} from "./machine-chart.ts";
import type { MachineFailure, MachineState, StateValue } from "./machine-declaration.ts";
import type { Stretch } from "./stretch.ts";

/** A declaration with its types forgotten. */
export interface AnyMachine extends AnyChart {
  readonly version: number;
  readonly context?: (input: unknown) => unknown;
  readonly actions?: { readonly [name: string]: (at: object) => unknown };
  readonly unexpected?: "keep" | "drop";
  readonly stretch?: number;
  readonly migrate?: { readonly [from: number]: (was: MachineState<unknown>) => MachineState<unknown> };
  readonly output?: (at: object) => unknown;
  readonly progress?: (at: MachineState<unknown>) => unknown;
}

/** What of a machine goes on in the next stretch of its journal. */
interface Carried extends MachineState<unknown> {
  readonly version: number;
  readonly timers: readonly Timer[];
}
interface Timer {
  readonly id: string;
  /** In ms since 1970. */
  readonly at: number;
}
interface Acting {
  readonly run: Stretch & { now(): Date; progress(value: unknown): void };
  readonly fail: unknown;
}

const longestStretch = 200;
/** A transition without an event that leads back to itself would go on for ever. */
const mostAtOnce = 10_000;

/** A machine's life, as the body of a workflow: it waits for the next event, moves, does what that asks for, and waits again. */
export async function live(
  declared: AnyMachine,
  chart: Chart,
  operation: AnyCommand & Named,
  input: unknown,
  given: unknown,
): Promise<unknown> {
  return new Life(declared, chart, operation, given as Acting).live(input); // what a workflow's body is handed
}

class Life {
  readonly #declared: AnyMachine;
  readonly #chart: Chart;
  readonly #operation: AnyCommand & Named;
  readonly #acting: Acting;
  readonly #stretch: Stretch["~stretch"];
  #timers: readonly Timer[] = [];
  #moves = 0;

  constructor(declared: AnyMachine, chart: Chart, operation: AnyCommand & Named, acting: Acting) {
    this.#declared = declared;
    this.#chart = chart;
    this.#operation = operation;
    this.#acting = acting;
    this.#stretch = acting.run["~stretch"];
  }

  async live(input: unknown): Promise<unknown> {
    let place = await this.#begin(input);
    while (place.status === "active") {
      this.#tell(place);
      const { replaying, outdated } = this.#stretch.state();
      // Only where the journal says nothing more: what it says was done in this stretch and by this version.
      if (!replaying && (outdated || this.#moves >= (this.#declared.stretch ?? longestStretch)))
        return this.#stretch.carry(this.#carried(place));
      const event = await this.#next(place);
      if (!event) continue;
      this.#moves++;
      place = await this.#settle(await this.#pure(() => this.#chart.move(place, event)));
    }
    this.#tell(place);
    const { output } = this.#declared;
    return output?.({ ...stateOf(place), fail: this.#acting.fail });
  }

  async #begin(input: unknown): Promise<Place> {
    const carried = this.#stretch.carried as Carried | undefined; // what carry was given
    if (carried) return this.#goOn(carried);
    const { context = (input: unknown) => input } = this.#declared;
    return this.#settle(
      await this.#pure(() => this.#chart.begin(toPlain(context(input), "The context of the machine"))),
    );
  }

  /** In a further stretch, and maybe in a newer version. */
  async #goOn(carried: Carried): Promise<Place> {
    const { version, migrate = {} } = this.#declared;
    let was: MachineState<unknown> = carried;
    if (carried.version > version)
      await this.#stop(`It is of version ${carried.version} already, and this code knows it up to version ${version}.`);
    for (let from = carried.version; from < version; from++) {
      const migration = migrate[from];
      if (migration)
        was = await this.#pure(() => toPlain(migration(was), "What migrate gives back") as MachineState<unknown>);
    }
    const at = was;
    let place: Place;
    try {
      place = this.#chart.at(at);
    } catch {
      return this.#stop(
        `It is in the state "${lineOf(at.state)}", which version ${version} does not have. Say under "migrate" which state that is now, or bring the state back.`,
      );
    }
    const now = this.#acting.run.now().getTime();
    const kept = new Map(carried.timers.map((timer) => [timer.id, timer]));
    // A timer that this version has and the former had not begins now: when the state was entered is not known any more.
    this.#timers = this.#chart.timers(place).map(({ id, ms }) => kept.get(id) ?? { id, at: now + ms });
    return place;
  }

  /** The next thing that happens: a signal that is expected, or the first timer. */
  async #next(place: Place): Promise<ChartEvent | undefined> {
    const first = this.#timers.reduce<Timer | undefined>(
      (one, other) => (one && one.at <= other.at ? one : other),
      undefined,
    );
    const drops = this.#declared.unexpected === "drop";
    const names = drops ? Object.keys(this.#operation.signals) : this.#chart.expects(place);
    const { state } = stateOf(place);
    const taken = await this.#stretch.next(`in ${lineOf(state)}`, names, first?.at);
    if (taken) return this.#read(taken.signal, taken.payload);
    if (!first) return undefined;
    this.#timers = this.#timers.filter((timer) => timer !== first);
    return { type: first.id };
  }

  async #read(signal: string, payload: unknown): Promise<ChartEvent> {
    const schema = this.#operation.signals[signal]?.schema;
    const read = schema && (await this.#stretch.hold(() => validate(schema, payload)));
    if (read?.ok) return { type: signal, payload: read.value };
    return this.#stop(`The signal "${signal}" that it was sent is not what its contract says now.`);
  }

  /** Does what a move asks for, one after the other; what that changes may ask for more. */
  async #settle(moved: Moved): Promise<Place> {
    let { place } = moved;
    const asked: Asked[] = [...moved.asked];
    for (let count = 0; ; count++) {
      const one = asked.shift();
      if (!one) return place;
      if (count === mostAtOnce) await this.#stop(`${mostAtOnce} actions came of one event. Look for a circle.`);
      if (one.kind === "act") {
        const next = await this.#act(one, place);
        if (!next) continue;
        ({ place } = next);
        asked.push(...next.asked);
      } else {
        this.#timers = this.#timers.filter(({ id }) => id !== one.id);
        if (one.kind === "set timer")
          this.#timers = [...this.#timers, { id: one.id, at: this.#acting.run.now().getTime() + one.ms }];
      }
    }
  }

  async #act({ action, state, event }: Asked & { readonly kind: "act" }, place: Place): Promise<Moved | undefined> {
    const act = this.#declared.actions?.[action] as (at: object) => unknown; // the chart was checked
    const { run, ...others } = this.#acting;
    const { context } = stateOf(place);
    const output = await this.#attempt(() => act({ ...others, run, context, event }), state);
    if ("failure" in output) {
      return this.#pure(() => this.#chart.move(place, { type: failedIn(state ?? ""), error: output.failure }));
    }
    const changed =
      output.patch === undefined ? undefined : await this.#pure(() => this.#chart.change(place, output.patch));
    if (state === undefined) return changed;
    const done = await this.#pure(() =>
      this.#chart.move(changed?.place ?? place, { type: doneIn(state), output: output.patch }),
    );
    return { place: done.place, asked: [...(changed?.asked ?? []), ...done.asked] };
  }

  /** An action's failure is an event only where the state that it is of says what comes of it. */
  async #attempt(
    act: () => unknown,
    state: string | undefined,
  ): Promise<{ readonly patch: unknown } | { readonly failure: MachineFailure }> {
    try {
      return { patch: toPlain(await act(), "What an action gives back") };
    } catch (error) {
      if (state === undefined || !this.#mends(state)) throw error;
      const thrown = toThrown(error);
      const message = error instanceof Error ? error.message : String(error);
      return { failure: { code: thrown.kind === "error" ? thrown.name : thrown.code, message } };
    }
  }

  #mends(path: string): boolean {
    let states: AnyChart["states"] | undefined = this.#declared.states;
    let found: AnyChart["states"][string] | undefined;
    for (const name of path.split(".")) {
      found = states?.[name];
      states = found?.states;
    }
    return found?.onFailure !== undefined;
  }

  #tell(place: Place): void {
    if (!this.#operation.progress) return;
    const { progress = (at: unknown) => at } = this.#declared;
    this.#acting.run.progress(progress(stateOf(place)));
  }

  #carried(place: Place): Carried {
    return { version: this.#declared.version, ...stateOf(place), timers: this.#timers };
  }

  /** A guard or a change that throws is a mistake in the declaration: no event mends that, and nothing is undone for it. */
  async #pure<T>(work: () => T): Promise<T> {
    try {
      return work();
    } catch (error) {
      return this.#stop(error instanceof Error || error instanceof Fault ? error.message : String(error));
    }
  }

  #stop(why: string): Promise<never> {
    return this.#stretch.stop(`The machine of ${this.#operation.id} cannot go on. ${why}`);
  }
}

const stateOf = ({ value, context }: Place): MachineState<unknown> => ({ state: value as StateValue, context }); // of a chart that was checked
