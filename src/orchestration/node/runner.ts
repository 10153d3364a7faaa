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
} from "../../contracts/index.ts";
import { hasEnded, type Journal, type RunRow } from "../journal/journal.ts";
import { fullInbox } from "../journal/limits.ts";
import type { News } from "../journal/nodes.ts";
import type { RunCount, RunFilter, RunPage, RunQuery } from "../journal/search.ts";
import type { Events } from "../language/events.ts";
import type { Workflow } from "../language/workflow.ts";
import type { AttemptEvent } from "../replay/execution.ts";
import { type History, toHistory } from "../replay/history.ts";
import type { Verdict } from "../replay/verdict.ts";
import { type Bulk, Bulker } from "../steering/bulk.ts";
import { type Fork, type ForkForeseen, type Forking, type Order, type Steered, Steward } from "../steering/steward.ts";
import { ActiveRuns, parentOf } from "./active-runs.ts";
import { Admitters } from "./admitter.ts";
import { Beginner } from "./beginner.ts";
import { Bulletin } from "./bulletin.ts";
import { Callers, type RunStatus } from "./callers.ts";
import { Catalog } from "./catalog.ts";
import { follow } from "./follow.ts";
import { Membership } from "./membership.ts";
import { Waker } from "./waker.ts";

export interface RunnerPorts {
  readonly journal: Journal;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly tracing: Tracing;
  /** Where runs write events; without it none can. */
  readonly events?: Events | undefined;
  /** From 0 to 1: the jitter of retries. */
  readonly random?: () => number;
  /** Makes the ids of runs; ids that grow with time lie together on disk. By default random. */
  readonly newId?: () => string;
  /** Fresh for each process, so that a restarted one is not its own zombie. */
  readonly node: string;
  /** How long a node that says nothing keeps its runs, in ms; by default 5,000. Others have them within twice that. */
  readonly leaseMs?: number;
  /** A run that waits longer than this leaves memory; by default 1,000 ms. */
  readonly suspendAfterMs?: number;
  /** `always`: a run leaves memory at every result and comes back by replay, which is for tests; by default when it waits. */
  readonly evict?: "waiting" | "always";
  /** At most so many runs are in memory, by default 1,000; others wait on disk, also new ones. */
  readonly mostActive?: number;
  /** Told of what an operator should know: runs that were paused, lost, or failed in a way that no contract declares. */
  readonly report?: (event: RunnerEvent) => void;
  /** Told of attempts of steps that failed, whether they are tried again or not. */
  readonly attemptFailed?: (event: AttemptEvent) => void;
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

/** The runs of one node: begins them, wakes them when they are due, takes over what dead nodes held, lets go of them. */
export class Runner {
  readonly #ports: RunnerPorts;
  readonly #catalog: Catalog;
  readonly #callers: Callers;
  readonly #active: ActiveRuns;
  readonly #membership: Membership;
  readonly #bulletin: Bulletin;
  readonly #waker: Waker;
  readonly #admitters: Admitters | undefined;
  readonly #beginner: Beginner;
  readonly #steward: Steward;
  readonly #bulker: Bulker;
  #draining = false;

  constructor(workflows: readonly Workflow[], ports: RunnerPorts) {
    const { journal, dispatch, clock, tracing, random = Math.random, node, newId } = ports;
    const { leaseMs = 5_000, suspendAfterMs = 1_000, mostActive = 1_000, evict = "waiting", events } = ports;
    this.#ports = ports;
    const catalog = new Catalog(workflows);
    const failed = (error: unknown): void =>
      ports.report?.({ run: "", operation: "", traceparent: "", verdict: { kind: "lost", error } });
    const callers = new Callers({ journal, clock, workflowOf: (operation) => catalog.of(operation) });
    const active = new ActiveRuns({
      ...{ journal, dispatch, clock, tracing, random, suspendAfterMs, evict, events, catalog },
      attemptFailed: ports.attemptFailed,
      errorOf: (operation, verdict) => callers.errorOf(operation, verdict),
      progressed: (run) => this.#waker.progressed(run),
      left: (row, verdict, about) => this.#left(row, verdict, about),
    });
    const membership = new Membership({
      ...{ journal, clock, node, leaseMs, failed, knows: catalog.names },
      lost: () => {
        active.drop();
        this.#waker.lost();
      },
      free: () => this.#wake(),
      company: (place) => this.#bulletin.follow(place),
    });
    this.#catalog = catalog;
    this.#callers = callers;
    this.#active = active;
    this.#membership = membership;
    this.#bulletin = new Bulletin({ nodes: journal.nodes, clock, failed, told: (item) => this.#hear(item) });
    const tell = (row: RunRow, verdict: Verdict) => this.#tell(row, verdict);
    const ended = (row: RunRow, verdict: Verdict) => this.#ended(row, verdict);
    this.#waker = new Waker({
      ...{ journal, clock, catalog, active, membership, mostActive, tell, ended, failed },
      queued: (operation) => this.#admitters?.nudge(operation),
    });
    const admission = {
      ...{ clock, failed, alone: journal.nodes.alone },
      mayAdmit: () => membership.isIn && !this.#draining,
      admitted: () => this.#wake(),
    };
    this.#admitters = journal.line && new Admitters(catalog.present, { ...admission, line: journal.line });
    this.#steward = new Steward({
      ...{ journal, clock, catalog, newId },
      told: async (run) => {
        this.#active.tell(run);
        await this.#toldOf(run);
      },
      seize: (run) => this.#waker.seize(run),
      ended,
      waits: (operation) => this.#waits(operation),
    });
    this.#bulker = new Bulker({
      ...{ journal, clock, node, failed, newId: newId ?? randomUUID },
      steer: (run, order) => this.#steward.steer(run, order),
    });
    this.#beginner = new Beginner({
      ...{ journal, clock, catalog, callers, active, newId },
      owner: () => (this.#waker.hasRoom && membership.isIn ? membership.node : undefined),
      waits: ({ operation }) => this.#waits(operation),
    });
  }

  get providers(): readonly Provider[] {
    return this.#catalog.present.map((workflow) => ({
      operation: workflow.id,
      handle: (input: unknown, call: Call, written: unknown) => this.#handle(workflow, input, call, written),
      void: (key: string, call: Call) => this.#beginner.void(workflow, key, call),
    }));
  }

  /** How many runs are in memory. */
  get active(): number {
    return this.#active.size;
  }

  /** Joins the nodes that share the runs, takes over what dead ones held, and begins to wake what is due. */
  async start(): Promise<void> {
    await this.#membership.enter();
    for (const workflow of await this.#ports.journal.strangers(this.#catalog.names))
      this.#ports.warn?.(strangerSentence(workflow));
    this.#admitters?.start();
    this.#bulker.start();
    this.#wake();
  }

  /** Takes no more work, lets actions under way settle for so long, and hands every run over: whoever knows it goes on from the journal. */
  async drain(withinMs: number): Promise<void> {
    this.#draining = true;
    await this.#waker.stop();
    await this.#admitters?.stop();
    await this.#bulker.stop();
    this.#callers.letGo((run) => this.#active.has(run));
    this.#active.park("when settled");
    const hurry = this.#ports.clock.after(withinMs, () => this.#active.park("now"));
    await this.#active.settled();
    hurry();
    await this.#bulletin.stop();
    await this.#membership.leave();
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
    const { workflow } = this.#catalog.named(row.workflow) ?? this.#catalog.of(row.operation) ?? {};
    const schema = workflow?.operation.signals[name]?.schema;
    if (!schema) return "no such signal";
    const checked = await validate(schema, payload);
    if (!checked.ok) {
      const { issues } = checked;
      throw new Fault("InvalidInput", `The signal "${name}" is not what its contract says.`, { issues });
    }
    if (hasEnded(row)) return "ended";
    const full = fullInbox(row);
    if (full !== undefined) throw new Fault("TooManyRequests", full);
    const { id, key } = by;
    const item = { signal: name, payload, by: id, at: clock.now(), ...(key !== undefined && { key }) };
    // Another process may have other code, which waits for more.
    const isKnown = row.state === "waiting" && row.owner === null && row.asleepBy === this.#membership.node;
    const isUnasked = isKnown && row.awaits?.includes(name) === false;
    this.#active.tell(run);
    await journal.post(run, item, isUnasked ? row : undefined);
    await this.#toldOf(run);
    return "taken";
  }

  /** What a run says of itself, from the last on; ends when the run does, or when `aborted` fires. */
  follow(run: string, aborted: AbortSignal): AsyncIterable<unknown> {
    const { journal, clock } = this.#ports;
    return follow(run, { journal, clock, aborted });
  }

  /** A run's journal as plain data. Throws where there is no such run. */
  history(run: string): Promise<History> {
    return toHistory(run, this.#ports.journal);
  }

  /** Does what an operator wants of a run, wherever it is: on disk when this resolves, done as soon as its node sees it. */
  steer(run: string, order: Order): Promise<Steered> {
    return this.#steward.steer(run, order);
  }

  /** What a fork from a step would do a second time. */
  foreseeFork(run: string, step: string | undefined): Promise<ForkForeseen> {
    return this.#steward.foresee(run, step);
  }

  /** Begins a run that goes the way of another one up to a step, and from there with an input of its own. */
  fork(run: string, fork: Fork): Promise<Forking> {
    return this.#steward.fork(run, fork);
  }

  /** Gives one order to all runs that a filter finds; it is followed in the background, by whichever node is there. */
  steerAll(filter: RunFilter, order: Order): Promise<Bulk> {
    return this.#bulker.add(filter, order);
  }

  /** How far an order to many runs has come. */
  bulk(id: string): Promise<Bulk | undefined> {
    return this.#ports.journal.bulks.find(id);
  }

  /** The latest orders to many runs. */
  bulks(limit: number): Promise<readonly Bulk[]> {
    return this.#ports.journal.bulks.list(limit);
  }

  /** One page of the runs that a filter finds. */
  search(filter: RunFilter, query: RunQuery): Promise<RunPage> {
    return this.#ports.journal.search(filter, query);
  }

  /** How many runs of each workflow are in each state; counts no further than `most`. */
  count(filter: Pick<RunFilter, "operation" | "workflow">, most: number): Promise<readonly RunCount[]> {
    return this.#ports.journal.count(filter, most);
  }

  /** How a run ends; undefined where it has not within so many ms. Throws what its caller would be told. */
  async result(run: string, withinMs: number | undefined): Promise<{ readonly output: unknown } | undefined> {
    const row = await this.#ports.journal.find(run);
    if (!row) throw new Fault("UnknownRoute", `There is no run ${run}.`);
    return this.#callers.result(row, withinMs);
  }

  /** Lets a paused run go on, after whatever stopped it was mended. */
  async resume(run: string, by = "system"): Promise<void> {
    const steered = await this.#steward.steer(run, { to: "resume", by });
    if (!steered.ok) throw new TypeError(steered.sentence);
    await this.#waker.now();
  }

  async #handle(workflow: Workflow, input: unknown, call: Call, written: unknown): Promise<Reply> {
    if (!this.#draining) return this.#beginner.handle(workflow, input, call, written);
    const message = "This node is stopping and takes no more runs. Try again.";
    throw new Fault("Unavailable", message, { outcome: "not done" });
  }

  /** A run's inbox has something new: it looks if it is here, and otherwise whoever claims it first. */
  async #toldOf(run: string): Promise<void> {
    this.#waker.tell(run);
    await this.#active.poke(run);
    if (!this.#active.has(run)) this.#wake();
  }

  #hear({ what, run }: News["items"][number]): void {
    const failed = (error: unknown) =>
      this.#ports.report?.({ run, operation: "", traceparent: "", verdict: { kind: "lost", error } });
    if (what === "told") void this.#toldOf(run).catch(failed);
    else if (what === "ended") void this.#callers.endedElsewhere(run).catch(failed);
    else this.#wake();
  }

  #waits(operation: string): void {
    this.#admitters?.nudge(operation);
    this.#wake();
  }

  #wake(): void {
    if (!this.#draining) void this.#waker.now();
  }

  #left(row: RunRow, verdict: Verdict, about: { readonly told: boolean; readonly begun: boolean }): void {
    this.#waker.left(row, verdict, about);
    if (verdict.kind === "done" || verdict.kind === "failed") {
      this.#ended(row, verdict);
      return;
    }
    this.#tell(row, verdict);
    if (verdict.kind !== "suspended" && verdict.kind !== "paused" && verdict.kind !== "fenced") {
      this.#callers.announce(row.run, verdict);
    }
  }

  #ended(row: RunRow, verdict: Verdict): void {
    if (row.ticket) this.#admitters?.nudge(row.operation);
    const parent = parentOf(row);
    if (parent !== undefined) void this.#toldOf(parent).catch(() => {}); // it looks again before it suspends
    this.#tell(row, verdict);
    this.#callers.announce(row.run, verdict);
  }

  /** Tells an operator of what no contract foresees. */
  #tell({ run, operation, traceparent }: RunRow, verdict: Verdict): void {
    const declared =
      verdict.kind === "failed" &&
      (verdict.state !== "failed" ||
        (verdict.thrown.kind === "failed" && this.#catalog.declares(operation, verdict.thrown.code)));
    if (verdict.kind === "paused" || verdict.kind === "lost" || (verdict.kind === "failed" && !declared)) {
      this.#ports.report?.({ run, operation, traceparent, verdict });
    }
  }
}

const strangerSentence = (workflow: string): string =>
  `Runs wait for the workflow ${workflow}, which this backend does not have. Keep it beside the newer one until its last run has ended.`;
