import type { Clock, Trace } from "../contracts/index.ts";
import type { Action, Settled } from "./action.ts";
import { type Delivered, diverged, type Exchange, never, type Waiting } from "./exchange.ts";
import type { Item, Request, Result } from "./journal.ts";
import type { Chained } from "./lazy-step.ts";
import type { Places } from "./places.ts";
import { toPlain } from "./plain.ts";
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
  readonly places: Places;
  readonly clock: Clock;
  readonly rethrow: Rethrow;
  readonly trace: () => Trace;
  /** Nothing where the node lets go before the end. */
  readonly act: (action: Action, scope: Scope) => Promise<Settled | undefined>;
}

type Outcome = { readonly value: unknown } | { readonly error: Error };
const attemptsOfSteps = 5;
const attemptsOfUndo = 20;

/** The effects that a workflow's code can have: steps, timers, signals. `given` is the scope of the client that is asked through. */
export class Effects {
  readonly #ports: EffectPorts;
  readonly #taken = new Set<number>();
  #items: readonly Item[];

  constructor(ports: EffectPorts, items: readonly Item[]) {
    this.#ports = ports;
    this.#items = items;
  }

  /** The revision of the last item of the inbox that was seen; -1 for none. */
  get inboxSeen(): number {
    return this.#items.at(-1)?.revision ?? -1;
  }

  async step(given: Scope, spec: StepSpec, { undo, or }: Chained): Promise<unknown> {
    const { run, exchange, undoStack, places } = this.#ports;
    const scope = places.scope(run, given);
    if (scope.closed) return never;
    if (undo && scope.undoing)
      throw new Error(`"${spec.name}" is part of an undo, and cannot have an undo of its own.`);
    const path = scope.next(spec.name);
    const key = `${run}/${path}`;
    const { name, kind, digest, operation } = spec;
    const parse = (wire: unknown) => this.#parse(spec, wire);
    const undoable: Undoable | undefined = undo && { path, key, operation, undo, parse };
    const request = { type: "StepStarted", path, name, kind, digest, undo: undo !== undefined } as const;
    const asked = exchange.ask(request, "action", scope, (waiting) =>
      this.#begin(waiting, spec, key, or !== undefined),
    );
    if (undoable) undoStack.push(undoable);
    const kept = asked.then((delivered) => this.#keep(delivered, parse, undoable));
    scope.settling.add(kept);
    const outcome = await kept;
    scope.settling.delete(kept);
    if (scope.closed) return never; // whoever closed the scope has gone on without this code
    if ("value" in outcome) return outcome.value;
    if (!or) throw outcome.error;
    return this.#fallBack(path, name, or, outcome.error);
  }

  async sleep(given: Scope, ms: number): Promise<void> {
    const { run, exchange, places } = this.#ports;
    const scope = places.scope(run, given);
    if (scope.closed) return never;
    const path = scope.next("sleep");
    const wakeAt = exchange.script.time + ms;
    await exchange.ask({ type: "TimerSet", path, wakeAt }, "timer", scope, (waiting) => {
      const { wakeAt } = waiting.request as Request & { readonly type: "TimerSet" }; // as it was set the first time
      this.#arm(waiting, "sleep", wakeAt, { type: "TimerFired", path });
    });
    return scope.closed ? never : undefined;
  }

  async signal(
    given: Scope,
    name: string,
    withinMs: number | undefined,
  ): Promise<{ readonly payload: unknown } | undefined> {
    const { run, exchange, places } = this.#ports;
    const scope = places.scope(run, given);
    if (scope.closed) return never;
    const path = scope.next(`signal ${name}`);
    const until = withinMs === undefined ? {} : { until: exchange.script.time + withinMs };
    const { result } = await exchange.ask(
      { type: "SignalAwaited", path, name, ...until },
      "signal",
      scope,
      (waiting) => {
        const { until } = waiting.request as Request & { readonly type: "SignalAwaited" }; // as it was set the first time
        this.#arm(waiting, "signal", until, { type: "SignalTimedOut", path });
        this.#takeSignals();
      },
    );
    if (scope.closed) return never;
    if (result.type !== "SignalTaken") return undefined;
    this.#taken.add(result.item);
    return { payload: result.payload };
  }

  /** The inbox as it is now. */
  look(items: readonly Item[]): void {
    this.#items = items;
    this.#takeSignals();
  }

  #begin(waiting: Waiting, spec: StepSpec, key: string, hasFallback: boolean): void {
    const { exchange, act } = this.#ports;
    const { path, scope } = waiting;
    const { name, kind, timeoutMs, attempts = scope.undoing ? attemptsOfUndo : attemptsOfSteps, attempt } = spec;
    const { failed, started } = exchange.script.pastOf(path);
    const action: Action = {
      path,
      name,
      kind: scope.undoing ? "undo" : kind,
      key,
      timeoutMs,
      attempts,
      failed,
      unknown: started,
      attempt,
    };
    void act(action, scope).then((settled) => {
      if (!settled) return exchange.rest(waiting);
      const { result } = settled;
      // An undo that fails is not a result: it is tried again when a person has seen to it and resumes the run.
      if (scope.undoing && !hasFallback && result.type === "StepFailed") {
        exchange.stop(`The undo step "${path}" failed: ${sentenceOf(result.thrown)} ${resumable}`);
      } else exchange.settle(result, "value" in settled ? { value: settled.value } : undefined);
    });
  }

  /** What a result means for the undo stack and for the code. */
  async #keep(
    { result, live }: Delivered,
    parse: (wire: unknown) => Promise<unknown>,
    undoable: Undoable | undefined,
  ): Promise<Outcome> {
    const { undoStack, rethrow } = this.#ports;
    if (result.type === "StepFailed") {
      if (undoable && result.outcome === "not done") undoStack.drop(undoable);
      return { error: rethrow(result.thrown) };
    }
    const wire = "wire" in result ? result.wire : undefined;
    const done = { value: live ? live.value : await parse(wire) };
    if (undoable) undoable.done = done;
    return done;
  }

  async #parse(spec: StepSpec, wire: unknown): Promise<unknown> {
    const { exchange } = this.#ports;
    try {
      return await exchange.hold(() => spec.parse(wire));
    } catch (error) {
      const what = `The result of "${spec.name}" in the journal is not what its contract says now: ${(error as Error).message}`;
      exchange.stop(diverged(what));
      return never;
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
    const { clock, exchange, trace } = this.#ports;
    const over = Promise.withResolvers<void>();
    const disarm = wakeAt === undefined ? () => {} : clock.after(wakeAt - clock.now(), () => exchange.settle(result));
    waiting.cancel = () => {
      disarm();
      over.resolve();
    };
    const about = { "trilith.step": waiting.path, "trilith.step.kind": kind };
    void trace().span("step", waiting.path, about, () => over.promise);
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
