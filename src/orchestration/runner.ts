import { randomUUID } from "node:crypto";
import {
  type Call,
  type Clock,
  type Dispatch,
  Fault,
  type Provider,
  type Reply,
  type Tracing,
  type Voided,
  validate,
  validateStored,
} from "../contracts/index.ts";
import { Alarm } from "./alarm.ts";
import { Callers, type RunStatus } from "./callers.ts";
import { Execution } from "./execution.ts";
import { digestOf, toRunId } from "./identity.ts";
import type { Entry, Journal, RunRow } from "./journal.ts";
import { Places } from "./places.ts";
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
  /** Due runs are woken while fewer than this are in memory; by default 1,000. Callers are not held up by it. */
  readonly mostActive?: number;
  /** Told of what an operator should know: runs that were paused, lost, or failed in a way that no contract declares. */
  readonly report?: (event: RunnerEvent) => void;
  /** Told in a sentence of what an operator may want to change. */
  readonly warn?: (sentence: string) => void;
}
export interface RunnerEvent {
  readonly run: string;
  readonly operation: string;
  readonly traceparent: string;
  readonly verdict: Verdict;
}
export type SignalOutcome = "taken" | "no such run" | "no such signal" | "ended";

interface Known {
  readonly workflow: Workflow;
  readonly rethrow: Rethrow;
}
const wakeAtOnce = 64;
const putBackMs = 5_000;

/** Owns the runs of one node: starts them, wakes them when they are due, takes over what a dead node held, lets go of them. */
export class Runner {
  readonly #ports: RunnerPorts;
  readonly #callers: Callers;
  readonly #places = new Places();
  /** By name and version: `trips.book@1`. */
  readonly #known = new Map<string, Known>();
  /** By operation: its highest version, which new runs take. */
  readonly #present = new Map<string, Known>();
  readonly #active = new Map<string, Execution>();
  readonly #activations = new Set<Promise<void>>();
  /** Runs that were told something while they were in memory: they may have suspended without having seen it. */
  readonly #told = new Set<string>();
  readonly #alarm: Alarm;
  #draining = false;
  /** Whether runs were left waiting because too many are in memory. */
  #backlog = false;

  constructor(workflows: readonly Workflow[], ports: RunnerPorts) {
    this.#ports = ports;
    for (const workflow of workflows) this.#learn(workflow);
    const { journal, clock, report } = ports;
    this.#callers = new Callers({ journal, clock, workflowOf: (operation) => this.#present.get(operation) });
    const failed = (error: unknown) =>
      report?.({ run: "", operation: "", traceparent: "", verdict: { kind: "lost", error } });
    this.#alarm = new Alarm(clock, () => this.#wakeDue(), failed);
  }

  get providers(): readonly Provider[] {
    return [...this.#present.values()].map(({ workflow }) => ({
      operation: workflow.id,
      handle: (input: unknown, call: Call, written: unknown) => this.#handle(workflow, input, call, written),
      void: (key: string, call: Call) => this.#void(workflow, key, call),
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
    for (const workflow of await journal.strangers([...this.#known.keys()]))
      this.#ports.warn?.(strangerSentence(workflow));
    void this.#alarm.now();
  }

  /** Takes no more work, lets actions under way settle for so long, and lets go of every run: the next node goes on from the journal. */
  async drain(withinMs: number): Promise<void> {
    this.#draining = true;
    await this.#alarm.stop();
    this.#callers.letGo((run) => this.#active.has(run));
    for (const execution of this.#active.values()) execution.park("when settled");
    const hurry = this.#ports.clock.after(withinMs, () => {
      for (const execution of this.#active.values()) execution.park("now");
    });
    while (this.#activations.size > 0) await Promise.all(this.#activations);
    hurry();
  }

  status(run: string): Promise<RunStatus | undefined> {
    return this.#callers.status(run);
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
    const { workflow } = this.#known.get(row.workflow) ?? this.#present.get(row.operation) ?? {};
    const schema = workflow?.operation.signals[name]?.schema;
    if (!schema) return "no such signal";
    const checked = await validate(schema, payload);
    if (!checked.ok) {
      const { issues } = checked;
      throw new Fault("InvalidInput", `The signal "${name}" is not what its contract says.`, { issues });
    }
    if (row.state === "done" || row.state === "failed") return "ended";
    if (this.#active.has(run)) this.#told.add(run);
    const { id, key } = by;
    await journal.post(run, { signal: name, payload, by: id, at: clock.now(), ...(key !== undefined && { key }) });
    await this.#active.get(run)?.poke();
    if (!this.#active.has(run)) void this.#alarm.now();
    return "taken";
  }

  /** Lets a paused run go on, after whatever stopped it was mended. */
  async resume(run: string): Promise<void> {
    if (!(await this.#ports.journal.wake(run, this.#ports.clock.now()))) {
      const row = await this.#ports.journal.find(run);
      throw new TypeError(`Run ${run} is ${row ? row.state : "not there"}; only a paused run can be resumed.`);
    }
    await this.#alarm.now();
  }

  async #handle(workflow: Workflow, input: unknown, call: Call, written: unknown): Promise<Reply> {
    if (this.#draining) {
      const message = "This node is stopping and takes no more runs. Try again.";
      throw new Fault("Unavailable", message, { outcome: "not done" });
    }
    const { newId = randomUUID } = this.#ports;
    const run = call.key === undefined ? newId() : toRunId(call.principal.id, workflow.id, call.key);
    const digest = digestOf(written);
    return this.#callers.wait(run, workflow.id, call, async () => {
      const join = () => this.#callers.join(run, digest, this.#beginningOf(run));
      if (call.key !== undefined && (await join())) return;
      // Another call with the same key may have been faster meanwhile.
      if (!(await this.#begin(workflow, run, input, written, digest, call))) await join();
    });
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
    const { version } = workflow;
    const { principal } = call;
    const row = this.#rowOf(workflow, run, call);
    const { operation, traceparent } = row;
    const started = { type: "Started", operation, version, input: written, digest, principal, traceparent } as const;
    const execution = this.#activate(workflow, row, { input, entries: [], inbox: [], begin: { row, started } });
    return execution.begun.then(
      () => true,
      (verdict: Verdict) => {
        if (verdict.kind === "fenced" && call.key !== undefined) return false;
        if (verdict.kind === "refused") throw verdict.error;
        const cause = verdict.kind === "lost" ? verdict.error : undefined;
        throw new Fault("Unavailable", "The run could not be written to the log. Try again with the same key.", {
          cause,
        });
      },
    );
  }

  /** Refuses the key of a run that has not begun, for good; otherwise says how the run has ended, where it has. */
  async #void(workflow: Workflow, key: string, call: Call): Promise<Voided> {
    const { journal, clock } = this.#ports;
    const run = toRunId(call.principal.id, workflow.id, key);
    const thrown = { kind: "fault", code: "Voided", message: `${workflow.id} was given up before it began.` } as const;
    const row: RunRow = { ...this.#rowOf(workflow, run, call), state: "failed", owner: null, endedAt: clock.now() };
    const tombstone: Entry = { type: "Ended", state: "failed", thrown, at: clock.now() };
    const appended = await journal.append(run, -1, [tombstone], { begin: row });
    if (appended !== "fenced") return { took: false };
    const present = await journal.find(run);
    const verdict = present && (await this.#callers.verdictOf(present));
    if (verdict?.kind === "done") return { took: true, wire: verdict.output };
    return verdict ? { took: false } : { took: "unknown" };
  }

  #rowOf(workflow: Workflow, run: string, { principal, trace: { traceparent } }: Call): RunRow {
    const { clock, node } = this.#ports;
    return {
      run,
      operation: workflow.id,
      workflow: nameOf(workflow),
      state: "running",
      owner: node,
      wakeAt: null,
      startedAt: clock.now(),
      endedAt: null,
      startedBy: principal.id,
      traceparent,
      reason: null,
    };
  }

  #beginningOf(run: string): Entry | undefined {
    const begin = this.#active.get(run)?.parts.begin;
    return begin && { ...begin.started, at: begin.row.startedAt };
  }

  /** Brings a claimed run back from its journal. */
  async #resume(row: RunRow): Promise<void> {
    const { journal, clock, node, report } = this.#ports;
    const known = this.#known.get(row.workflow);
    try {
      const entries = await journal.read(row.run);
      const [started] = entries;
      if (!known || started?.type !== "Started")
        return await this.#strand(row, entries, "its journal has no beginning");
      const inbox = await journal.inbox(row.run);
      const read = await validateStored(known.workflow.operation, started.input);
      if (!read.ok) return await this.#strand(row, entries, `its input is not what ${row.workflow} reads`);
      const term = entries.filter(({ type }) => type === "Claimed").length + 1;
      const claimed = { type: "Claimed", node, term } as const;
      this.#activate(known.workflow, row, { input: read.value, entries, inbox, claimed });
    } catch (error) {
      const { run, operation, traceparent } = row;
      report?.({ run, operation, traceparent, verdict: { kind: "lost", error } });
      await journal.putBack(run, clock.now() + putBackMs);
      this.#alarm.at(clock.now() + putBackMs);
    }
  }

  /** A run that this code cannot go on with waits for a person. */
  async #strand(row: RunRow, entries: readonly Entry[], why: string): Promise<void> {
    const { journal, clock, report } = this.#ports;
    const { run, operation, traceparent } = row;
    const reason = `The run cannot be taken up: ${why}. Deploy code that can, and resume it.`;
    const change = { row: { state: "paused", owner: null, wakeAt: null, reason } } as const;
    await journal.append(run, entries.length - 1, [{ type: "Paused", reason, at: clock.now() }], change);
    report?.({ run, operation, traceparent, verdict: { kind: "paused", reason } });
  }

  #activate(
    workflow: Workflow,
    row: RunRow,
    parts: Pick<Execution["parts"], "input" | "entries" | "inbox" | "begin" | "claimed">,
  ): Execution {
    const { journal, dispatch, clock, tracing, random = Math.random, suspendAfterMs = 1_000 } = this.#ports;
    const { run, traceparent } = row;
    const { rethrow } = this.#known.get(nameOf(workflow)) as Known; // only known workflows are activated
    const places = this.#places;
    const ports = { journal, dispatch, clock, random, rethrow, places, suspendAfterMs };
    const execution = new Execution({ run, workflow, ...ports, ...parts });
    this.#active.set(run, execution);
    const about = { "trilith.run": run, "trilith.workflow": workflow.id, "trilith.resumed": parts.begin === undefined };
    const activation = tracing.continue(traceparent).span("run", workflow.id, about, async (trace) => {
      const verdict = await execution.act(trace);
      trace.set({ "trilith.state": verdict.kind });
      if (verdict.kind === "failed") throw Object.assign(this.#callers.errorOf(workflow.id, verdict), { verdict });
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
    const { run, operation, traceparent } = row;
    if (this.#active.get(run) === execution) this.#active.delete(run);
    const told = this.#told.delete(run);
    if (verdict.kind === "suspended" && verdict.wakeAt !== null) this.#alarm.at(verdict.wakeAt);
    if (this.#backlog || (told && verdict.kind === "suspended")) void this.#alarm.now();
    const declared =
      verdict.kind === "failed" && verdict.thrown.kind === "failed" && this.#declares(operation, verdict.thrown.code);
    if (verdict.kind === "paused" || verdict.kind === "lost" || (verdict.kind === "failed" && !declared)) {
      this.#ports.report?.({ run, operation, traceparent, verdict });
    }
    if (verdict.kind !== "suspended" && verdict.kind !== "paused" && verdict.kind !== "fenced") {
      this.#callers.announce(run, verdict);
    }
  }

  #declares(operation: string, code: string): boolean {
    return code in (this.#present.get(operation)?.workflow.operation.failures ?? {});
  }

  async #wakeDue(): Promise<number | undefined> {
    const { journal, clock, node, mostActive = 1_000 } = this.#ports;
    const knows = [...this.#known.keys()];
    while (!this.#draining) {
      const room = Math.min(wakeAtOnce, mostActive - this.#active.size);
      this.#backlog = room <= 0;
      if (room <= 0) return undefined; // the next run that leaves memory looks again
      const rows = await journal.claimDue(node, knows, clock.now(), room);
      for (const row of rows) await this.#resume(row);
      if (rows.length < room) break;
    }
    return journal.nextDue(knows);
  }

  #learn(workflow: Workflow): void {
    const name = nameOf(workflow);
    if (this.#known.has(name))
      throw new TypeError(`There are two workflows ${name}. Give the newer one another version.`);
    const known = { workflow, rethrow: toRethrow(workflow.uses, workflow.operation) };
    this.#known.set(name, known);
    const present = this.#present.get(workflow.id);
    if (!present || present.workflow.version < workflow.version) this.#present.set(workflow.id, known);
  }
}

const strangerSentence = (workflow: string): string =>
  `Runs wait for the workflow ${workflow}, which this backend does not have. Keep it beside the newer one until its last run has ended.`;
const nameOf = ({ id, version }: Workflow): string => `${id}@${version}`;
