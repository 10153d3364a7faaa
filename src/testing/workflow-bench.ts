import {
  type AnyCommand,
  type Call,
  type CallerInput,
  type CallerOutput,
  type Duration,
  Fault,
  type In,
  type Named,
  nothing,
  type Signal,
  silent,
  silentTracing,
  toMs,
  validate,
} from "../contracts/index.ts";
import { type Entry, type History, type Order, Runner, type RunRow } from "../orchestration/host.ts";
import type { Workflow } from "../orchestration/index.ts";
import { type Keeping, keep } from "./bench-keeping.ts";
import { BenchNodes, type Crash, type EmittedEvent } from "./bench-node.ts";
import { type BenchPlace, inMemory } from "./bench-places.ts";
import type { Fake, FakeCall } from "./fake.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";

export interface BenchOptions {
  /** Where it keeps its runs; in memory unless told. On an engine it has to be closed: the bench, or its place. */
  readonly on?: BenchPlace;
  /** Kills the node once; another one goes on from the journal. */
  readonly crash?: Crash;
  /** The run leaves memory whenever it waits and after every result, and comes back by replay. */
  readonly alwaysSuspend?: boolean;
  /** Workflows that it calls or begins as its children, instead of fakes. */
  readonly beside?: readonly Workflow[];
}

/**
 * A workflow on a bench: its own journal, virtual time, fakes for what it uses. Nothing of it is global. What it says of
 * runs is what was on disk when it last gave back control. Input, output, signals and progress are those of the command
 * that the workflow implements. Where a fake is missing, or a handler of one, whatever waits rejects with a sentence that
 * names it: the run is told nothing.
 */
export interface WorkflowBench<Op extends AnyCommand = AnyCommand> extends AsyncDisposable {
  /** Runs it with this input until it ends, letting time pass. Resolves with the output; rejects with what the caller would be told. */
  run(input: CallerInput<Op>): Promise<CallerOutput<Op>>;
  /** Begins it and lets time pass until it waits or has ended. Rejects with `InvalidInput` where the input breaks the contract. */
  begin(input: CallerInput<Op>): Promise<void>;
  /** Sends a signal to the run. */
  signal<K extends keyof Op["signals"] & string>(
    name: K,
    payload: Op["signals"][K] extends Signal<infer S> ? In<S> : never,
  ): Promise<void>;
  /** Does to the run what an operator can; throws the sentence where it cannot be done. */
  steer(to: "cancel" | "terminate" | "pause" | "resume" | "retry", reason?: string): Promise<void>;
  /** Forks the run, and gives back the other one's id. */
  fork(from?: { readonly step?: string; readonly input?: CallerInput<Op>; readonly key?: string }): Promise<string>;
  /** What is on disk of any run. */
  entriesOf(run: string): readonly Entry[];
  /** Lets so much time pass. */
  pass(time: Duration): Promise<void>;
  /** Lets time pass until the run has ended. Resolves and rejects as `run` does. */
  end(): Promise<CallerOutput<Op>>;
  /** Closes the engine that it is on, where it is on one, and removes what it kept there. What it says of runs it still says. */
  close(): Promise<void>;
  /** The run's journal. */
  readonly entries: readonly Entry[];
  readonly row: RunRow | undefined;
  /** What the run last said of itself, as far as it is on disk. */
  readonly progress: In<NonNullable<Op["progress"]>> | undefined;
  /** The run's journal as plain data, for `replays`. */
  readonly history: History;
  /** The events that were emitted, in order. */
  readonly events: readonly EmittedEvent[];
  /** Every run, those beside it included. */
  readonly rows: readonly RunRow[];
  /** What took effect, in order. */
  readonly calls: readonly FakeCall[];
  /** How many commits the run has taken. */
  readonly commits: number;
  /** Whether the crash that was asked for has come. */
  readonly crashed: boolean;
}

/** Puts a workflow on the bench. The fakes play the contracts that it uses. */
export function workflowBench<Op extends AnyCommand & Named>(
  workflow: Workflow<string, string, Workflow["~tags"], Op>,
  fakes: readonly Fake[],
  options: BenchOptions = {},
): WorkflowBench<Op> {
  return new Bench(workflow, fakes, options);
}

const key = "bench";
const caller: Call = {
  principal: { id: "bench", kind: "system", scopes: [] },
  trace: silent,
  aborted: new AbortController().signal,
  key,
};

type Ended = { readonly output: unknown } | { readonly error: unknown };

class Bench implements WorkflowBench {
  readonly #workflow: Workflow;
  readonly #options: BenchOptions;
  readonly #clock: VirtualClock = virtualClock();
  readonly #nodes: BenchNodes;
  #keeping: Keeping | undefined;
  #runner: Runner | undefined;
  #ended: Ended | undefined;
  #input: unknown;

  constructor(workflow: Workflow, fakes: readonly Fake[], options: BenchOptions) {
    this.#workflow = workflow;
    this.#options = options;
    this.#nodes = new BenchNodes({
      ...{ fakes, crash: options.crash },
      journal: () => this.#kept.journal,
      workflows: [workflow, ...(options.beside ?? [])],
      providers: () => this.#runner?.providers ?? [],
    });
  }

  get entries(): readonly Entry[] {
    return this.row ? this.entriesOf(this.row.run) : [];
  }
  get row(): RunRow | undefined {
    return this.rows[0];
  }
  get rows(): readonly RunRow[] {
    return this.#keeping?.rows ?? [];
  }
  get progress(): unknown {
    return this.entries.findLast((entry) => entry.type === "Progress")?.value;
  }
  get history(): History {
    const { row, entries } = this;
    if (!row) throw new Error(notBegun);
    return { run: row.run, workflow: row.workflow, entries };
  }
  get events(): readonly EmittedEvent[] {
    return [...this.#nodes.events.values()];
  }
  get calls(): readonly FakeCall[] {
    return this.#nodes.calls;
  }
  get crashed(): boolean {
    return this.#nodes.hasCrashed;
  }
  get commits(): number {
    return this.#keeping?.commits ?? 0;
  }

  entriesOf(run: string): readonly Entry[] {
    return this.#keeping?.entries(run) ?? [];
  }

  async run(input: unknown): Promise<unknown> {
    await this.begin(input);
    return this.end();
  }

  async begin(input: unknown): Promise<void> {
    await this.#read(input);
    this.#input = input;
    this.#keeping ??= await keep(this.#options.on ?? inMemory, this.#clock);
    await this.#startNode();
    this.#ask();
    await this.#settle();
  }

  async signal(name: string, payload: unknown): Promise<void> {
    const by = { id: "bench", key: JSON.stringify([name, payload]) };
    const outcome = await this.#patiently((runner, run) => runner.signal(run, name, payload, by));
    if (outcome !== "taken") throw new Error(`The signal "${name}" was not taken: ${outcome}.`);
    await this.#settle();
  }

  async steer(to: Order["to"], reason?: string): Promise<void> {
    const order = { to, by: "bench", ...(reason !== undefined && { reason }) };
    const retries = async (): Promise<number> => {
      await this.#kept.look();
      return this.entries.filter(({ type }) => type === "Retried").length;
    };
    const before = await retries();
    const steered = await this.#patiently(async (runner, run) =>
      // Of a node that died over it, it may be on disk all the same.
      (await retries()) > before ? { ok: true as const } : runner.steer(run, order),
    );
    if (!steered.ok) throw new Error(steered.sentence);
    if (to === "retry") {
      this.#ended = undefined;
      this.#ask();
    }
    await this.#settle();
  }

  async fork({ step, input, key = "bench" }: Parameters<WorkflowBench["fork"]>[0] = {}): Promise<string> {
    const about = { by: caller.principal, key, traceparent: silent.traceparent };
    const from = { ...(step !== undefined && { step }), ...(input !== undefined && { input: { value: input } }) };
    const forked = await this.#patiently((runner, run) => runner.fork(run, { ...about, ...from }));
    if (!forked.ok) throw new Error(forked.sentence);
    await this.#settle();
    return forked.run;
  }

  async pass(time: Duration): Promise<void> {
    let over = false;
    this.#clock.after(toMs(time), () => {
      over = true;
    });
    while (!over) {
      await this.#clock.until(() => over || this.#nodes.isDead);
      await this.#afterCrash();
    }
    await this.#settle();
  }

  async end(): Promise<unknown> {
    const isPaused = async (): Promise<boolean> => {
      await this.#kept.look();
      return this.row?.state === "paused";
    };
    for (;;) {
      await this.#clock.until(() => this.#ended !== undefined || this.#nodes.isDead || isPaused());
      await this.#afterCrash();
      const paused = await isPaused();
      if (this.#ended && "error" in this.#ended) throw this.#ended.error;
      if (this.#ended) return this.#ended.output;
      if (paused) throw new Error(`The run is paused: ${this.row?.reason}`);
    }
  }

  async close(): Promise<void> {
    this.#nodes.end();
    await this.#keeping?.close();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #kept(): Keeping {
    if (!this.#keeping) throw new Error(notBegun);
    return this.#keeping;
  }

  /** Lets everything come to rest, whatever crashes, and reads back what there is then. */
  async #settle(): Promise<void> {
    await this.#clock.advance(0);
    await this.#afterCrash();
    await this.#kept.look();
  }

  /** Asks again where the node died over it. */
  async #patiently<T>(ask: (runner: Runner, run: string) => Promise<T>): Promise<T> {
    for (;;) {
      if (!this.#runner || !this.row) throw new Error(notBegun);
      let answer: { readonly value: T } | { readonly error: unknown } | undefined;
      void ask(this.#runner, this.row.run).then(
        (value) => {
          answer = { value };
        },
        (error: unknown) => {
          answer = { error };
        },
      );
      await this.#clock.until(() => answer !== undefined || this.#nodes.isDead);
      if (answer && "error" in answer) throw answer.error;
      if (answer) return answer.value;
      await this.#afterCrash();
    }
  }

  async #afterCrash(): Promise<void> {
    while (this.#nodes.isDead) {
      if (this.#nodes.mistake) {
        await this.#kept.look();
        throw this.#nodes.mistake;
      }
      await this.#startNode();
      this.#ask();
      await this.#clock.advance(0);
    }
  }

  async #startNode(): Promise<void> {
    const { beside = [], alwaysSuspend } = this.#options;
    this.#runner = new Runner([this.#workflow, ...beside], {
      ...this.#nodes.next(),
      ...{ clock: this.#clock, tracing: silentTracing, suspendAfterMs: alwaysSuspend ? 0 : 1_000 },
      ...{ random: () => 0.5, evict: alwaysSuspend ? "always" : "waiting" },
    });
    await this.#runner.start();
  }

  #ask(): void {
    const alive = this.#nodes.present;
    const ended = (end: Ended): void => {
      if (alive === this.#nodes.present && !this.#nodes.isDead) this.#ended = end;
    };
    void this.#read(this.#input)
      .then((value) => this.#runner?.providers[0]?.handle(value, caller, this.#input))
      .then((reply) => this.#answer(reply && "output" in reply ? reply.output : undefined))
      .then(
        (output) => ended({ output }),
        (error: unknown) => ended({ error }),
      );
  }

  async #read(input: unknown): Promise<unknown> {
    const read = await validate(this.#workflow.operation.input, input);
    if (read.ok) return read.value;
    throw new Fault("InvalidInput", "The input breaks the contract.", { issues: read.issues });
  }

  /** The output as a caller reads it. */
  async #answer(wire: unknown): Promise<unknown> {
    const { id, output } = this.#workflow.operation;
    if (output === nothing) return undefined;
    const read = await validate(output, wire);
    if (read.ok) return read.value;
    throw new Fault("InvalidOutput", `The output of ${id} breaks its contract.`, { issues: read.issues });
  }
}

const notBegun = "There is no run yet. Begin it first.";
