import { randomUUID } from "node:crypto";
import {
  type Call,
  type Clock,
  type Dispatch,
  Fault,
  type Provider,
  type Reply,
  type Tracing,
  validate,
} from "../contracts/index.ts";
import { Alarm } from "./alarm.ts";
import { Endings } from "./endings.ts";
import { Execution } from "./execution.ts";
import { digestOf, toRunId } from "./identity.ts";
import type { Entry, Journal, RunRow } from "./journal.ts";
import { type Rethrow, toRethrow } from "./thrown.ts";
import type { Verdict } from "./verdict.ts";
import type { Workflow } from "./workflow.ts";

export interface RunnerPorts {
  readonly journal: Journal;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly tracing: Tracing;
  /** From 0 to 1: the jitter of retries. */
  readonly random?: () => number;
  /** Makes the ids of runs; ids that grow with time lie together on disk. By default random. */
  readonly newId?: () => string;
  /** Fresh for each process, so that a restarted one is not its own zombie. */
  readonly node: string;
  /** A run that waits longer than this leaves memory; by default 1,000 ms. */
  readonly suspendAfterMs?: number;
  /** Told of what an operator should know: paused and lost runs. */
  readonly report?: (event: { readonly run: string; readonly operation: string; readonly verdict: Verdict }) => void;
}

/** What is known of a run from outside. */
export interface RunStatus {
  readonly row: RunRow;
  /** Of a run that is done: its output, as written. */
  readonly output?: unknown;
  /** Of a run that failed: what the caller is told. */
  readonly error?: Error;
}
export type SignalOutcome = "taken" | "no such run" | "no such signal" | "ended";

const wakeAtOnce = 64;

/** Owns the runs of one node: starts them, wakes them when they are due, takes over what a dead node held, lets go of them. */
export class Runner {
  readonly #ports: RunnerPorts;
  readonly #workflows = new Map<string, Workflow>();
  readonly #rethrow = new Map<string, Rethrow>();
  readonly #active = new Map<string, Execution>();
  readonly #activations = new Set<Promise<void>>();
  readonly #endings = new Endings();
  readonly #alarm: Alarm;
  /** Runs that were told something while they were in memory: they may have suspended without having seen it. */
  readonly #told = new Set<string>();
  #draining = false;

  constructor(workflows: readonly Workflow[], ports: RunnerPorts) {
    this.#ports = ports;
    const failed = (error: unknown) => ports.report?.({ run: "", operation: "", verdict: { kind: "lost", error } });
    this.#alarm = new Alarm(ports.clock, () => this.#wakeDue(), failed);
    for (const workflow of workflows) {
      if (this.#workflows.has(workflow.id))
        throw new TypeError(`${workflow.id} has two workflows; an operation is implemented once.`);
      this.#workflows.set(workflow.id, workflow);
      this.#rethrow.set(workflow.id, toRethrow(workflow.uses, workflow.operation));
    }
  }

  get providers(): readonly Provider[] {
    return [...this.#workflows.values()].map((workflow) => ({
      operation: workflow.id,
      handle: (input: unknown, call: Call, written: unknown) => this.#handle(workflow, input, call, written),
    }));
  }

  /** How many runs are in memory. */
  get active(): number {
    return this.#active.size;
  }

  /** Takes over what a dead node held, and begins to wake what is due. */
  async start(): Promise<void> {
    const { journal, clock } = this.#ports;
    while ((await journal.release(clock.now(), 256)) > 0);
    await this.#alarm.now();
  }

  /** Takes no more work, lets actions under way settle for so long, and lets go of every run: the next node goes on from the journal. */
  async drain(withinMs: number): Promise<void> {
    this.#draining = true;
    await this.#alarm.stop();
    for (const execution of this.#active.values()) execution.park("when settled");
    const hurry = this.#ports.clock.after(withinMs, () => {
      for (const execution of this.#active.values()) execution.park("now");
    });
    while (this.#activations.size > 0) await Promise.all(this.#activations);
    hurry();
  }

  async status(run: string): Promise<RunStatus | undefined> {
    const row = await this.#ports.journal.find(run);
    if (!row) return undefined;
    const verdict = await this.#verdictOf(row);
    if (verdict?.kind === "done") return { row, output: verdict.output };
    if (verdict?.kind === "failed") return { row, error: this.#errorOf(row.operation, verdict) };
    return { row };
  }

  /** Hands a signal to a run, wherever it is: durable when this resolves. The payload is as written, and checked here. */
  async signal(
    run: string,
    name: string,
    payload: unknown,
    by: { readonly id: string; readonly key?: string },
  ): Promise<SignalOutcome> {
    const { journal, clock } = this.#ports;
    const row = await journal.find(run);
    if (!row) return "no such run";
    const schema = this.#workflows.get(row.operation)?.operation.signals[name]?.schema;
    if (!schema) return "no such signal";
    const checked = await validate(schema, payload);
    if (!checked.ok)
      throw new Fault("InvalidInput", `The signal "${name}" is not what its contract says.`, {
        issues: checked.issues,
      });
    if (row.state === "done" || row.state === "failed") return "ended";
    if (this.#active.has(run)) this.#told.add(run);
    await journal.post(run, {
      signal: name,
      payload,
      by: by.id,
      at: clock.now(),
      ...(by.key !== undefined && { key: by.key }),
    });
    await this.#active.get(run)?.poke();
    if (!this.#active.has(run)) void this.#alarm.now();
    return "taken";
  }

  /** Lets a paused run go on, after whatever stopped it was mended. */
  async resume(run: string): Promise<void> {
    const row = await this.#ports.journal.find(run);
    if (row?.state !== "paused")
      throw new TypeError(`Run ${run} is ${row ? row.state : "not there"}; only a paused run can be resumed.`);
    await this.#ports.journal.wake(run, this.#ports.clock.now());
    await this.#alarm.now();
  }

  async #handle(workflow: Workflow, input: unknown, call: Call, written: unknown): Promise<Reply> {
    if (this.#draining)
      throw new Fault("Unavailable", "This node is stopping and takes no more runs. Try again.", {
        outcome: "not done",
      });
    const { newId = randomUUID } = this.#ports;
    const run = call.key === undefined ? newId() : toRunId(call.principal.id, workflow.id, call.key);
    const digest = digestOf(written);
    const ended = this.#endings.expect(run);
    let verdict: Verdict | "impatient";
    try {
      const there = await this.#attach(run, digest, call);
      const begun = there || (await this.#begin(workflow, run, input, written, digest, call));
      if (!begun) await this.#attach(run, digest, call); // another call with the same key was faster
      verdict = await patiently(ended.verdict, call, this.#ports.clock);
    } finally {
      ended.forget();
    }
    if (verdict === "impatient") return { accepted: true, run };
    if (verdict.kind === "done") return { output: verdict.output, run };
    if (verdict.kind === "failed") throw this.#errorOf(workflow.id, verdict);
    // Parked, or the journal is out of reach: what was begun goes on elsewhere, so this is not an end.
    if (call.patienceMs !== undefined && verdict.kind === "parked") return { accepted: true, run };
    throw new Fault("Unavailable", `Run ${run} was begun and will go on; ask for it again with the same key.`);
  }

  /** Joins a run that a call with the same key has begun before. */
  async #attach(run: string, digest: string, call: Call): Promise<boolean> {
    if (call.key === undefined) return false;
    const row = await this.#ports.journal.find(run);
    const started = row ? (await this.#ports.journal.read(run))[0] : this.#active.get(run)?.parts.begin?.started;
    if (!started) return false;
    if (started.type === "Started" && started.digest !== digest) {
      throw new Fault("KeyReused", "This key has started a run with another input. Use a new key for a new input.");
    }
    const verdict = row && (await this.#verdictOf(row));
    if (verdict) this.#endings.announce(run, verdict);
    return true;
  }

  /** Resolves once the run is on disk: false where it was there already. */
  async #begin(
    workflow: Workflow,
    run: string,
    input: unknown,
    written: unknown,
    digest: string,
    call: Call,
  ): Promise<boolean> {
    if (this.#active.has(run)) return false;
    const { clock, node } = this.#ports;
    const { principal, trace } = call;
    const { traceparent } = trace;
    const { id: operation, version } = workflow;
    const row: RunRow = {
      run,
      operation,
      version,
      state: "running",
      owner: node,
      wakeAt: null,
      startedAt: clock.now(),
      endedAt: null,
      startedBy: principal.id,
      traceparent,
      reason: null,
    };
    const started = { type: "Started", operation, version, input: written, digest, principal, traceparent } as const;
    const execution = this.#activate(workflow, row, { input, entries: [], inbox: [], begin: { row, started } });
    return execution.begun.then(
      () => true,
      (verdict: Verdict) => {
        if (verdict.kind === "fenced" && call.key !== undefined) return false;
        if (verdict.kind === "lost" && verdict.error instanceof Fault && verdict.error.outcome === "not done")
          throw verdict.error;
        throw new Fault("Unavailable", "The run could not be written to the log. Try again with the same key.", {
          cause: verdict.kind === "lost" ? verdict.error : undefined,
        });
      },
    );
  }

  /** Brings a run back from its journal. */
  async #resume(row: RunRow): Promise<void> {
    const { journal, node } = this.#ports;
    const workflow = this.#workflows.get(row.operation);
    const entries = await journal.read(row.run);
    const [started] = entries;
    if (!workflow || workflow.version !== row.version || started?.type !== "Started") return this.#strand(row, entries);
    const inbox = await journal.inbox(row.run);
    const read = await validate(workflow.operation.input, started.input);
    if (!read.ok) return this.#strand(row, entries);
    const term = entries.filter(({ type }) => type === "Claimed").length + 1;
    this.#activate(workflow, row, { input: read.value, entries, inbox, claimed: { type: "Claimed", node, term } });
  }

  /** A run that this code cannot go on with waits for the code that can. */
  async #strand(row: RunRow, entries: readonly Entry[]): Promise<void> {
    const { journal, clock, report } = this.#ports;
    const reason = `No workflow for ${row.operation}, version ${row.version}, that can read this run's input is deployed. Deploy it, and resume the run.`;
    const change = { row: { state: "paused", owner: null, wakeAt: null, reason } } as const;
    await journal.append(row.run, entries.length - 1, [{ type: "Paused", reason, at: clock.now() }], change);
    report?.({ run: row.run, operation: row.operation, verdict: { kind: "paused", reason } });
  }

  #activate(
    workflow: Workflow,
    row: RunRow,
    parts: Pick<Execution["parts"], "input" | "entries" | "inbox" | "begin" | "claimed">,
  ): Execution {
    const { journal, dispatch, clock, tracing, random = Math.random, suspendAfterMs = 1_000 } = this.#ports;
    const { run, traceparent } = row;
    const about = { "trilith.run": run, "trilith.workflow": workflow.id, "trilith.resumed": parts.begin === undefined };
    const rethrow = this.#rethrow.get(workflow.id) as Rethrow; // set with the workflow
    const execution = new Execution({
      run,
      workflow,
      journal,
      dispatch,
      clock,
      random,
      rethrow,
      suspendAfterMs,
      ...parts,
    });
    this.#active.set(run, execution);
    const activation = tracing.continue(traceparent).span("run", workflow.id, about, async (trace) => {
      const verdict = await execution.act(trace);
      trace.set({ "trilith.state": verdict.kind });
      if (verdict.kind === "failed") throw Object.assign(this.#errorOf(workflow.id, verdict), { verdict });
      return verdict;
    });
    const ended = activation
      .catch((error: { verdict?: Verdict }) => error.verdict ?? ({ kind: "lost", error } as const))
      .then((verdict) => this.#after(row, execution, verdict));
    this.#activations.add(ended);
    void ended.finally(() => this.#activations.delete(ended));
    return execution;
  }

  #after(row: RunRow, execution: Execution, verdict: Verdict): void {
    const { run, operation } = row;
    if (this.#active.get(run) === execution) this.#active.delete(run);
    const told = this.#told.delete(run);
    if (verdict.kind === "suspended") {
      if (told) void this.#alarm.now();
      if (verdict.wakeAt !== null) this.#alarm.at(verdict.wakeAt);
      return;
    }
    if (verdict.kind === "paused" || verdict.kind === "lost") this.#ports.report?.({ run, operation, verdict });
    if (verdict.kind !== "paused" && verdict.kind !== "fenced") this.#endings.announce(run, verdict);
  }

  async #verdictOf({ run, state }: RunRow): Promise<Verdict | undefined> {
    if (state !== "done" && state !== "failed") return undefined;
    const last = (await this.#ports.journal.read(run)).at(-1);
    if (last?.type !== "Ended") return undefined;
    return last.state === "done" ? { kind: "done", output: last.output } : { kind: "failed", thrown: last.thrown };
  }

  /** What a caller is told: its own operation's failures as they are declared, and anything else as a fault. */
  #errorOf(operation: string, { thrown }: Verdict & { readonly kind: "failed" }): Error {
    const failures = this.#workflows.get(operation)?.operation.failures ?? {};
    const rethrow = this.#rethrow.get(operation);
    if (thrown.kind === "failed" && failures[thrown.code]) return rethrow?.({ ...thrown, operation }) as Error; // known workflows have one
    if (thrown.kind === "fault" && thrown.code !== "Internal") {
      return new Fault(
        "Unavailable",
        `It could not be done, and was undone: ${thrown.message} Begin anew with a new key.`,
        {
          retry: "later",
          outcome: "not done",
        },
      );
    }
    return new Fault(
      "Internal",
      thrown.kind === "failed" ? `${thrown.operation} ended with ${thrown.code}` : thrown.message,
      { outcome: "not done" },
    );
  }

  async #wakeDue(): Promise<number | undefined> {
    const { journal, clock, node } = this.#ports;
    while (!this.#draining) {
      const rows = await journal.claimDue(node, clock.now(), wakeAtOnce);
      for (const row of rows) await this.#resume(row);
      if (rows.length < wakeAtOnce) break;
    }
    return journal.nextDue();
  }
}

/** Waits as long as the caller does. */
async function patiently(ended: Promise<Verdict>, { patienceMs }: Call, clock: Clock): Promise<Verdict | "impatient"> {
  let disarm = (): void => {};
  try {
    if (patienceMs === undefined) return await ended;
    const over = new Promise<"impatient">((resolve) => {
      disarm = clock.after(patienceMs, () => resolve("impatient"));
    });
    return await Promise.race([ended, over]);
  } finally {
    disarm();
  }
}
