import {
  type Answer,
  type Call,
  type Dispatch,
  type Duration,
  Fault,
  type Operation,
  operationsOf,
  type Provider,
  silent,
  silentTracing,
  toMs,
  validate,
} from "../contracts/index.ts";
import {
  type Entry,
  type Events,
  type History,
  type Journal,
  type Order,
  Runner,
  type RunRow,
} from "../orchestration/host.ts";
import type { Workflow } from "../orchestration/index.ts";
import type { Fake, FakeCall } from "./fake.ts";
import { type MemoryJournal, memoryJournal } from "./memory-journal.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";

/** Where a node dies: at its n-th commit, before or after it is on disk. */
export interface Crash {
  readonly at: number;
  readonly afterWriting: boolean;
}
export interface BenchOptions {
  /** Kills the node once; another one goes on from the journal. */
  readonly crash?: Crash;
  /** The run leaves memory whenever it waits and after every result, and comes back by replay. */
  readonly alwaysSuspend?: boolean;
  /** Workflows that it calls or begins as its children, instead of fakes. */
  readonly beside?: readonly Workflow[];
}

/** An event as a run has written it. */
export interface EmittedEvent {
  readonly event: string;
  readonly payload: unknown;
  readonly run: string;
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

/**
 * Tells a story again and again, each time with a crash before or after another commit, and compares what it gives back
 * with what it gives without a crash. Throws at the first difference, naming the commit. Gives back how many crashes there were.
 */
export async function crashEverywhere<T>(
  story: (options: BenchOptions) => Promise<{ readonly bench: WorkflowBench; readonly told: T }>,
  same: (told: T, undisturbed: T, where: string) => void,
): Promise<number> {
  const { told: undisturbed } = await story({});
  let crashes = 0;
  for (const alwaysSuspend of [false, true]) {
    for (const afterWriting of [false, true]) {
      for (let at = 1; ; at++) {
        const { bench, told } = await story({ alwaysSuspend, crash: { at, afterWriting } });
        same(
          told,
          undisturbed,
          `a crash ${afterWriting ? "after" : "before"} commit ${at}${alwaysSuspend ? ", always suspending" : ""}`,
        );
        if (!bench.crashed) break;
        crashes++;
      }
    }
  }
  return crashes;
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
  readonly #fakes: ReadonlyMap<string, Fake>;
  readonly #options: BenchOptions;
  readonly #clock: VirtualClock = virtualClock();
  readonly #journal: MemoryJournal = memoryJournal();
  readonly #calls: FakeCall[] = [];
  /** How many of each fake's calls are among these, or were there before. */
  readonly #counted: Map<Fake, number>;
  readonly #events = new Map<string, EmittedEvent>();
  #runner: Runner | undefined;
  #nodes = 0;
  #appends = 0;
  #dead = false;
  #ended: Ended | undefined;
  #input: unknown;
  crashed = false;

  constructor(workflow: Workflow, fakes: readonly Fake[], options: BenchOptions) {
    this.#workflow = workflow;
    this.#options = options;
    this.#counted = new Map(fakes.map((one) => [one, one.calls.length]));
    this.#fakes = new Map(fakes.flatMap((one) => operationsOf(one.contract).map(({ id }) => [id, one])));
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
    return [...this.#events.values()];
  }
  get calls(): readonly FakeCall[] {
    return this.#calls;
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
      await this.#clock.until(() => answer !== undefined || this.#dead);
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
      await this.#clock.until(() => over || this.#dead);
      await this.#afterCrash();
    }
    await this.#clock.advance(0);
    await this.#afterCrash();
  }

  async end(): Promise<unknown> {
    await this.#clock.until(() => this.#ended !== undefined || this.#dead || this.row?.state === "paused");
    await this.#afterCrash();
    if (!this.#ended && this.row?.state !== "paused") return this.end();
    if (!this.#ended) throw new Error(`The run is paused: ${this.row?.reason}`);
    if ("error" in this.#ended) throw this.#ended.error;
    return this.#ended.output;
  }

  async #afterCrash(): Promise<void> {
    if (!this.#dead) return;
    this.#dead = false;
    await this.#startNode();
    this.#ask();
    await this.#clock.advance(0);
  }

  async #startNode(): Promise<void> {
    const node = `node-${++this.#nodes}`;
    const suspendAfterMs = this.#options.alwaysSuspend ? 0 : 1_000;
    const ports = {
      journal: this.#journalOf(node),
      dispatch: this.#dispatchOf(node),
      events: this.#eventsOf(node),
      clock: this.#clock,
      tracing: silentTracing,
    };
    const { beside = [], alwaysSuspend } = this.#options;
    this.#runner = new Runner([this.#workflow, ...beside], {
      ...ports,
      ...{ node, suspendAfterMs, random: () => 0.5, evict: alwaysSuspend ? "always" : "waiting" },
    });
    await this.#runner.start();
  }

  #ask(): void {
    const alive = this.#nodes;
    const ended = (end: Ended): void => {
      if (alive === this.#nodes && !this.#dead) this.#ended = end;
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

  #isDead(node: string): boolean {
    return node !== `node-${this.#nodes}` || this.#dead;
  }

  /** A node that has died neither writes nor acts any more: whatever it awaits never comes. */
  #journalOf(node: string): Journal {
    const { crash } = this.#options;
    const append: Journal["append"] = async (...given) => {
      if (crash && !this.crashed && ++this.#appends === crash.at) {
        this.crashed = true;
        if (crash.afterWriting) await this.#journal.append(...given);
        this.#dead = true;
        return new Promise(() => {});
      }
      return this.#journal.append(...given);
    };
    const isDead = () => this.#isDead(node);
    return { ...whileAlive({ ...this.#journal, append }, isDead), nodes: whileAlive(this.#journal.nodes, isDead) };
  }

  #dispatchOf(node: string): Dispatch {
    return {
      call: async (id, input, call) => {
        if (this.#isDead(node)) return new Promise(() => {});
        const beside = this.#runner?.providers.find(({ operation }) => operation === id);
        if (beside) return this.#callBeside(beside, input, call);
        const provider = this.#fakes.get(id);
        if (!provider)
          throw new Fault("Internal", `No fake plays ${id}. Give the bench one.`, {
            outcome: "not done",
            retry: "never",
          });
        try {
          const wire = await provider.call(id, input, call);
          const operation = operationsOf(provider.contract).find((one) => one.id === id) as Operation; // the map was made of them
          const read = await validate(operation.output, wire);
          if (!read.ok)
            throw new Fault("InvalidOutput", `The fake of ${id} breaks its contract: ${read.issues[0]?.message}`);
          return { wire, value: read.value };
        } finally {
          this.#calls.push(...provider.calls.slice(this.#counted.get(provider)));
          this.#counted.set(provider, provider.calls.length);
        }
      },
      void: async (id, key, call) => {
        const beside = this.#runner?.providers.find(({ operation }) => operation === id);
        return (await beside?.void?.(key, call)) ?? this.#fakes.get(id)?.void(id, key) ?? { took: "unknown" };
      },
    };
  }

  async #callBeside(provider: Provider, input: unknown, call: Call): Promise<Answer> {
    const { operation } = [this.#workflow, ...(this.#options.beside ?? [])].find(
      ({ id }) => id === provider.operation,
    ) as Workflow; // the providers are made of them
    const read = await validate(operation.input, input);
    if (!read.ok) throw new Fault("InvalidInput", `The input breaks the contract.`, { issues: read.issues });
    const reply = await provider.handle(read.value, call, input);
    if ("accepted" in reply) return reply;
    const output = await validate(operation.output, reply.output);
    if (!output.ok) throw new Fault("InvalidOutput", `The output of ${provider.operation} breaks its contract.`);
    return { wire: reply.output, value: output.value, ...(reply.run !== undefined && { run: reply.run }) };
  }

  #eventsOf(node: string): Events {
    return {
      emit: async ({ id, schema }, payload, { run, key }) => {
        if (this.#isDead(node)) return new Promise(() => {});
        const read = await validate(schema, payload);
        if (!read.ok) throw new Fault("InvalidInput", `The event ${id} is not what its contract says.`);
        if (!this.#events.has(key)) this.#events.set(key, { event: id, payload, run });
      },
    };
  }
}

/** The same methods, which answer for as long as their node is alive. */
function whileAlive<T extends object>(methods: T, isDead: () => boolean): T {
  const alive = Object.entries(methods).map(([name, method]) => [
    name,
    typeof method === "function"
      ? (...given: readonly unknown[]) => (isDead() ? new Promise(() => {}) : method(...given))
      : method,
  ]);
  return Object.fromEntries(alive) as T; // name by name the same
}
