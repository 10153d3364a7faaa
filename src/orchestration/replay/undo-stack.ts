import type { Dispatch } from "../../contracts/index.ts";
import { toKey } from "../journal/identity.ts";
import type { Result, Thrown, UndoneOutcome } from "../journal/journal.ts";
import type { Undo } from "../language/lazy-step.ts";
import { usualPauses } from "../language/policy.ts";
import { type Action, type Asleep, principalOf, type Settled } from "./action.ts";
import { type Exchange, never, type Waiting } from "./exchange.ts";
import type { Places } from "./places.ts";
import { Scope } from "./scope.ts";
import { sentenceOf, toThrown } from "./thrown.ts";

/** A step whose undo runs if the run fails. */
export interface Undoable {
  readonly path: string;
  readonly key: string;
  /** Of a step that is a contract's operation: it can be voided. */
  readonly operation: string | undefined;
  readonly undo: Undo;
  /** Once it is known to be done. */
  done?: { readonly value: unknown };
  parse(wire: unknown): unknown;
}

export interface UndoPorts {
  readonly run: string;
  /** What keys begin with: the run, and which stretch of it. */
  readonly root: string;
  readonly exchange: Exchange;
  readonly dispatch: Dispatch;
  readonly places: Places;
  /** Nothing where the node lets go before the end. */
  readonly act: (action: Action, scope: Scope) => Settled | Promise<Settled | Asleep | undefined>;
}

/** What a run has to undo if it fails, in the order of its journal. */
export class UndoStack {
  readonly #ports: UndoPorts;
  readonly #undoables: Undoable[] = [];
  #scope: Scope | undefined;

  constructor(ports: UndoPorts) {
    this.#ports = ports;
  }

  push(undoable: Undoable): void {
    this.#undoables.push(undoable);
  }

  /** A step that is known to have done nothing needs no undo. */
  drop(undoable: Undoable): void {
    const at = this.#undoables.indexOf(undoable);
    if (at >= 0) this.#undoables.splice(at, 1);
  }

  /** Aborts what is under way. */
  shut(): void {
    void this.#scope?.close();
  }

  get isEmpty(): boolean {
    return this.#undoables.length === 0;
  }

  /** Undoes everything, last step first; does not come back where an undo cannot be done. */
  async unwind(why: Thrown): Promise<void> {
    await this.#ports.exchange.note({ type: "UndoBegan", path: "undo", why });
    for (const undoable of [...this.#undoables].reverse()) await this.#undo(undoable);
  }

  async #undo(undoable: Undoable): Promise<void> {
    const { run, root, exchange, places } = this.#ports;
    const { path, key } = undoable;
    const scope = Scope.undo(root, path);
    this.#scope = scope;
    const outcome = undoable.done ? "done" : await this.#void(undoable, scope);
    if (outcome === "nothing done") return;
    await exchange.note({ type: "UndoStarted", path: `undo ${path}`, of: key, outcome });
    const undone = { result: undoable.done?.value, outcome, of: key, key: toKey(root, `undo ${path}`) };
    try {
      await places.in({ run, scope }, () => undoable.undo(undone));
    } catch (error) {
      exchange.stop(`The undo of "${path}" failed: ${sentenceOf(toThrown(error))} ${resumable}`);
      await never();
    }
    await exchange.note({ type: "UndoDone", path: `undo ${path}` });
  }

  /** Makes sure that a step of which nobody knows cannot take effect any more; what took none has nothing to be undone. */
  async #void(undoable: Undoable, scope: Scope): Promise<UndoneOutcome | "nothing done"> {
    const { exchange } = this.#ports;
    const { path, key, operation } = undoable;
    if (operation === undefined) return "unknown";
    const request = { type: "VoidAsked", path: `void ${path}`, of: key } as const;
    const { result } = await exchange.asked(request, "action", scope, (waiting) =>
      this.#askStore(waiting, operation, key),
    );
    const { took, wire } = result as Result & { readonly type: "VoidKnown" }; // the one answer to VoidAsked
    if (took === "unknown") return "unknown";
    if (!took) return "nothing done";
    undoable.done = { value: await undoable.parse(wire) };
    return "done";
  }

  #askStore(waiting: Waiting, operation: string, key: string): void {
    const { run, exchange, dispatch, act } = this.#ports;
    const { path, scope } = waiting;
    const action: Action = {
      path,
      name: `void ${operation}`,
      kind: "undo",
      key,
      timeoutMs: 30_000,
      attempts: 20,
      pauses: usualPauses,
      failed: 0,
      unknown: false,
      async attempt({ call }) {
        const wire = await dispatch.void(operation, key, { ...call, key, principal: principalOf(run) });
        return { wire, value: wire };
      },
    };
    void Promise.resolve(act(action, scope)).then((settled) => {
      if (!settled || "asleep" in settled) return exchange.rest(waiting);
      const { result } = settled;
      if (result.type === "StepFailed")
        return exchange.stop(`"${path}" failed before its undo: ${sentenceOf(result.thrown)} ${resumable}`);
      const { took, wire } = result.wire as { readonly took: boolean | "unknown"; readonly wire?: unknown }; // what attempt gave
      exchange.settle({ type: "VoidKnown", path, took, ...(wire !== undefined && { wire }) });
    });
  }
}

export const resumable = "Resume the run when that is mended.";
