import {
  type Clock,
  type Dispatch,
  Fault,
  nothing,
  type Projection,
  silent,
  type Trace,
  toJsonSchema,
  toProjection,
  validate,
} from "../contracts/index.ts";
import { type Action, act, type Settled } from "./action.ts";
import { type Beginning, Committer } from "./committer.ts";
import { toContext } from "./context.ts";
import { Effects } from "./effects.ts";
import { diverged, Exchange } from "./exchange.ts";
import type { Change, Entry, Item, Journal, NewEntry, Thrown } from "./journal.ts";
import type { LazyStep } from "./lazy-step.ts";
import type { Places } from "./places.ts";
import { Scope } from "./scope.ts";
import { Script } from "./script.ts";
import { type Rethrow, sentenceOf, toThrown } from "./thrown.ts";
import { resumable, UndoStack } from "./undo-stack.ts";
import type { Verdict } from "./verdict.ts";
import type { Workflow } from "./workflow.ts";

export interface ExecutionParts {
  readonly run: string;
  readonly workflow: Workflow;
  readonly input: unknown;
  /** What is on disk; empty for a new run. */
  readonly entries: readonly Entry[];
  /** Of a new run: its row and its first entry. */
  readonly begin?: Beginning;
  readonly inbox: readonly Item[];
  readonly journal: Journal;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly rethrow: Rethrow;
  readonly places: Places;
  /** A run that waits longer than this leaves memory. */
  readonly suspendAfterMs: number;
}

/** The code of a workflow that waits for nothing of ours is given this long before the run is paused. */
const strayMs = 5_000;

/**
 * One activation of a run: replays its journal and goes on until the run ends, waits, or cannot go on. The workflow's
 * code runs between deliveries; everything that it asks for is journaled, and an action begins when its request is on disk.
 */
export class Execution {
  readonly parts: ExecutionParts;
  readonly script: Script;
  readonly effects: Effects;
  /** Steps that the code has made and not awaited. */
  readonly created: Set<LazyStep> = new Set();
  readonly #exchange: Exchange;
  readonly #committer: Committer;
  readonly #undoStack: UndoStack;
  readonly #body: Scope;
  readonly #project: Projection | undefined;
  #trace: Trace = silent;
  #end: End | undefined;
  #parking: "no" | "when settled" | "now" | "dropped" = "no";

  constructor(parts: ExecutionParts) {
    const { run, workflow, entries, begin, inbox, journal, clock, dispatch, places, rethrow } = parts;
    this.parts = parts;
    this.script = new Script(entries, () => clock.now());
    if (begin) this.script.write(begin.started);
    const exchange = new Exchange(this.script);
    this.#exchange = exchange;
    const trace = () => this.#trace;
    const acting = (action: Action, scope: Scope) => this.#act(action, scope);
    this.#body = Scope.body(run);
    this.#committer = new Committer({ journal, run, script: this.script, clock, trace, beginning: begin });
    this.#undoStack = new UndoStack({ run, exchange, dispatch, places, act: acting });
    this.effects = new Effects(
      { run, exchange, undoStack: this.#undoStack, places, clock, rethrow, trace, act: acting },
      inbox,
    );
    const { output } = workflow.operation;
    this.#project = output === nothing ? undefined : toProjection(toJsonSchema(output));
  }

  /** Resolves when the run's first entries are on disk; rejects with the verdict where they are not. */
  get begun(): Promise<void> {
    return this.#committer.begun.promise;
  }

  /** Acts the run out. Never throws. */
  async act(trace: Trace): Promise<Verdict> {
    this.#trace = trace;
    void this.#main();
    const verdict = await this.#drive().catch((error: unknown): Verdict => ({ kind: "lost", error }));
    this.#undoStack.shut();
    void this.#body.close();
    this.#exchange.drop(() => true);
    this.#committer.begun.reject(verdict); // in vain, where it has begun
    return verdict;
  }

  /** A signal has come in. */
  async poke(): Promise<void> {
    this.effects.look(await this.parts.journal.inbox(this.parts.run));
  }

  /** Lets go of the run once its present actions have settled, or at once: another activation goes on from the journal. */
  park(when: "when settled" | "now"): void {
    this.#parking = when;
    this.#exchange.stir();
  }

  /** Lets go of the run without a word: it is somebody else's by now, or will be. */
  drop(): void {
    this.#parking = "dropped";
    void this.#body.close();
    this.#exchange.stir();
  }

  /** Closes a part of the run: what it waits for is taken back, what it does is aborted and waited for. */
  async close(scope: Scope): Promise<void> {
    const settled = scope.close();
    this.#exchange.drop(({ kind, scope }) => kind !== "action" && scope.closed);
    this.#exchange.stir();
    await settled;
  }

  /** Our own work between two deliveries: the code is not at rest before its end. */
  hold<T>(work: () => Promise<T>): Promise<T> {
    return this.#exchange.hold(work);
  }

  async #main(): Promise<void> {
    const { workflow, input, run, places } = this.parts;
    const scope = this.#body;
    try {
      const output = await places.in({ run, scope }, () => workflow.body(input, toContext(this, scope)));
      this.#checkNothingLeft();
      this.#end = { output: await this.hold(() => this.#checked(output)) };
    } catch (error) {
      const thrown = toThrown(error);
      await this.#undo(thrown).then(
        () => {
          this.#end = { thrown, cause: error };
        },
        (second: unknown) =>
          this.#exchange.stop(`The run cannot be undone: ${sentenceOf(toThrown(second))} ${resumable}`),
      );
    }
    this.#exchange.stir();
  }

  async #drive(): Promise<Verdict> {
    const exchange = this.#exchange;
    for (;;) {
      await this.#rest();
      if (this.#parking === "dropped") return { kind: "fenced" };
      if (exchange.trouble !== undefined) return this.#pause(exchange.trouble);
      const replayed = exchange.replayNext();
      if (replayed === "unasked") await this.#untilAsked();
      if (replayed !== "over") continue;
      exchange.activate(({ kind }) => kind !== "action");
      if (exchange.deliverNext()) continue;
      const verdict = await this.#goOn();
      if (verdict) return verdict;
    }
  }

  /** The code comes to rest between deliveries: whatever it asks for next, it has asked for by then. */
  async #rest(): Promise<void> {
    for (await turn(); this.#exchange.isHeld; await turn()) await this.#exchange.stirred();
  }

  /** Code that awaits something of its own before it asks is given time: so it was when it ran first. */
  async #untilAsked(): Promise<void> {
    const tell = (): void => this.#exchange.stop(diverged(this.script.unasked));
    if (this.#end) return tell();
    const disarm = this.parts.clock.after(strayMs, tell);
    await this.#exchange.stirred();
    disarm();
  }

  /** At rest, with nothing to deliver: to the disk, and then to whatever is to be done or waited for. */
  async #goOn(): Promise<Verdict | undefined> {
    const exchange = this.#exchange;
    if (this.#end) return this.#finish(this.#end);
    if (this.#parking !== "no" && (this.#parking === "now" || !this.#acting)) {
      return this.#close({ state: "waiting", owner: null, wakeAt: this.parts.clock.now() }, { kind: "parked" });
    }
    const wakeAt = this.#suspendUntil();
    if (wakeAt !== undefined) return this.#suspend(wakeAt);
    if (this.script.pending.length > 0) {
      const written = await this.#committer.commit();
      if (typeof written === "object") return written;
    }
    if (this.#parking === "no") exchange.activate(() => true);
    if (exchange.hasReady || exchange.trouble !== undefined || this.#end) return undefined;
    const disarm = exchange.waiting.size === 0 ? this.#watchStray() : () => {};
    await exchange.stirred();
    disarm();
    return undefined;
  }

  get #acting(): boolean {
    return [...this.#exchange.waiting.values()].some(({ kind, active }) => kind === "action" && active);
  }

  #watchStray(): () => void {
    const { clock, workflow } = this.parts;
    const reason = `The code of ${workflow.id} waits for something that is no step, such as a timer or a request of its own. Put it into run.step, and resume the run.`;
    return clock.after(strayMs, () => this.#exchange.stop(reason));
  }

  async #act(action: Action, { aborted }: Scope): Promise<Settled | undefined> {
    const { clock, random } = this.parts;
    const note = (entry: NewEntry): void => {
      this.script.write(entry);
      this.#exchange.stir();
    };
    const parking = () => this.#parking !== "no";
    const settled = await act(action, { clock, random, trace: this.#trace, aborted, parking, note });
    // What fails because its node is stopping may well succeed on the next one.
    return parking() && settled.result.type === "StepFailed" ? undefined : settled;
  }

  async #undo(why: Thrown): Promise<void> {
    await this.close(this.#body);
    if (this.#undoStack.isEmpty) return;
    this.#committer.change({ state: "undoing" });
    await this.#undoStack.unwind(why);
  }

  #checkNothingLeft(): void {
    const [open] = this.created;
    if (open)
      throw new Error(`The workflow ended, but its step "${open.name}" was never awaited. Await it, or leave it out.`);
    const [waiting] = this.#exchange.waiting.values();
    if (waiting)
      throw new Error(`The workflow ended while "${waiting.path}" was under way. Await every step before the end.`);
  }

  async #checked(output: unknown): Promise<unknown> {
    if (!this.#project) return undefined;
    const { value } = this.#project(output);
    const { operation, id } = this.parts.workflow;
    const checked = await validate(operation.output, value);
    if (checked.ok) return value;
    const [issue] = checked.issues;
    const message = `The workflow of ${id} gave back what its contract does not allow: ${issue?.path ?? ""} ${issue?.message ?? ""}`;
    throw new Fault("Internal", message, { issues: checked.issues });
  }

  #finish(end: End): Promise<Verdict> {
    const ended = { owner: null, wakeAt: null, endedAt: this.parts.clock.now() };
    if ("thrown" in end) {
      const { thrown, cause } = end;
      this.script.write({ type: "Ended", state: "failed", thrown });
      return this.#close({ state: "failed", ...ended }, { kind: "failed", thrown, cause });
    }
    const { output } = end;
    this.script.write({ type: "Ended", state: "done", ...(output !== undefined && { output }) });
    return this.#close({ state: "done", ...ended }, { kind: "done", output });
  }

  #pause(reason: string): Promise<Verdict> {
    this.script.write({ type: "Paused", reason });
    return this.#close({ state: "paused", owner: null, wakeAt: null, reason }, { kind: "paused", reason });
  }

  async #close(row: NonNullable<Change["row"]>, verdict: Verdict): Promise<Verdict> {
    const written = await this.#committer.commit({ row });
    return typeof written === "object" ? written : verdict;
  }

  async #suspend(wakeAt: number | null): Promise<Verdict | undefined> {
    const { inboxSeen } = this.effects;
    const written = await this.#committer.commit({ row: { state: "waiting", owner: null, wakeAt }, inboxSeen });
    if (written === "written") return { kind: "suspended", wakeAt };
    if (written !== "inbox moved") return written;
    await this.poke();
    return undefined;
  }

  /** Until when nothing can happen here: null for a signal alone; undefined where something may happen soon. */
  #suspendUntil(): number | null | undefined {
    const { clock, suspendAfterMs } = this.parts;
    const { waiting } = this.#exchange;
    if (waiting.size === 0) return undefined;
    let earliest: number | null = null;
    for (const { kind, request } of waiting.values()) {
      if (kind === "action") return undefined;
      const wakeAt =
        request.type === "TimerSet" ? request.wakeAt : request.type === "SignalAwaited" ? request.until : undefined;
      if (wakeAt !== undefined && (earliest === null || wakeAt < earliest)) earliest = wakeAt;
    }
    return earliest !== null && earliest - clock.now() <= suspendAfterMs ? undefined : earliest;
  }
}

type End = { readonly output: unknown } | { readonly thrown: Thrown; readonly cause: unknown };

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
