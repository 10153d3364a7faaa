import { type Clock, type Dispatch, silent, type Trace } from "../contracts/index.ts";
import { type Action, type Asleep, act, type Settled } from "./action.ts";
import { Code, type End } from "./code.ts";
import { type Beginning, Committer } from "./committer.ts";
import { toContext } from "./context.ts";
import { wayOut } from "./difference.ts";
import { Effects } from "./effects.ts";
import type { Events } from "./events.ts";
import { Exchange, never } from "./exchange.ts";
import { type Change, type Entry, type Item, inboxFrom, type Journal, type NewEntry, type Thrown } from "./journal.ts";
import type { Places } from "./places.ts";
import { Scope } from "./scope.ts";
import { Script } from "./script.ts";
import type { Rethrow } from "./thrown.ts";
import { resumable, UndoStack } from "./undo-stack.ts";
import type { Verdict } from "./verdict.ts";
import type { Workflow } from "./workflow.ts";

export interface ExecutionParts {
  readonly run: string;
  readonly workflow: Workflow;
  readonly input: unknown;
  /** Its highest version here, which a further stretch takes. */
  readonly newest: Workflow;
  /** The run that waits for this one's end. */
  readonly parent: string | undefined;
  /** The revision of the first entry. */
  readonly from: number;
  /** What is on disk of the present stretch; empty for a new run. */
  readonly entries: readonly Entry[];
  /** Of a new run: its row and its first entry. */
  readonly begin?: Beginning;
  readonly inbox: readonly Item[];
  readonly journal: Pick<Journal, "append" | "inbox">;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly rethrow: Rethrow;
  readonly places: Places;
  /** A run that waits longer than this leaves memory. */
  readonly suspendAfterMs: number;
  readonly evict: "waiting" | "always";
  readonly events: Events | undefined;
  /** Only replays, up to the journal's last entry. */
  readonly rehearsal?: boolean;
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
  readonly code: Code;
  /** What the stretch before has handed on beside its input. */
  readonly carried: unknown;
  /** The input as it was written. */
  readonly written: unknown;
  readonly #exchange: Exchange;
  readonly #committer: Committer;
  readonly #undoStack: UndoStack;
  readonly #body: Scope;
  readonly #stretch: number;
  /** Whether a result was delivered that was not in the journal. */
  #advanced = false;
  #trace: Trace = silent;
  #parking: "no" | "when settled" | "now" | "dropped" = "no";

  constructor(parts: ExecutionParts) {
    const { run, workflow, newest, input, entries, from, begin, inbox } = parts;
    const { journal, clock, dispatch, places, rethrow } = parts;
    this.parts = parts;
    this.script = new Script(entries, () => clock.now(), from);
    if (begin) this.script.write(begin.started);
    const exchange = new Exchange(this.script);
    this.#exchange = exchange;
    const trace = () => this.#trace;
    const acting = (action: Action, scope: Scope) => this.#act(action, scope);
    const [first] = entries;
    const continued = first?.type === "Continued" ? first : undefined;
    this.#stretch = continued?.stretch ?? 1;
    this.carried = continued?.carried;
    this.written = (continued ?? (first?.type === "Started" ? first : begin?.started))?.input;
    // A further stretch takes the same names again, and must not find the results of the one before.
    const root = continued ? `${run}~${continued.stretch}` : run;
    this.#body = Scope.body(root);
    this.#committer = new Committer({ journal, run, script: this.script, clock, trace, beginning: begin });
    this.#undoStack = new UndoStack({ run, root, exchange, dispatch, places, act: acting });
    this.effects = new Effects(
      { run, root, exchange, undoStack: this.#undoStack, places, clock, rethrow, trace, act: acting },
      inbox,
      continued?.inbox,
    );
    this.code = new Code({
      ...{ workflow, newest, exchange, body: this.#body },
      act: () => places.in({ run, scope: this.#body }, () => workflow.body(input, toContext(this, this.#body))),
      close: (scope) => this.close(scope),
      undo: (why) => this.#undo(why),
    });
  }

  /** Resolves when the run's first entries are on disk; rejects with the verdict where they are not. */
  get begun(): Promise<void> {
    return this.#committer.begun.promise;
  }

  /** Acts the run out. Never throws. */
  async act(trace: Trace): Promise<Verdict> {
    this.#trace = trace;
    void this.code.act();
    const verdict = await this.#drive().catch((error: unknown): Verdict => ({ kind: "lost", error }));
    this.#undoStack.shut();
    void this.#body.close();
    this.#exchange.drop(() => true);
    this.#committer.begun.reject(verdict); // in vain, where it has begun
    return verdict;
  }

  /** A signal has come in. */
  async poke(): Promise<void> {
    const { journal, run, entries } = this.parts;
    this.effects.look(await journal.inbox(run, inboxFrom(entries[0])));
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

  /** The run cannot go on: it is paused with the reason, for a person. */
  async stop(reason: string): Promise<never> {
    this.#exchange.stop(`${reason} ${resumable}`);
    return never;
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
      if (this.parts.rehearsal) return { kind: "rehearsed", ended: this.#ended, asked: this.script.asked };
      exchange.activate(({ kind }) => kind !== "action");
      if (exchange.deliverNext()) {
        this.#advanced = true;
        continue;
      }
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
    const tell = (asked: "nothing" | "the end") => (): void =>
      this.#exchange.stop(`${this.script.unasked(asked).message}\n${wayOut}`);
    if (this.code.end) return tell("the end")();
    const disarm = this.parts.clock.after(strayMs, tell("nothing"));
    await this.#exchange.stirred();
    disarm();
  }

  /** At rest, with nothing to deliver: to the disk, and then to whatever is to be done or waited for. */
  async #goOn(): Promise<Verdict | undefined> {
    const exchange = this.#exchange;
    if (this.code.end) return this.#finish(this.code.end);
    const now = this.parts.clock.now();
    if (this.#parking !== "no" && (this.#parking === "now" || !this.#acting))
      return this.#close({ state: "waiting", owner: null, wakeAt: now }, { kind: "parked" });
    const forgotten = this.#waits ? this.code.forgotten : undefined;
    if (forgotten !== undefined) {
      exchange.settle({ type: "StepForgotten", path: forgotten });
      return undefined;
    }
    const wakeAt = this.#suspendUntil();
    if (wakeAt !== undefined) return this.#suspend(wakeAt);
    if (this.parts.evict === "always" && this.#advanced && !this.#acting)
      return this.#close({ state: "waiting", owner: null, wakeAt: now }, { kind: "suspended", wakeAt: now });
    if (this.script.pending.length > 0) {
      const written = await this.#committer.commit();
      if (typeof written === "object") return written;
    }
    if (this.#parking === "no") exchange.activate(() => true);
    if (exchange.hasReady || exchange.trouble !== undefined || this.code.end) return undefined;
    const disarm = exchange.waiting.size === 0 ? this.#watchStray() : () => {};
    await exchange.stirred();
    disarm();
    return undefined;
  }

  get #acting(): boolean {
    return [...this.#exchange.waiting.values()].some(
      ({ kind, active, asleep }) => kind === "action" && active && !asleep,
    );
  }

  /** For nothing but time, signals and other runs: it may leave memory, whether it does or not. */
  get #waits(): boolean {
    const { waiting } = this.#exchange;
    return waiting.size > 0 && [...waiting.values()].every(({ kind, asleep }) => kind !== "action" || asleep);
  }

  #watchStray(): () => void {
    const { clock, workflow } = this.parts;
    const reason = `The code of ${workflow.id} waits for something that is no step, such as a timer or a request of its own. Put it into run.step, and resume the run.`;
    return clock.after(strayMs, () => this.#exchange.stop(reason));
  }

  async #act(action: Action, { aborted }: Scope): Promise<Settled | Asleep | undefined> {
    const { clock, random } = this.parts;
    const note = (entry: NewEntry): void => {
      this.script.write(entry);
      this.#exchange.stir();
    };
    const parking = () => this.#parking !== "no";
    const settled = await act(action, { clock, random, trace: this.#trace, aborted, parking, note });
    // What fails because its node is stopping may well succeed on the next one.
    if ("asleep" in settled) return parking() ? undefined : settled;
    return parking() && settled.result.type === "StepFailed" ? undefined : settled;
  }

  async #undo(why: Thrown): Promise<void> {
    await this.close(this.#body);
    if (this.#undoStack.isEmpty) return;
    this.#committer.change({ state: "undoing" });
    await this.#undoStack.unwind(why);
  }

  #finish(end: End): Promise<Verdict> {
    const now = this.parts.clock.now();
    this.script.write(this.#ended as NewEntry); // it has ended
    if ("input" in end) {
      // The next activation begins with an empty journal, in whichever version is the newest.
      const { id, version } = this.parts.newest;
      const from = this.script.revision + this.script.pending.length;
      const row = { state: "waiting", owner: null, wakeAt: now, from, workflow: `${id}@${version}` } as const;
      return this.#close(row, { kind: "suspended", wakeAt: now });
    }
    const state = "thrown" in end ? "failed" : "done";
    const verdict = "thrown" in end ? ({ kind: "failed", ...end } as const) : ({ kind: "done", ...end } as const);
    return this.#close({ state, owner: null, wakeAt: null, endedAt: now }, verdict, this.#toParent(now));
  }

  get #ended(): NewEntry | undefined {
    const { end } = this.code;
    return end && this.code.toEntry(end, this.#stretch, this.effects.inboxLeft);
  }

  #toParent(at: number): Pick<Change, "tell"> {
    const { parent, run } = this.parts;
    if (parent === undefined) return {};
    return { tell: { run: parent, item: { signal: "", payload: { ended: run }, by: `run:${run}`, at } } };
  }

  async #pause(reason: string): Promise<Verdict> {
    if (this.parts.rehearsal) return { kind: "paused", reason };
    this.script.write({ type: "Paused", reason });
    return this.#close({ state: "paused", owner: null, wakeAt: null, reason }, { kind: "paused", reason });
  }

  async #close(row: NonNullable<Change["row"]>, verdict: Verdict, others: Pick<Change, "tell"> = {}): Promise<Verdict> {
    const written = await this.#committer.commit({ row, ...others });
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
    if (!this.#waits) return undefined;
    let earliest: number | null = null;
    for (const { wakeAt } of waiting.values()) {
      if (wakeAt !== undefined && (earliest === null || wakeAt < earliest)) earliest = wakeAt;
    }
    return earliest !== null && earliest - clock.now() <= suspendAfterMs ? undefined : earliest;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
