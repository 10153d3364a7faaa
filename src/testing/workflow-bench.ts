import { type Call, type Duration, Fault, silent, silentTracing, toMs, validate } from "../contracts/index.ts";
import { type Entry, type History, type Order, Runner, type RunRow } from "../orchestration/host.ts";
import type { Workflow } from "../orchestration/index.ts";
import { BenchNodes, type Crash, type EmittedEvent } from "./bench-node.ts";
import type { Fake, FakeCall } from "./fake.ts";
import { type MemoryJournal, memoryJournal } from "./memory-journal.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";

export interface BenchOptions {
  /** Kills the node once; another one goes on from the journal. */
  readonly crash?: Crash;
  /** The run leaves memory whenever it waits and after every result, and comes back by replay. */
  readonly alwaysSuspend?: boolean;
  /** Workflows that it calls or begins as its children, instead of fakes. */
  readonly beside?: readonly Workflow[];
}

/** A workflow on a bench: its own journal, virtual time, fakes for what it uses. Nothing of it is global. */
export interface WorkflowBench {
  /** Runs it with this input until it ends, letting time pass. Resolves with the output; rejects with what the caller would be told. */
  run(input: unknown): Promise<unknown>;
  /** Begins it and lets time pass until it waits or has ended. */
  begin(input: unknown): Promise<void>;
  /** Sends a signal to the run. */
  signal(name: string, payload: unknown): Promise<void>;
  /** Does to the run what an operator can; throws the sentence where it cannot be done. */
  steer(to: "cancel" | "terminate" | "pause" | "resume" | "retry", reason?: string): Promise<void>;
  /** Forks the run, and gives back the other one's id. */
  fork(from?: { readonly step?: string; readonly input?: unknown; readonly key?: string }): Promise<string>;
  /** What is on disk of any run. */
  entriesOf(run: string): readonly Entry[];
  /** Lets so much time pass. */
  pass(time: Duration): Promise<void>;
  /** Lets time pass until the run has ended. */
  end(): Promise<unknown>;
  /** The run's journal. */
  readonly entries: readonly Entry[];
  readonly row: RunRow | undefined;
  /** What the run last said of itself, as far as it is on disk. */
  readonly progress: unknown;
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
export function workflowBench(workflow: Workflow, fakes: readonly Fake[], options: BenchOptions = {}): WorkflowBench {
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
  readonly #journal: MemoryJournal = memoryJournal();
  readonly #nodes: BenchNodes;
  #runner: Runner | undefined;
  #ended: Ended | undefined;
  #input: unknown;

  constructor(workflow: Workflow, fakes: readonly Fake[], options: BenchOptions) {
    this.#workflow = workflow;
    this.#options = options;
    this.#nodes = new BenchNodes({
      ...{ journal: this.#journal, fakes, crash: options.crash },
      workflows: [workflow, ...(options.beside ?? [])],
      providers: () => this.#runner?.providers ?? [],
    });
  }

  get entries(): readonly Entry[] {
    return this.row ? this.#journal.entries(this.row.run) : [];
  }
  get row(): RunRow | undefined {
    return this.#journal.rows()[0];
  }
  get rows(): readonly RunRow[] {
    return this.#journal.rows();
  }
  get progress(): unknown {
    return this.entries.findLast((entry) => entry.type === "Progress")?.value;
  }
  get history(): History {
    const { row, entries } = this;
    if (!row) throw new Error("There is no run yet. Begin it first.");
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
    return this.#journal.commits;
  }

  async run(input: unknown): Promise<unknown> {
    await this.begin(input);
    return this.end();
  }

  async begin(input: unknown): Promise<void> {
    this.#input = input;
    await this.#startNode();
    this.#ask();
    await this.#clock.advance(0);
    await this.#afterCrash();
  }

  async signal(name: string, payload: unknown): Promise<void> {
    const outcome = await this.#runner?.signal(this.row?.run ?? "", name, payload, {
      id: "bench",
      key: JSON.stringify([name, payload]),
    });
    if (outcome !== "taken") throw new Error(`The signal "${name}" was not taken: ${outcome}.`);
    await this.#clock.advance(0);
    await this.#afterCrash();
  }

  async steer(to: Order["to"], reason?: string): Promise<void> {
    const order = { to, by: "bench", ...(reason !== undefined && { reason }) };
    const retries = () => this.entries.filter(({ type }) => type === "Retried").length;
    const before = retries();
    const steered = await this.#patiently(async (runner, run) =>
      // Of a node that died over it, it may be on disk all the same.
      retries() > before ? { ok: true as const } : runner.steer(run, order),
    );
    if (!steered.ok) throw new Error(steered.sentence);
    if (to === "retry") {
      this.#ended = undefined;
      this.#ask();
    }
    await this.#clock.advance(0);
    await this.#afterCrash();
  }

  async fork({ step, input, key = "bench" }: Parameters<WorkflowBench["fork"]>[0] = {}): Promise<string> {
    const about = { by: caller.principal, key, traceparent: silent.traceparent };
    const from = { ...(step !== undefined && { step }), ...(input !== undefined && { input: { value: input } }) };
    const forked = await this.#patiently((runner, run) => runner.fork(run, { ...about, ...from }));
    if (!forked.ok) throw new Error(forked.sentence);
    await this.#clock.advance(0);
    await this.#afterCrash();
    return forked.run;
  }

  entriesOf(run: string): readonly Entry[] {
    return this.#journal.entries(run);
  }

  /** Asks again where the node died over it. */
  async #patiently<T>(ask: (runner: Runner, run: string) => Promise<T>): Promise<T> {
    for (;;) {
      let answer: { readonly value: T } | { readonly error: unknown } | undefined;
      void ask(this.#runner as Runner, this.row?.run ?? "").then(
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

  async pass(time: Duration): Promise<void> {
    let over = false;
    this.#clock.after(toMs(time), () => {
      over = true;
    });
    while (!over) {
      await this.#clock.until(() => over || this.#nodes.isDead);
      await this.#afterCrash();
    }
    await this.#clock.advance(0);
    await this.#afterCrash();
  }

  async end(): Promise<unknown> {
    await this.#clock.until(() => this.#ended !== undefined || this.#nodes.isDead || this.row?.state === "paused");
    await this.#afterCrash();
    if (!this.#ended && this.row?.state !== "paused") return this.end();
    if (!this.#ended) throw new Error(`The run is paused: ${this.row?.reason}`);
    if ("error" in this.#ended) throw this.#ended.error;
    return this.#ended.output;
  }

  async #afterCrash(): Promise<void> {
    if (!this.#nodes.isDead) return;
    await this.#startNode();
    this.#ask();
    await this.#clock.advance(0);
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
    void validate(this.#workflow.operation.input, this.#input)
      .then((read) => {
        if (!read.ok) throw new Fault("InvalidInput", "The input breaks the contract.", { issues: read.issues });
        return this.#runner?.providers[0]?.handle(read.value, caller, this.#input);
      })
      .then(
        (reply) => ended({ output: reply && "output" in reply ? reply.output : undefined }),
        (error: unknown) => ended({ error }),
      );
  }
}
