import { type Clock, type Dispatch, silent, type Trace } from "../../contracts/index.ts";
import type { Entries } from "../journal/entries.ts";
import { type Change, type Item, inboxFrom, type Journal, type NewEntry, type Thrown } from "../journal/journal.ts";
import { toContext } from "../language/context.ts";
import type { Events } from "../language/events.ts";
import type { Shapes } from "../language/shapes.ts";
import type { Workflow } from "../language/workflow.ts";
import { type Asked, pauseReason, Steering, toEnding, toNote } from "../steering/steering.ts";
import { type Action, type Asleep, act, type FailedAttempt, type Settled, type Surroundings } from "./action.ts";
import { Code, type End } from "./code.ts";
import { type Beginning, Committer } from "./committer.ts";
import { wayOut } from "./difference.ts";
import { Effects } from "./effects.ts";
import { Exchange, never } from "./exchange.ts";
import { Inbox } from "./inbox.ts";
import type { Places } from "./places.ts";
import type { Rests } from "./rests.ts";
import { Scope } from "./scope.ts";
import { Script } from "./script.ts";
import { type Rethrow, sentenceOf } from "./thrown.ts";
import { resumable, UndoStack } from "./undo-stack.ts";
import type { Verdict } from "./verdict.ts";

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
  readonly entries: Entries;
  /** Of a new run: its row and its first entry. */
  readonly begin?: Beginning | undefined;
  readonly inbox: readonly Item[];
  readonly journal: Pick<Journal, "append" | "inbox">;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly rethrow: Rethrow;
  readonly shapes: Shapes;
  readonly places: Places;
  readonly rests: Rests;
  /** A run that waits longer than this leaves memory. */
  readonly suspendAfterMs: number;
  readonly evict: "waiting" | "always";
  readonly events: Events | undefined;
  /** Told, once or more often, that nothing of the journal is left to be acted out. */
  readonly replayed?: (() => void) | undefined;
  /** Told of attempts that failed. */
  readonly attemptFailed?: ((event: AttemptEvent) => void) | undefined;
  /** Only replays, up to the journal's last entry. */
  readonly rehearsal?: boolean;
}

export interface AttemptEvent extends FailedAttempt {
  readonly run: string;
  readonly operation: string;
  readonly traceparent: string;
}

const nothing: Promise<undefined> = Promise.resolve(undefined);

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
  readonly #steering: Steering;
  readonly #around: Surroundings;
  #cancelling = false;
  /** Wakes the actions that wait for their next attempt. */
  #pausing: Set<() => void> | undefined;
  /** Somebody wants it to pause. */
  #halting: Asked | undefined;
  /** Whether a result was delivered that was not in the journal. */
  #advanced = false;
  #isReplayed = false;
  #trace: Trace = silent;
  #parking: "no" | "when settled" | "now" | "dropped" = "no";

  constructor(parts: ExecutionParts) {
    const { run, workflow, newest, input, entries, from, begin, inbox } = parts;
    const { journal, clock, random, dispatch, places, rethrow, shapes } = parts;
    this.parts = parts;
    this.script = new Script(entries, () => clock.now(), from);
    if (begin) this.script.write(begin.started);
    const exchange = new Exchange(this.script);
    this.#exchange = exchange;
    const trace = () => this.#trace;
    const acting = (action: Action, scope: Scope) => this.#act(action, scope);
    const { first } = entries;
    const continued = first?.type === "Continued" ? first : undefined;
    this.#stretch = continued?.stretch ?? 1;
    this.carried = continued?.carried;
    this.written = (continued ?? (first?.type === "Started" ? first : begin?.started))?.input;
    // A further stretch takes the same names again, and must not find the results of the one before.
    const root = continued ? `${run}~${continued.stretch}` : run;
    const forked = first?.type === "Started" ? first.forked : undefined;
    // What was copied has drawn what the run drew that it was copied from; what is new draws its own.
    const drawsFrom = forked ? () => (this.script.inCopy ? forked.root : root) : () => root;
    this.#body = Scope.body(root, drawsFrom);
    this.#steering = new Steering(entries.others, inbox);
    this.#around = {
      clock,
      random,
      trace,
      parking: () => this.#parking !== "no" || this.#halting !== undefined,
      onParking: (wake) => {
        this.#pausing ??= new Set();
        this.#pausing.add(wake);
        return () => void this.#pausing?.delete(wake);
      },
      failed: (attempt) =>
        parts.attemptFailed?.({ run, operation: workflow.id, traceparent: this.#trace.traceparent, ...attempt }),
      note: (entry) => {
        this.script.write(entry);
        exchange.stir();
      },
    };
    const { script } = this;
    const inboxSeen = () => {
      const [asked] = this.#steering.open;
      return asked ? { revision: asked.revision - 1 } : this.effects.inbox.seen;
    };
    this.#committer = new Committer({ journal, run, script, clock, trace, beginning: begin, inboxSeen });
    this.#undoStack = new UndoStack({ run, root, exchange, dispatch, places, act: acting });
    const undoStack = this.#undoStack;
    const look = () => this.poke();
    this.effects = new Effects(
      {
        run,
        root,
        exchange,
        undoStack,
        places,
        clock,
        rethrow,
        trace,
        act: acting,
        look,
        parking: this.#around.parking,
      },
      new Inbox(inbox, continued?.inbox),
    );
    const body = this.#body;
    const begins = () => places.in({ run, scope: body }, () => workflow.body(input, toContext(this, body)));
    const close = (scope: Scope) => this.close(scope);
    const undo = (why: Thrown) => this.#undo(why);
    this.code = new Code({ run, workflow, newest, shapes, exchange, body, act: begins, close, undo });
  }

  /** Resolves when the run's first entries are on disk; rejects with the verdict where they are not. */
  get begun(): Promise<void> {
    return this.#committer.begun.promise;
  }

  /** Acts the run out. Never throws. */
  async act(trace: Trace): Promise<Verdict> {
    this.#trace = trace;
    void this.code.act();
    await undefined; // from here on this is a microtask, as it has to be for who waits for the code to come to rest
    const verdict = await this.#drive().catch((error: unknown): Verdict => ({ kind: "lost", error }));
    this.#undoStack.shut();
    void this.#body.close();
    this.#exchange.drop(() => true);
    this.#replayed();
    this.#committer.begun.reject(verdict); // in vain, where it has begun
    return verdict;
  }

  #replayed(): void {
    if (this.#isReplayed) return;
    this.#isReplayed = true;
    this.parts.replayed?.();
  }

  /** Something has come into the inbox. */
  async poke(): Promise<void> {
    const { journal, run, entries } = this.parts;
    const items = await journal.inbox(run, inboxFrom(entries.first));
    this.effects.look(items);
    this.#steering.look(items);
    if (this.#steering.open.length > 0) this.#exchange.stir();
  }

  /** Lets go of the run once its present actions have settled, or at once: another activation goes on from the journal. */
  park(when: "when settled" | "now"): void {
    this.#parking = when;
    this.#hush();
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

  /** Whether the code may go on putting parts together: see Exchange. */
  turn(): boolean {
    return this.#exchange.turn();
  }

  /** The run cannot go on: it is paused with the reason, for a person. */
  async stop(reason: string): Promise<never> {
    this.#exchange.stop(`${reason} ${resumable}`);
    return never();
  }

  async #drive(): Promise<Verdict> {
    const exchange = this.#exchange;
    const { rests } = this.parts;
    for (let rested = false; ; ) {
      // The code comes to rest between deliveries: whatever it asks for next, it has asked for by then.
      if (!rested || exchange.isHeld)
        for (await rests.next(); exchange.isHeld; await rests.next()) await exchange.stirred();
      rested = false;
      exchange.calm();
      if (this.#parking === "dropped") return { kind: "fenced" };
      if (exchange.trouble !== undefined) {
        const ends = this.#steer();
        const verdict = ends ? await this.#terminate(ends) : await this.#pause(exchange.trouble);
        if (verdict) return verdict;
        continue;
      }
      const replayed = exchange.replayNext();
      if (replayed === "unasked") await this.#untilAsked();
      if (replayed !== "over") continue;
      this.#replayed();
      if (this.parts.rehearsal) return { kind: "rehearsed", ended: this.#ended, asked: this.script.asked };
      const ends = this.#steer();
      if (ends) return this.#terminate(ends);
      exchange.activate("no actions");
      if (exchange.deliverNext()) {
        this.#advanced = true;
        continue;
      }
      const turn = this.#turn();
      if (turn) {
        const verdict = await turn;
        if (verdict) return verdict;
        continue;
      }
      if (this.script.pending.length > 0) {
        const unread = this.effects.inbox.unreadAtLast();
        if (unread) this.#committer.change(unread);
        const written = await this.#committer.commit();
        if (typeof written === "object") return written;
      }
      if (this.#parking === "no" && !this.#halting) exchange.activate("all");
      rested = exchange.hasReady; // an action had its result at once, and the code has been given nothing since
      if (this.#isDue) continue;
      const disarm = exchange.waiting.size === 0 ? this.#watchStray() : undefined;
      await exchange.stirred();
      disarm?.();
    }
  }

  /** Whether there is something to deliver or to see to. */
  get #isDue(): boolean {
    const { hasReady, trouble } = this.#exchange;
    return hasReady || trouble !== undefined || this.code.end !== undefined || this.#steering.open.length > 0;
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

  /** At rest, with nothing to deliver: where the run ends, leaves memory or is held up. Nothing where it just goes on. */
  #turn(): Promise<Verdict | undefined> | undefined {
    const exchange = this.#exchange;
    const { end } = this.code;
    // Whoever asks for a pause is heard before a further stretch begins, which would know nothing of it.
    if (end && !(this.#halting && "input" in end)) return this.#finish(end);
    if (this.#halting && !this.#acting)
      return this.#pause(pauseReason({ by: this.#halting.by, reason: this.#halting.control.reason }));
    if (this.#parking !== "no" && (this.#parking === "now" || !this.#acting)) return this.#leave({ kind: "parked" });
    const waits = this.#waits;
    const forgotten = waits ? this.code.forgotten : undefined;
    if (forgotten !== undefined) {
      exchange.settle({ type: "StepForgotten", path: forgotten });
      return nothing;
    }
    const wakeAt = waits ? this.#suspendUntil() : undefined;
    if (wakeAt !== undefined) return this.#suspend(wakeAt);
    if (this.parts.evict === "always" && this.#advanced && !this.#acting)
      return this.#leave({ kind: "suspended", wakeAt: this.parts.clock.now() });
    return undefined;
  }

  /** Lets go of the run, for whoever claims it next. */
  #leave(verdict: Verdict): Promise<Verdict> {
    const { unread } = this.effects.inbox;
    return this.#close({ state: "waiting", owner: null, wakeAt: this.parts.clock.now(), ...unread }, verdict);
  }

  /** What waits for its next attempt, or for its turn, waits no longer: it is begun when the run goes on. */
  #hush(): void {
    for (const wake of [...(this.#pausing ?? [])]) wake();
    this.effects.letGo();
  }

  get #acting(): boolean {
    for (const { kind, active, asleep } of this.#exchange.waiting.values())
      if (kind === "action" && active && !asleep) return true;
    return false;
  }

  /** For nothing but time, signals and other runs: it may leave memory, whether it does or not. */
  get #waits(): boolean {
    const { waiting } = this.#exchange;
    for (const { kind, asleep } of waiting.values()) if (kind === "action" && !asleep) return false;
    return waiting.size > 0;
  }

  #watchStray(): () => void {
    const { clock, workflow } = this.parts;
    const reason = `The code of ${workflow.id} waits for something that is no step, such as a timer or a request of its own. Put it into run.step, and resume the run.`;
    return clock.after(strayMs, () => this.#exchange.stop(reason));
  }

  #act(action: Action, scope: Scope): Settled | Promise<Settled | Asleep | undefined> {
    const settled = act(action, scope, this.#around);
    if (!(settled instanceof Promise)) return settled; // it is done
    return settled.then((settled) =>
      // What fails because its node is stopping may well succeed on the next one.
      this.#around.parking() && ("asleep" in settled || settled.result.type === "StepFailed") ? undefined : settled,
    );
  }

  async #undo(why: Thrown): Promise<void> {
    await this.close(this.#body);
    if (this.#undoStack.isEmpty) return;
    this.#committer.change({ state: "undoing", reason: sentenceOf(why) });
    await this.#undoStack.unwind(why);
  }

  #finish(end: End): Promise<Verdict> {
    const now = this.parts.clock.now();
    this.#noteHalt();
    this.script.write(this.#ended as NewEntry); // it has ended
    if ("input" in end) {
      // The next activation begins with an empty journal, in whichever version is the newest.
      const { id, version } = this.parts.newest;
      const from = this.script.revision + this.script.pending.length;
      const row = { state: "waiting", owner: null, wakeAt: now, from, workflow: `${id}@${version}` } as const;
      const { unread } = this.effects.inbox;
      return this.#close({ ...row, ...unread }, { kind: "suspended", wakeAt: now });
    }
    const state = "thrown" in end ? end.state : "done";
    const verdict = "thrown" in end ? ({ kind: "failed", ...end } as const) : ({ kind: "done", ...end } as const);
    const failure = "thrown" in end ? this.#declared(end.thrown) : undefined;
    const over = { ...(this.code.undoing && { reason: null }), ...(failure !== undefined && { failure }) };
    const row = { state, owner: null, wakeAt: null, endedAt: now, ...over } as const;
    return this.#close(row, verdict, this.#toParent(now));
  }

  #declared(thrown: Thrown): string | undefined {
    const { failures } = this.parts.workflow.operation;
    return thrown.kind === "failed" && Object.hasOwn(failures, thrown.code) ? thrown.code : undefined;
  }

  get #ended(): NewEntry | undefined {
    const { end } = this.code;
    if (!end) return undefined;
    const { upTo, left } = this.effects.inbox.left;
    const asked = this.#steering.open.map(({ revision }) => revision);
    return this.code.toEntry(end, this.#stretch, { upTo, left: [...left, ...asked] });
  }

  #toParent(at: number): Pick<Change, "tell"> {
    const { parent, run } = this.parts;
    if (parent === undefined) return {};
    return { tell: { run: parent, item: { signal: "", payload: { ended: run }, by: `run:${run}`, at } } };
  }

  /** Takes up what operators have asked; gives back who wants it to end. */
  #steer(): Asked | undefined {
    for (const asked of this.#steering.open) {
      const { to, reason } = asked.control;
      if (to === "terminate") return asked;
      this.#steering.take(asked);
      this.#noteHalt(); // it gives way to what was asked after it
      this.#halting = to === "pause" ? asked : undefined;
      if (this.#halting) this.#hush();
      else if (to === "cancel" && !this.code.undoing && !this.code.ended && !this.#cancelling) {
        this.#cancelling = true;
        const { by, revision: item } = asked;
        this.#exchange.settle({ type: "Cancelled", path: "", item, by, ...(reason !== undefined && { reason }) });
      } else this.script.write(toNote(asked));
    }
    return undefined;
  }

  /** Whoever asked for a pause stands in the journal beside it: what came before a crash without it would be a pause lost. */
  #noteHalt(): void {
    if (this.#halting) this.script.write(toNote(this.#halting));
  }

  #terminate(asked: Asked): Promise<Verdict> {
    const { run, clock } = this.parts;
    const thrown = toEnding("terminate", run, { by: asked.by, reason: asked.control.reason });
    this.#steering.take(asked);
    this.#noteHalt();
    this.script.write(toNote(asked));
    this.script.write({ type: "Ended", state: "terminated", thrown });
    const now = clock.now();
    const row = { state: "terminated", owner: null, wakeAt: null, endedAt: now, reason: null } as const;
    return this.#close(row, { kind: "failed", thrown, state: "terminated" }, this.#toParent(now));
  }

  /** Nothing where somebody has asked for something meanwhile that may change it. */
  async #pause(reason: string): Promise<Verdict | undefined> {
    if (this.parts.rehearsal) return { kind: "paused", reason };
    if (this.effects.inbox.hasLost) return { kind: "fenced" };
    this.#noteHalt();
    this.script.write({ type: "Paused", reason });
    const { seen: inboxSeen } = this.effects.inbox;
    const unread = this.#isReplayed ? this.effects.inbox.unread : undefined; // before, what it took is not all known
    const row = { state: "paused", owner: null, wakeAt: null, reason, ...unread } as const;
    const written = await this.#committer.commit({ row, inboxSeen });
    if (written === "written") return { kind: "paused", reason };
    if (written !== "inbox moved") return written;
    const halt = this.#halting?.revision;
    this.script.pending = this.script.pending.filter(
      (entry) => entry.type !== "Paused" && !(entry.type === "Steered" && entry.item === halt),
    );
    await this.poke();
    return this.effects.inbox.hasLost ? { kind: "fenced" } : undefined;
  }

  async #close(row: NonNullable<Change["row"]>, verdict: Verdict, others: Pick<Change, "tell"> = {}): Promise<Verdict> {
    const written = await this.#committer.commit({ row, ...others });
    return typeof written === "object" ? written : verdict;
  }

  async #suspend(wakeAt: number | null): Promise<Verdict | undefined> {
    if (this.effects.inbox.hasLost) return { kind: "fenced" };
    const { inbox, awaits } = this.effects;
    const { seen: inboxSeen, unread } = inbox;
    const asleepAt = this.script.revision + this.script.pending.length;
    const row = { state: "waiting", owner: null, wakeAt, awaits, asleepAt, ...unread } as const;
    const written = await this.#committer.commit({ row, inboxSeen });
    if (written === "written") return { kind: "suspended", wakeAt };
    if (written !== "inbox moved") return written;
    await this.poke();
    return this.effects.inbox.hasLost ? { kind: "fenced" } : undefined;
  }

  /** Until when nothing can happen here: null for a signal alone; undefined where something may happen soon. */
  #suspendUntil(): number | null | undefined {
    const { clock, suspendAfterMs } = this.parts;
    const { waiting } = this.#exchange;
    let earliest: number | null = null;
    for (const { wakeAt } of waiting.values()) {
      if (wakeAt !== undefined && (earliest === null || wakeAt < earliest)) earliest = wakeAt;
    }
    return earliest !== null && earliest - clock.now() <= suspendAfterMs ? undefined : earliest;
  }
}
