import {
  type Clock,
  type Dispatch,
  Fault,
  type JsonSchema,
  nothing,
  type Principal,
  type Projection,
  silent,
  type Trace,
  toJsonSchema,
  toProjection,
  validate,
} from "../contracts/index.ts";
import { type Action, act, type Settled } from "./action.ts";
import { toContext } from "./context.ts";
import type {
  Change,
  Entry,
  Item,
  Journal,
  NewEntry,
  Request,
  Result,
  RunRow,
  Thrown,
  UndoneOutcome,
} from "./journal.ts";
import type { Chained, LazyStep, Undo } from "./lazy-step.ts";
import { Scope } from "./scope.ts";
import { type Divergence, Script } from "./script.ts";
import { type Rethrow, sentenceOf, toThrown } from "./thrown.ts";
import type { Workflow } from "./workflow.ts";

/** How an activation of a run came to its end. */
export type Verdict =
  | { readonly kind: "done"; readonly output: unknown }
  | { readonly kind: "failed"; readonly thrown: Thrown }
  | { readonly kind: "suspended"; readonly wakeAt: number | null }
  | { readonly kind: "paused"; readonly reason: string }
  | { readonly kind: "parked" }
  /** Another node has the run. */
  | { readonly kind: "fenced" }
  /** The journal cannot be written; what was acknowledged is safe. */
  | { readonly kind: "lost"; readonly error: unknown };

export interface ExecutionParts {
  readonly run: string;
  readonly workflow: Workflow;
  readonly input: unknown;
  /** What is on disk; empty for a new run. */
  readonly entries: readonly Entry[];
  /** Of a new run: its row and its first entry. */
  readonly begin?: { readonly row: RunRow; readonly started: NewEntry & { readonly type: "Started" } };
  /** Of an adopted run: written before anything else. */
  readonly claimed?: NewEntry;
  readonly inbox: readonly Item[];
  readonly journal: Journal;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly rethrow: Rethrow;
  /** A run that waits longer than this leaves memory. */
  readonly suspendAfterMs: number;
}

interface Waiting {
  readonly kind: "action" | "timer" | "signal";
  readonly path: string;
  readonly undoing: boolean;
  readonly request: Request;
  active: boolean;
  activate(): void;
  deliver(result: Result, value?: { readonly live: unknown }): void;
  cancel(): void;
}
/** A step whose undo will run if the run fails. */
interface Undoable {
  readonly path: string;
  readonly key: string;
  readonly operation: string | undefined;
  readonly undo: Undo;
  done?: { readonly value: unknown };
  parse(wire: unknown): Promise<unknown>;
}
/** What a step needs beside its name: filled in by the context. */
export interface StepSpec {
  readonly name: string;
  readonly kind: "operation" | "local";
  readonly operation?: string;
  readonly digest: string;
  readonly timeoutMs: number;
  readonly attempts: number | undefined;
  readonly attempt: Action["attempt"];
  parse(wire: unknown): Promise<unknown>;
}

const never = new Promise<never>(() => {});

/**
 * One activation of a run: replays its journal and goes on until the run ends, waits, or cannot go on. The workflow's
 * code runs between deliveries; everything that it asks for is journaled, and an action begins when its request is on disk.
 */
export class Execution {
  readonly parts: ExecutionParts;
  readonly script: Script;
  readonly created: Set<LazyStep> = new Set();
  readonly #waiting = new Map<string, Waiting>();
  readonly #undoables: Undoable[] = [];
  /** Steps that were asked for and whose result has not been taken note of. */
  readonly #settling = new Set<Promise<unknown>>();
  readonly #abort = new AbortController();
  readonly #abortUndo = new AbortController();
  readonly #taken = new Set<number>();
  readonly #output: { readonly schema: JsonSchema; readonly project: Projection } | undefined;
  #ready: { readonly result: Result; readonly value?: { readonly live: unknown } }[] = [];
  #stirred = Promise.withResolvers<void>();
  #items: readonly Item[];
  #row: Partial<RunRow> = {};
  #begun: boolean;
  #trace: Trace = silent;
  #closing = false;
  #undoScope: Scope | undefined;
  #end: { readonly output: unknown } | { readonly thrown: Thrown } | undefined;
  #trouble: string | undefined;
  #parking: "no" | "when settled" | "now" = "no";
  /** Resolves when the run's first entries are on disk. */
  readonly durable: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor(parts: ExecutionParts) {
    this.parts = parts;
    this.script = new Script(parts.entries, () => parts.clock.now());
    this.#items = parts.inbox;
    this.#begun = parts.begin === undefined;
    if (parts.begin) this.script.write(parts.begin.started);
    if (parts.claimed) this.script.write(parts.claimed);
    for (const entry of parts.entries) if (entry.type === "SignalTaken") this.#taken.add(entry.item);
    const { output } = parts.workflow.operation;
    if (output !== nothing) {
      const schema = toJsonSchema(output);
      this.#output = { schema, project: toProjection(schema) };
    }
    this.durable.promise.catch(() => {}); // whoever started the run hears of it through the verdict as well
  }

  /** Acts the run out. Never throws. */
  async act(trace: Trace): Promise<Verdict> {
    this.#trace = trace;
    void this.#main();
    const verdict = await this.#drive();
    this.#abort.abort();
    this.#abortUndo.abort();
    for (const waiting of this.#waiting.values()) waiting.cancel();
    if (verdict.kind === "lost" || verdict.kind === "fenced") this.durable.reject(verdict);
    else this.durable.resolve();
    return verdict;
  }

  /** A signal has come in. */
  async poke(): Promise<void> {
    this.#items = await this.parts.journal.inbox(this.parts.run);
    this.#takeSignals();
  }

  /** Lets go of the run once its present actions have settled, or at once: another activation goes on from the journal. */
  park(when: "when settled" | "now"): void {
    this.#parking = when;
    this.#stirred.resolve();
  }

  // ── what the workflow's code asks for ──

  async step(scope: Scope, spec: StepSpec, { undo, or }: Chained): Promise<unknown> {
    const path = (this.#undoScope ?? scope).next(spec.name);
    const key = `${this.parts.run}/${path}`;
    const undoable: Undoable | undefined = undo && { path, key, operation: spec.operation, undo, parse: spec.parse };
    const { name, kind, digest } = spec;
    const request = { type: "StepStarted", path, name, kind, digest, undo: undo !== undefined } as const;
    const asked = this.#ask<Settled["result"]>(request, "action", (waiting) =>
      this.#begin(waiting, spec, key, or !== undefined),
    );
    if (undoable) this.#undoables.push(undoable);
    const kept = asked.then(({ result, value }) => this.#keep(result, value, spec, undoable));
    this.#settling.add(kept);
    const outcome = await kept;
    this.#settling.delete(kept);
    if ("value" in outcome) return outcome.value;
    if (!or) throw outcome.error;
    return this.#fallBack(path, name, or(outcome.error), outcome.error);
  }

  async sleep(scope: Scope, ms: number): Promise<void> {
    const path = (this.#undoScope ?? scope).next("sleep");
    const request = { type: "TimerSet", path, wakeAt: this.script.time + ms } as const;
    await this.#ask(request, "timer", (waiting) =>
      this.#arm(waiting, (waiting.request as typeof request).wakeAt, { type: "TimerFired", path }),
    );
  }

  async signal(
    scope: Scope,
    name: string,
    withinMs: number | undefined,
  ): Promise<{ readonly payload: unknown } | undefined> {
    const path = (this.#undoScope ?? scope).next(`signal ${name}`);
    const until = withinMs === undefined ? {} : { until: this.script.time + withinMs };
    const { result } = await this.#ask({ type: "SignalAwaited", path, name, ...until }, "signal", (waiting) => {
      const { until } = waiting.request as { until?: number };
      if (!this.#takeSignals() && until !== undefined) this.#arm(waiting, until, { type: "SignalTimedOut", path });
    });
    return result.type === "SignalTaken" ? { payload: result.payload } : undefined;
  }

  // ── the run's course ──

  async #main(): Promise<void> {
    const { workflow, input } = this.parts;
    try {
      const output = await workflow.body(input, toContext(this, new Scope(this.parts.run, "")));
      this.#checkNothingLeft();
      this.#end = { output: await this.#checked(output) };
    } catch (error) {
      await this.#undo(toThrown(error));
      this.#end = { thrown: toThrown(error) };
    }
    this.#stirred.resolve();
  }

  async #drive(): Promise<Verdict> {
    for (;;) {
      // The code comes to rest between deliveries: whatever it asks for next, it has asked for by then.
      await atRest();
      if (this.#trouble) return this.#pause(this.#trouble);
      try {
        const replayed = this.script.nextResult();
        if (replayed) {
          this.#deliver(replayed);
          continue;
        }
      } catch (error) {
        return this.#pause(diverged((error as Divergence).message));
      }
      this.#activate((waiting) => waiting.kind !== "action");
      const settled = this.#ready.shift();
      if (settled) {
        if (!this.#waiting.has(settled.result.path)) continue;
        this.script.settle(settled.result);
        this.#deliver(settled.result, settled.value);
        continue;
      }
      const verdict = await this.#goOn();
      if (verdict) return verdict;
    }
  }

  /** At rest, with nothing to deliver: to the disk, and then to whatever is to be done or waited for. */
  async #goOn(): Promise<Verdict | undefined> {
    if (this.#end) return this.#finish(this.#end);
    const inFlight = [...this.#waiting.values()].some((waiting) => waiting.kind === "action" && waiting.active);
    if (this.#parking === "now" || (this.#parking === "when settled" && !inFlight)) {
      return this.#close({ state: "waiting", owner: null, wakeAt: this.parts.clock.now() }, { kind: "parked" });
    }
    const wakeAt = this.#suspendUntil();
    if (wakeAt !== undefined) return this.#suspend(wakeAt);
    if (this.script.pending.length > 0) {
      const failed = await this.#commit({});
      if (typeof failed === "object") return failed;
    }
    if (this.#parking === "no") this.#activate(() => true);
    if (this.#ready.length > 0 || this.#trouble || this.#end) return undefined;
    return this.#rest();
  }

  /** Waits until something stirs. Code that waits for nothing of ours would be waited for in vain. */
  async #rest(): Promise<Verdict | undefined> {
    let disarm = (): void => {};
    const idle = this.#waiting.size === 0;
    if (idle) {
      disarm = this.parts.clock.after(5_000, () => {
        this.#trouble = `The code of ${this.parts.workflow.id} waits for something that is no step, such as a timer or a request of its own. Put it into run.step, and resume the run.`;
        this.#stirred.resolve();
      });
    }
    await this.#stirred.promise;
    this.#stirred = Promise.withResolvers<void>();
    disarm();
    return undefined;
  }

  #ask<R extends Result>(
    request: Request,
    kind: Waiting["kind"],
    activate: (waiting: Waiting) => void,
  ): Promise<{ readonly result: R; readonly value?: { readonly live: unknown } }> {
    const undoing = this.#undoScope !== undefined;
    if (this.#closing && !undoing) return never; // a branch that goes on after the run has failed gets no answer
    let written: Request;
    try {
      written = this.script.request(request);
    } catch (error) {
      this.#trouble = diverged((error as Divergence).message);
      this.#stirred.resolve();
      return never;
    }
    const { promise, resolve } = Promise.withResolvers<{
      readonly result: R;
      readonly value?: { readonly live: unknown };
    }>();
    const waiting: Waiting = {
      kind,
      path: request.path,
      undoing,
      request: written,
      active: false,
      activate: () => {
        waiting.active = true;
        activate(waiting);
      },
      deliver: (result, value) => resolve({ result: result as R, ...(value && { value }) }), // one kind of request has one kind of result
      cancel: () => {},
    };
    this.#waiting.set(request.path, waiting);
    this.#stirred.resolve();
    return promise;
  }

  /** Writes what needs no answer; gives back what was written the first time. */
  #note<R extends Request>(request: R): Promise<R> {
    try {
      const written = this.script.request(request);
      this.#stirred.resolve();
      return Promise.resolve(written);
    } catch (error) {
      this.#trouble = diverged((error as Divergence).message);
      this.#stirred.resolve();
      return never;
    }
  }

  #deliver(result: Result, value?: { readonly live: unknown }): void {
    const waiting = this.#waiting.get(result.path);
    if (!waiting) {
      this.#trouble = diverged(
        `The journal has a result of "${result.path}", which the code does not ask for any more.`,
      );
      return;
    }
    this.#waiting.delete(result.path);
    waiting.cancel();
    if (result.type === "SignalTaken") this.#taken.add(result.item);
    waiting.deliver(result, value);
  }

  #settle(result: Result, value?: { readonly live: unknown }): void {
    this.#ready.push({ result, ...(value && { value }) });
    this.#stirred.resolve();
  }

  #activate(which: (waiting: Waiting) => boolean): void {
    for (const waiting of this.#waiting.values()) if (!waiting.active && which(waiting)) waiting.activate();
  }

  // ── effects ──

  /** What a result means for the undo stack and for the code. */
  async #keep(
    result: Settled["result"],
    value: { readonly live: unknown } | undefined,
    spec: StepSpec,
    undoable: Undoable | undefined,
  ): Promise<{ readonly value: unknown } | { readonly error: Error }> {
    if (result.type === "StepDone") {
      const done = { value: value ? value.live : await this.#parse(spec, result.wire) };
      if (undoable) undoable.done = done;
      return done;
    }
    if (undoable && result.outcome === "not done") this.#undoables.splice(this.#undoables.indexOf(undoable), 1);
    return { error: this.parts.rethrow(result.thrown) };
  }

  #begin(waiting: Waiting, spec: StepSpec, key: string, hasFallback: boolean): void {
    const { path, undoing } = waiting;
    const { failed, unknown } = this.script.attemptsOf(path);
    const action: Action = {
      path,
      name: spec.name,
      kind: undoing ? "undo" : spec.kind,
      key,
      timeoutMs: spec.timeoutMs,
      attempts: spec.attempts ?? (undoing ? 20 : 5),
      failed,
      unknown: unknown || this.script.wasStarted(path),
      attempt: spec.attempt,
    };
    void act(action, this.#around(undoing)).then((settled) => {
      // An undo that fails is not a result: it is tried again when a person has seen to it and resumes the run.
      if (undoing && !hasFallback && settled.result.type === "StepFailed") {
        this.#trouble = `The undo step "${path}" failed: ${sentenceOf(settled.result.thrown)} Resume the run when that is mended.`;
        this.#stirred.resolve();
      } else this.#settle(settled.result, "value" in settled ? { live: settled.value } : undefined);
    });
  }

  #around(undoing: boolean) {
    const { clock, random } = this.parts;
    const aborted = undoing ? this.#abortUndo.signal : this.#abort.signal;
    return {
      clock,
      random,
      trace: this.#trace,
      aborted,
      note: (note: Parameters<Parameters<typeof act>[1]["note"]>[0]): void => {
        this.script.write(note);
        this.#stirred.resolve();
      },
    };
  }

  #arm(waiting: Waiting, wakeAt: number, result: Result): void {
    const { clock } = this.parts;
    const over = Promise.withResolvers<void>();
    const disarm = clock.after(wakeAt - clock.now(), () => this.#settle(result));
    waiting.cancel = () => {
      disarm();
      over.resolve();
    };
    const kind = waiting.kind === "timer" ? "sleep" : "signal";
    void this.#trace.span(
      "step",
      waiting.path,
      { "trilith.step": waiting.path, "trilith.step.kind": kind },
      () => over.promise,
    );
  }

  /** Hands out what is in the inbox; says whether there was something. */
  #takeSignals(): boolean {
    let took = false;
    for (const waiting of this.#waiting.values()) {
      if (waiting.kind !== "signal" || this.#ready.some(({ result }) => result.path === waiting.path)) continue;
      const { name } = waiting.request as { name: string };
      const item = this.#items.find(({ signal, revision }) => signal === name && !this.#taken.has(revision));
      if (!item) continue;
      this.#taken.add(item.revision);
      this.#settle({
        type: "SignalTaken",
        path: waiting.path,
        payload: item.payload,
        item: item.revision,
        by: item.by,
      });
      took = true;
    }
    return took;
  }

  async #fallBack(path: string, name: string, value: unknown, because: Error): Promise<unknown> {
    const live = !this.script.replaying;
    const later = isPromiseLike(value);
    const written = await this.#note({ type: "FellBack", path, ...(!later && value !== undefined && { value }) });
    if (live) {
      const about = { "trilith.step": path, "trilith.step.kind": "fallback", "trilith.because": because.message };
      await this.#trace.span("step", `${name} fell back`, about, async () => {});
    }
    return later ? value : written.value;
  }

  async #parse(spec: StepSpec, wire: unknown): Promise<unknown> {
    try {
      return await spec.parse(wire);
    } catch (error) {
      this.#trouble = diverged(
        `The result of "${spec.name}" in the journal is not what its contract says now: ${(error as Error).message}`,
      );
      this.#stirred.resolve();
      return never;
    }
  }

  // ── undo ──

  async #undo(why: Thrown): Promise<void> {
    this.#closing = true;
    this.#abort.abort();
    for (const waiting of this.#waiting.values()) {
      if (waiting.kind === "action") continue;
      waiting.cancel();
      this.#waiting.delete(waiting.path);
    }
    this.#stirred.resolve();
    await Promise.all(this.#settling);
    if (this.#undoables.length === 0) return;
    await this.#note({ type: "UndoBegan", path: "undo", why });
    this.#row = { ...this.#row, state: "undoing" };
    for (const undoable of [...this.#undoables].reverse()) await this.#undoOne(undoable);
  }

  async #undoOne(undoable: Undoable): Promise<void> {
    const { path, key } = undoable;
    this.#undoScope = new Scope(this.parts.run, `undo ${path}/`);
    let outcome: UndoneOutcome = "done";
    if (!undoable.done) outcome = await this.#void(undoable);
    const undone = { result: undoable.done?.value, outcome, of: key, key: `${this.parts.run}/undo ${path}` };
    await this.#note({ type: "UndoStarted", path: `undo ${path}`, of: key, outcome });
    try {
      await undoable.undo(undone);
    } catch (error) {
      this.#trouble = `The undo of "${path}" failed: ${(error as Error).message} Resume the run when that is mended.`;
      this.#stirred.resolve();
      await never;
    }
    await this.#note({ type: "UndoDone", path: `undo ${path}` });
  }

  /** Makes sure that a step of which nobody knows cannot take effect after it was undone. */
  async #void(undoable: Undoable): Promise<UndoneOutcome> {
    const { path, key, operation } = undoable;
    if (operation === undefined) return "unknown";
    const asked = { type: "VoidAsked", path: `void ${path}`, of: key } as const;
    const { result } = await this.#ask(asked, "action", () => {
      const attempt: Action["attempt"] = async ({ call }) => {
        const value = await this.parts.dispatch.void(operation, key, {
          ...call,
          key,
          principal: principalOf(this.parts.run),
        });
        return { wire: value, value };
      };
      const action = {
        path: asked.path,
        name: `void ${operation}`,
        kind: "undo",
        key,
        timeoutMs: 30_000,
        attempts: 20,
        failed: 0,
        unknown: false,
        attempt,
      } as const;
      void act(action, this.#around(true)).then((settled) => {
        if (settled.result.type === "StepDone") {
          const { took, wire } = settled.result.wire as { took: boolean | "unknown"; wire?: unknown };
          this.#settle({ type: "VoidKnown", path: asked.path, took, ...(wire !== undefined && { wire }) });
        } else {
          this.#trouble = `"${path}" could not be voided before its undo: ${sentenceOf(settled.result.thrown)} Resume the run when that is mended.`;
          this.#stirred.resolve();
        }
      });
    });
    if (result.type !== "VoidKnown" || result.took === "unknown") return "unknown";
    if (!result.took) return "void";
    undoable.done = { value: await undoable.parse(result.wire) };
    return "done";
  }

  // ── ends ──

  #checkNothingLeft(): void {
    const open = [...this.created].map(({ name }) => name);
    if (open.length > 0)
      throw new Error(`The workflow ended, but its step "${open[0]}" was never awaited. Await it, or leave it out.`);
    const [waiting] = this.#waiting.values();
    if (waiting)
      throw new Error(`The workflow ended while "${waiting.path}" was under way. Await every step before the end.`);
  }

  async #checked(output: unknown): Promise<unknown> {
    if (!this.#output) return undefined;
    const { value } = this.#output.project(output);
    const checked = await validate(this.parts.workflow.operation.output, value);
    if (checked.ok) return value;
    const [issue] = checked.issues;
    throw new Fault(
      "InvalidOutput",
      `The workflow of ${this.parts.workflow.id} gave back what its contract does not allow: ${issue?.path ?? ""} ${issue?.message ?? ""}`,
      { issues: checked.issues },
    );
  }

  #finish(end: { readonly output: unknown } | { readonly thrown: Thrown }): Promise<Verdict> {
    const endedAt = this.parts.clock.now();
    if ("thrown" in end) {
      this.script.write({ type: "Ended", state: "failed", thrown: end.thrown });
      return this.#close(
        { state: "failed", owner: null, wakeAt: null, endedAt },
        { kind: "failed", thrown: end.thrown },
      );
    }
    const { output } = end;
    this.script.write({ type: "Ended", state: "done", ...(output !== undefined && { output }) });
    return this.#close({ state: "done", owner: null, wakeAt: null, endedAt }, { kind: "done", output });
  }

  #pause(reason: string): Promise<Verdict> {
    this.script.write({ type: "Paused", reason });
    return this.#close({ state: "paused", owner: null, wakeAt: null, reason }, { kind: "paused", reason });
  }

  async #suspend(wakeAt: number | null): Promise<Verdict | undefined> {
    const inboxSeen = this.#items.at(-1)?.revision ?? -1;
    const verdict = await this.#commit({ row: { state: "waiting", owner: null, wakeAt }, inboxSeen });
    if (verdict !== "inbox moved") return verdict ?? { kind: "suspended", wakeAt };
    await this.poke();
    return undefined;
  }

  /** Until when nothing can happen here: null for a signal alone; undefined where something may happen soon. */
  #suspendUntil(): number | null | undefined {
    const { clock, suspendAfterMs } = this.parts;
    if (this.#waiting.size === 0) return undefined;
    let earliest: number | null = null;
    for (const { kind, request } of this.#waiting.values()) {
      if (kind === "action") return undefined;
      const wakeAt =
        request.type === "TimerSet" ? request.wakeAt : request.type === "SignalAwaited" ? request.until : undefined;
      if (wakeAt !== undefined && (earliest === null || wakeAt < earliest)) earliest = wakeAt;
    }
    return earliest !== null && earliest - clock.now() <= suspendAfterMs ? undefined : earliest;
  }

  async #close(row: NonNullable<Change["row"]>, verdict: Verdict): Promise<Verdict> {
    const failed = await this.#commit({ row });
    return typeof failed === "object" ? failed : verdict;
  }

  async #commit(change: Change): Promise<Verdict | "inbox moved" | undefined> {
    const { journal, run, begin, clock } = this.parts;
    const entries = this.script.take();
    const row = { ...this.#row, ...change.row };
    const whole: Change = {
      ...(change.inboxSeen !== undefined && { inboxSeen: change.inboxSeen }),
      ...(begin && !this.#begun ? { begin: { ...begin.row, ...row } } : Object.keys(row).length > 0 && { row }),
    };
    for (let tries = 0; ; tries++) {
      try {
        const appended = await journal.append(run, this.script.revision, entries, whole);
        if (appended === "fenced") return { kind: "fenced" };
        if (appended === "inbox moved") {
          this.script.pending = [...entries, ...this.script.pending];
          return "inbox moved";
        }
        break;
      } catch (error) {
        // A full queue passes; anything else may have been written, so only the journal itself can tell.
        if (!(error instanceof Fault) || error.outcome !== "not done" || tries === 50) return { kind: "lost", error };
        await new Promise<void>((resolve) => clock.after(100, resolve));
      }
    }
    this.script.revision += entries.length;
    this.#row = {};
    if (!this.#begun) {
      this.#begun = true;
      this.durable.resolve();
    }
    return undefined;
  }
}

export const principalOf = (run: string): Principal => ({ id: `run:${run}`, kind: "run", scopes: [] });

const atRest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const isPromiseLike = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | undefined)?.then === "function";
const diverged = (what: string): string =>
  `The code does not do what the journal says this run did. ${what} Deploy the code that the run began with, and resume it.`;
