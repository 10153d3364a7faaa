import type { Clock, Trace } from "../../contracts/index.ts";
import { toKey } from "../journal/identity.ts";
import type { Item, Request, Result, StepKind } from "../journal/journal.ts";
import type { Chained, Undo } from "../language/lazy-step.ts";
import { toPlain } from "../language/plain.ts";
import type { Policy } from "../language/policy.ts";
import type { Action, Asleep, Settled } from "./action.ts";
import { givenUp } from "./attempt.ts";
import { type Delivered, diverged, type Exchange, never, type Waiting } from "./exchange.ts";
import { Happened } from "./happened.ts";
import type { Inbox } from "./inbox.ts";
import type { Places } from "./places.ts";
import type { Scope } from "./scope.ts";
import { type Rethrow, sentenceOf } from "./thrown.ts";
import { resumable, type Undoable, type UndoStack } from "./undo-stack.ts";

/** What a step needs beside its name. */
export interface StepSpec {
  readonly name: string;
  readonly kind: StepKind;
  readonly operation?: string;
  /** Of one that waits for a run begun before: which. Other steps may wait for the one that they begin. */
  readonly awaits?: string;
  readonly digest: string;
  readonly policy: Policy;
  readonly attempt: Action["attempt"];
  /** The value that the code reads, from the result in the journal: at once, or a promise of it. */
  parse(wire: unknown): unknown;
  /** The same, where nobody knew whether the step was done and its voiding, with this key, found that it is: by default parsed of what that says came of the operation. */
  readonly found?: (key: string) => unknown;
}

export interface EffectPorts {
  readonly run: string;
  /** What keys begin with: the run, and which stretch of it. */
  readonly root: string;
  readonly exchange: Exchange;
  readonly undoStack: UndoStack;
  readonly places: Places;
  readonly clock: Clock;
  readonly rethrow: Rethrow;
  readonly trace: () => Trace;
  /** Nothing where the node lets go before the end. */
  readonly act: (action: Action, scope: Scope) => Settled | Promise<Settled | Asleep | undefined>;
  /** Looks into the inbox. */
  readonly look: () => Promise<void>;
  /** Whether the run is to leave this activation: then what has failed, or sleeps, comes to rest without a result. */
  readonly parking: () => boolean;
}

type Outcome = { readonly value: unknown } | { readonly error: Error };
const attemptsOfSteps = 5;
const attemptsOfUndo = 20;
/** The effects that a workflow's code can have: steps, timers, signals. `given` is the scope of the client that is asked through. */
export class Effects {
  readonly #ports: EffectPorts;
  readonly inbox: Inbox;
  readonly #happened: Happened;

  constructor(ports: EffectPorts, inbox: Inbox) {
    this.#ports = ports;
    this.inbox = inbox;
    this.#happened = new Happened(ports, inbox);
    ports.exchange.onOffer(() => this.#happened.settle());
  }

  /** The signals that the code waits for at present. */
  get awaits(): readonly string[] {
    const names = new Set<string>();
    for (const { request } of this.#ports.exchange.waiting.values())
      if (request.type === "SignalAwaited")
        for (const name of this.#happened.names?.get(request.path) ?? [request.name]) names.add(name);
    return [...names];
  }

  /** One promise and no more: most of what a step costs is what it leaves behind. */
  step(given: Scope, spec: StepSpec, chained: Chained): Promise<unknown> {
    return new Promise((resolve, reject) => this.#ask(given, spec, chained, resolve, reject));
  }

  #ask(
    given: Scope,
    spec: StepSpec,
    { undo, or }: Chained,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    const { run, exchange, undoStack, places } = this.#ports;
    const scope = places.scope(run, given);
    if (scope.closed) return;
    if (undo && scope.undoing)
      throw new Error(`"${spec.name}" is part of an undo, and cannot have an undo of its own.`);
    const path = scope.next(spec.name);
    const { name, kind, digest } = spec;
    const undoable = undo && this.#undoable(path, spec, undo);
    const settle = (outcome: Outcome): void => {
      scope.settled();
      if (scope.closed) return; // whoever closed the scope has gone on without this code
      if ("value" in outcome) resolve(outcome.value);
      else if (!or) reject(outcome.error);
      else this.#fallBack(path, name, or, outcome.error).then(resolve, reject);
    };
    const deliver = (delivered: Delivered): void => {
      this.#happened.runs?.end(path);
      if (this.#happened.runs?.holdsBack) exchange.offerSoon(); // it may have stood before that
      try {
        const kept = this.#keep(delivered, spec, undoable);
        if (kept instanceof Promise) kept.then(settle, reject);
        else settle(kept);
      } catch (error) {
        reject(error);
      }
    };
    const begin = (waiting: Waiting): void => this.#begin(waiting, spec, or !== undefined);
    const request = { type: "StepStarted", path, name, kind, digest, undo: undo !== undefined } as const;
    exchange.ask(request, "action", scope, begin, deliver);
    if (spec.operation !== undefined || spec.awaits !== undefined) this.#happened.withRuns.begin(path, spec);
    // What another run did is that one's to undo.
    if (undoable && !exchange.script.isCopied(path)) undoStack.push(undoable);
    scope.asked();
  }

  /** Waits for so many ms after the last result. */
  sleep(given: Scope, ms: number, name = "sleep"): Promise<void> {
    return this.until(given, this.#ports.exchange.script.time + ms, name);
  }

  /** Waits until an instant, in ms since 1970. */
  async until(given: Scope, wakeAt: number, name = "until"): Promise<void> {
    const { run, exchange, places } = this.#ports;
    const scope = places.scope(run, given);
    if (scope.closed) return never();
    const path = scope.next(name);
    await exchange.asked({ type: "TimerSet", path, wakeAt }, "timer", scope, (waiting) => {
      const { wakeAt } = waiting.request as Request & { readonly type: "TimerSet" }; // as it was set the first time
      this.#arm(waiting, "sleep", wakeAt, { type: "TimerFired", path });
    });
    return scope.closed ? never() : undefined;
  }

  /** A signal that came within so many ms of the last result. */
  signal(given: Scope, name: string, withinMs: number | undefined): Promise<{ readonly payload: unknown } | undefined> {
    const { time } = this.#ports.exchange.script;
    return this.#signals(given, `signal ${name}`, name, withinMs === undefined ? undefined : time + withinMs);
  }

  /**
   * The next signal of any of these names, in the order in which they came. What is waited for is not compared in replay,
   * only under which label.
   */
  async next(
    given: Scope,
    label: string,
    names: readonly string[],
    until: number | undefined,
  ): Promise<{ readonly signal: string; readonly payload: unknown } | undefined> {
    const taken = await this.#signals(given, label, names.join(" | "), until, new Set(names));
    return taken && { signal: taken.signal ?? "", payload: taken.payload };
  }

  /** One that came after the instant until which is waited finds that over, whoever was there when it came. */
  async #signals(
    given: Scope,
    label: string,
    name: string,
    limit: number | undefined,
    names?: ReadonlySet<string>,
  ): Promise<(Result & { readonly type: "SignalTaken" }) | undefined> {
    const { run, exchange, places } = this.#ports;
    const scope = places.scope(run, given);
    if (scope.closed) return never();
    const path = scope.next(label);
    if (names) {
      this.#happened.names ??= new Map();
      this.#happened.names.set(path, names);
    }
    const request = { type: "SignalAwaited", path, name, ...(limit !== undefined && { until: limit }) } as const;
    const { result } = await exchange.asked(request, "signal", scope, (waiting) => {
      const { until } = waiting.request as Request & { readonly type: "SignalAwaited" }; // as it was set the first time
      this.#arm(waiting, "signal", until, { type: "SignalTimedOut", path });
    });
    this.#happened.names?.delete(path);
    if (result.type === "SignalTaken") this.inbox.take(result.item); // it is so in the journal, whoever hears of it
    if (scope.closed) return never();
    return result.type === "SignalTaken" ? result : undefined;
  }

  /** The inbox as it is now. */
  look(items: readonly Item[]): void {
    this.inbox.look(items);
    this.#happened.settle();
    const stepsFor = this.#happened.stepsFor();
    const told = new Set(stepsFor && this.inbox.items.flatMap(stepsFor));
    if (told.size > 0) this.#ports.exchange.wake(({ path }) => told.has(path));
  }

  /** What is kept is asked for again by another activation: in this one, what stands before it may never have an answer. */
  letGo(): void {
    this.#happened.runs?.letGo();
  }

  #begin(waiting: Waiting, spec: StepSpec, hasFallback: boolean): void {
    const { root, exchange, act, clock, parking } = this.#ports;
    const { path, scope } = waiting;
    const { name, kind, attempt } = spec;
    const { timeoutMs, deadlineMs, pauses, attempts = scope.undoing ? attemptsOfUndo : attemptsOfSteps } = spec.policy;
    const { failed, started, since } = exchange.script.pastOf(waiting.request);
    if (deadlineMs !== undefined) waiting.deadlineAt ??= (since ?? clock.now()) + deadlineMs;
    const { deadlineAt } = waiting;
    // What came to its end in time is not late because nobody was there.
    const isInTime =
      deadlineAt !== undefined &&
      (this.#happened.runs?.endOf(path, this.inbox.items)?.at ?? Number.POSITIVE_INFINITY) <= deadlineAt;
    const action: Action = {
      path,
      name,
      kind: scope.undoing ? "undo" : kind,
      key: toKey(root, path),
      timeoutMs,
      deadlineAt: isInTime ? undefined : deadlineAt,
      attempts,
      pauses,
      failed,
      unknown: started || waiting.rested,
      attempt,
    };
    const seen = this.inbox.seen.revision;
    const tell = (settled: Delivered): void => {
      const { result } = settled;
      // An undo that fails is not a result: it is tried again when a person has seen to it and resumes the run.
      if (scope.undoing && !scope.closed && !hasFallback && result.type === "StepFailed") {
        exchange.stop(`The undo step "${path}" failed: ${sentenceOf(result.thrown)} ${resumable}`);
      } else exchange.settled(settled);
    };
    const settle = (settled: Delivered): void => {
      const awaited = scope.closed ? undefined : this.#happened.runs;
      if (!awaited?.endOf(path, this.inbox.items)) tell(settled);
      else {
        const stay = scope.onClose(() => void awaited.answer(path)); // nobody hears of it there, whatever came first
        const tellNow = (): void => {
          stay();
          tell(settled);
        };
        const rest = (): void => {
          stay();
          exchange.rest(waiting);
        };
        awaited.keep(path, { tell: tellNow, rest });
        if (parking()) awaited.letGo();
        else exchange.offerSoon();
      }
    };
    const settled = act(action, scope);
    if (!(settled instanceof Promise)) {
      exchange.settled(settled);
      return;
    }
    void settled.then((settled) => {
      if (!settled) exchange.rest(waiting);
      else if ("asleep" in settled) {
        const { withRuns: awaited } = this.#happened;
        awaited.sleep(path, settled.run, seen);
        // It may have ended while it was asked, and nobody tells of that a second time.
        if (!scope.closed && awaited.endOf(path, this.inbox.items)) exchange.rest(waiting);
        else {
          // That it ended in time is over where it goes on: now it may be late.
          this.#sleepOver(waiting, { ...action, deadlineAt }, settle);
          this.#happened.settle();
        }
      } else settle(settled);
    });
  }

  /** The action goes on elsewhere: this run is told of its end, and may leave memory meanwhile. */
  #sleepOver(waiting: Waiting, { name, deadlineAt }: Action, settle: (settled: Delivered) => void): void {
    const { exchange, clock, look } = this.#ports;
    const { path, scope } = waiting;
    const giveUp = (message: string) => (): void => {
      const thrown = { kind: "fault", code: "DeadlineExceeded", message } as const;
      waiting.asleep = false;
      settle({ result: { type: "StepFailed", path, thrown, outcome: "unknown" } });
    };
    const abort = giveUp(givenUp(name));
    if (scope.closed) {
      abort();
      return;
    }
    const late = giveUp(`The time of "${name}" is over.`);
    // The run may have ended before, and nobody has told of it yet: it is asked once more, which is in vain where it has not.
    const again = (): void => {
      if (waiting.asleep) exchange.rest(waiting);
    };
    const ring = (): void => void look().then(again, late);
    const disarm = deadlineAt === undefined ? () => {} : clock.after(deadlineAt - clock.now(), ring);
    const stay = scope.onClose(abort);
    waiting.asleep = true;
    waiting.wakeAt = deadlineAt;
    const cancel = (): void => {
      disarm();
      stay();
    };
    waiting.cancel = cancel;
    exchange.stir();
  }

  #undoable(path: string, spec: StepSpec, undo: Undo): Undoable {
    const key = toKey(this.#ports.root, path);
    const parse = (wire: unknown): unknown => (spec.found ? spec.found(key) : this.#parse(spec, wire));
    return { path, key, operation: spec.operation, undo, parse };
  }

  /** What a result means for the undo stack and for the code. */
  #keep({ result, live }: Delivered, spec: StepSpec, undoable: Undoable | undefined): Outcome | Promise<Outcome> {
    const { undoStack, rethrow } = this.#ports;
    if (result.type === "StepFailed") {
      if (undoable && result.outcome === "not done") undoStack.drop(undoable);
      return { error: rethrow(result.thrown) };
    }
    const keep = (value: unknown): Outcome => {
      if (undoable) undoable.done = { value };
      return { value };
    };
    if (live) return keep(live.value);
    const read = this.#parse(spec, "wire" in result ? result.wire : undefined);
    return read instanceof Promise ? read.then(keep) : keep(read);
  }

  /** At once where the step can: the code is told without a turn of ours in between, as it was when the step was done. */
  #parse(spec: StepSpec, wire: unknown): unknown {
    const { exchange } = this.#ports;
    const misread = (error: unknown): Promise<never> => {
      const what = `The result of "${spec.name}" in the journal is not what its contract says now: ${(error as Error).message}`;
      exchange.stop(diverged(what));
      return never();
    };
    try {
      const read = spec.parse(wire);
      return read instanceof Promise ? exchange.hold(() => read).catch(misread) : read;
    } catch (error) {
      return misread(error);
    }
  }

  /** The value is written down, so that a replay reads it; what steps the fallback takes are replayed as any others. */
  async #fallBack(
    path: string,
    name: string,
    fallback: (failure: unknown) => unknown,
    because: Error,
  ): Promise<unknown> {
    const { exchange, trace } = this.#ports;
    const live = !exchange.script.replaying;
    const value = fallback(because);
    const plain = (given: unknown) => ({ value: toPlain(given, `The fallback of "${name}"`) });
    if (isPromiseLike(value)) await exchange.note({ type: "FellBack", path });
    if (live) {
      const about = { "trilith.step": path, "trilith.step.kind": "fallback", "trilith.because": because.message };
      void trace().span("step", `${name} fell back`, about, async () => {});
    }
    const written = isPromiseLike(value)
      ? await exchange.note({ type: "FellBackTo", path, ...plain(await value) })
      : await exchange.note({ type: "FellBack", path, ...plain(value) });
    return written.value;
  }

  #arm(waiting: Waiting, kind: "sleep" | "signal", wakeAt: number | undefined, result: Result): void {
    const { clock, exchange, trace, look } = this.#ports;
    const over = Promise.withResolvers<void>();
    const ring = (): void => {
      // A signal may have come before, or a run have ended, and nobody has told of it yet. Where the inbox is out of reach,
      // time goes on all the same.
      const awaits = this.#happened.runs !== undefined && this.#happened.runs.size > 0;
      const mayHaveCome = awaits || [...exchange.waiting.values()].some(({ kind }) => kind === "signal");
      const settle = () => exchange.settle(result);
      const isBehind = () => {
        const isSo = this.#happened.isBehindAnEnd(wakeAt ?? 0);
        if (isSo) this.#happened.runs?.ring(waiting.path);
        return isSo;
      };
      if (!mayHaveCome) settle();
      else void look().then(() => exchange.ready.has(waiting.path) || isBehind() || settle(), settle);
    };
    const disarm = wakeAt === undefined ? () => {} : clock.after(wakeAt - clock.now(), ring);
    const cancel = (): void => {
      disarm();
      over.resolve();
      this.#happened.runs?.hush(waiting.path);
    };
    waiting.cancel = cancel;
    const about = { "trilith.step": waiting.path, "trilith.step.kind": kind };
    void trace().span("step", waiting.path, about, () => over.promise);
  }
}

const isPromiseLike = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | undefined)?.then === "function";
