import type { Clock, Trace } from "../contracts/index.ts";
import type { Action, act, Settled } from "./action.ts";
import { type Delivered, diverged, type Exchange, never, type Waiting } from "./exchange.ts";
import type { Item, Request, Result } from "./journal.ts";
import type { Chained } from "./lazy-step.ts";
import type { Scope } from "./scope.ts";
import { type Rethrow, sentenceOf } from "./thrown.ts";
import { resumable, type Undoable, type UndoStack } from "./undo-stack.ts";

/** What a step needs beside its name. */
export interface StepSpec {
  readonly name: string;
  readonly kind: "operation" | "local";
  readonly operation?: string;
  readonly digest: string;
  readonly timeoutMs: number;
  readonly attempts: number | undefined;
  readonly attempt: Action["attempt"];
  /** The value that the code reads, from the result in the journal. */
  parse(wire: unknown): Promise<unknown>;
}

export interface EffectPorts {
  readonly run: string;
  readonly exchange: Exchange;
  readonly undoStack: UndoStack;
  readonly clock: Clock;
  readonly rethrow: Rethrow;
  readonly trace: () => Trace;
  /** Acts for the body, or for an undo. */
  readonly act: (action: Action, undoing: boolean) => ReturnType<typeof act>;
}

type Outcome = { readonly value: unknown } | { readonly error: Error };
const attemptsOfSteps = 5;
const attemptsOfUndo = 20;

/** The effects that a workflow's code can have: steps, timers, signals. */
export class Effects {
  readonly #ports: EffectPorts;
  readonly #taken = new Set<number>();
  #items: readonly Item[];
  /** Steps that were asked for and whose result has not been taken note of. */
  readonly settling: Set<Promise<unknown>> = new Set();
  /** After the body has failed, its branches get no more answers. */
  closed = false;

  constructor(ports: EffectPorts, items: readonly Item[]) {
    this.#ports = ports;
    this.#items = items;
  }

  /** The revision of the last item of the inbox that was seen; -1 for none. */
  get inboxSeen(): number {
    return this.#items.at(-1)?.revision ?? -1;
  }

  async step(scope: Scope, spec: StepSpec, { undo, or }: Chained): Promise<unknown> {
    const { run, undoStack } = this.#ports;
    const path = this.#path(scope, spec.name);
    const key = `${run}/${path}`;
    const { name, kind, digest, operation, parse } = spec;
    const undoable: Undoable | undefined = undo && { path, key, operation, undo, parse };
    const undoing = undoStack.scope !== undefined;
    const request = { type: "StepStarted", path, name, kind, digest, undo: undo !== undefined } as const;
    const asked = this.#ask(request, "action", () => this.#begin(path, spec, key, undoing, or !== undefined));
    if (undoable) undoStack.push(undoable);
    const kept = asked.then((delivered) => this.#keep(delivered, spec, undoable));
    this.settling.add(kept);
    const outcome = await kept;
    this.settling.delete(kept);
    if ("value" in outcome) return outcome.value;
    if (!or) throw outcome.error;
    return this.#fallBack(path, name, or(outcome.error), outcome.error);
  }

  async sleep(scope: Scope, ms: number): Promise<void> {
    const path = this.#path(scope, "sleep");
    const wakeAt = this.#ports.exchange.script.time + ms;
    await this.#ask({ type: "TimerSet", path, wakeAt }, "timer", (waiting) => {
      const { wakeAt } = waiting.request as Request & { readonly type: "TimerSet" }; // as it was set the first time
      this.#arm(waiting, "sleep", wakeAt, { type: "TimerFired", path });
    });
  }

  async signal(
    scope: Scope,
    name: string,
    withinMs: number | undefined,
  ): Promise<{ readonly payload: unknown } | undefined> {
    const path = this.#path(scope, `signal ${name}`);
    const until = withinMs === undefined ? {} : { until: this.#ports.exchange.script.time + withinMs };
    const { result } = await this.#ask({ type: "SignalAwaited", path, name, ...until }, "signal", (waiting) => {
      const { until } = waiting.request as Request & { readonly type: "SignalAwaited" }; // as it was set the first time
      this.#arm(waiting, "signal", until, { type: "SignalTimedOut", path });
      this.#takeSignals();
    });
    if (result.type !== "SignalTaken") return undefined;
    this.#taken.add(result.item);
    return { payload: result.payload };
  }

  /** The inbox as it is now. */
  look(items: readonly Item[]): void {
    this.#items = items;
    this.#takeSignals();
  }

  #path(scope: Scope, name: string): string {
    return (this.#ports.undoStack.scope ?? scope).next(name);
  }

  #ask(request: Request, kind: Waiting["kind"], activate: (waiting: Waiting) => void): Promise<Delivered> {
    if (this.closed && !this.#ports.undoStack.scope) return never;
    return this.#ports.exchange.ask(request, kind, activate);
  }

  #begin(path: string, spec: StepSpec, key: string, undoing: boolean, hasFallback: boolean): void {
    const { exchange, act } = this.#ports;
    const { name, kind, timeoutMs, attempts = undoing ? attemptsOfUndo : attemptsOfSteps, attempt } = spec;
    const { failed, started } = exchange.script.pastOf(path);
    const action: Action = {
      path,
      name,
      kind: undoing ? "undo" : kind,
      key,
      timeoutMs,
      attempts,
      failed,
      unknown: started,
      attempt,
    };
    void act(action, undoing).then((settled: Settled) => {
      const { result } = settled;
      // An undo that fails is not a result: it is tried again when a person has seen to it and resumes the run.
      if (undoing && !hasFallback && result.type === "StepFailed") {
        exchange.stop(`The undo step "${path}" failed: ${sentenceOf(result.thrown)} ${resumable}`);
      } else exchange.settle(result, "value" in settled ? { value: settled.value } : undefined);
    });
  }

  /** What a result means for the undo stack and for the code. */
  async #keep({ result, live }: Delivered, spec: StepSpec, undoable: Undoable | undefined): Promise<Outcome> {
    const { undoStack, rethrow } = this.#ports;
    if (result.type === "StepFailed") {
      if (undoable && result.outcome === "not done") undoStack.drop(undoable);
      return { error: rethrow(result.thrown) };
    }
    const wire = "wire" in result ? result.wire : undefined;
    const done = { value: live ? live.value : await this.#parse(spec, wire) };
    if (undoable) undoable.done = done;
    return done;
  }

  async #parse(spec: StepSpec, wire: unknown): Promise<unknown> {
    try {
      return await spec.parse(wire);
    } catch (error) {
      this.#ports.exchange.stop(
        diverged(
          `The result of "${spec.name}" in the journal is not what its contract says now: ${(error as Error).message}`,
        ),
      );
      return never;
    }
  }

  async #fallBack(path: string, name: string, value: unknown, because: Error): Promise<unknown> {
    const { exchange, trace } = this.#ports;
    const live = !exchange.script.replaying;
    const later = isPromiseLike(value);
    const written = await exchange.note({ type: "FellBack", path, ...(!later && value !== undefined && { value }) });
    if (live) {
      const about = { "trilith.step": path, "trilith.step.kind": "fallback", "trilith.because": because.message };
      await trace().span("step", `${name} fell back`, about, async () => {});
    }
    return later ? value : written.value;
  }

  #arm(waiting: Waiting, kind: "sleep" | "signal", wakeAt: number | undefined, result: Result): void {
    const { clock, exchange, trace } = this.#ports;
    const over = Promise.withResolvers<void>();
    const disarm = wakeAt === undefined ? () => {} : clock.after(wakeAt - clock.now(), () => exchange.settle(result));
    waiting.cancel = () => {
      disarm();
      over.resolve();
    };
    void trace().span(
      "step",
      waiting.path,
      { "trilith.step": waiting.path, "trilith.step.kind": kind },
      () => over.promise,
    );
  }

  /** Hands out what is in the inbox, first come, first served. */
  #takeSignals(): void {
    const { exchange } = this.#ports;
    for (const { request, path, active } of exchange.waiting.values()) {
      if (request.type !== "SignalAwaited" || !active || exchange.isReady(path)) continue;
      const item = this.#items.find(({ signal, revision }) => signal === request.name && !this.#taken.has(revision));
      if (!item) continue;
      this.#taken.add(item.revision);
      exchange.settle({ type: "SignalTaken", path, payload: item.payload, item: item.revision, by: item.by });
    }
  }
}

const isPromiseLike = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | undefined)?.then === "function";
