import { Fault, toJsonSchema, toProjection, type Validated, validate, validateAtOnce } from "../../contracts/index.ts";
import type { InboxSeen, NewEntry, Thrown } from "../journal/journal.ts";
import { toPlain } from "../language/plain.ts";
import type { Shapes } from "../language/shapes.ts";
import type { Workflow } from "../language/workflow.ts";
import { toEnding } from "../steering/steering.ts";
import type { Exchange } from "./exchange.ts";
import type { Scope } from "./scope.ts";
import { sentenceOf, toThrown } from "./thrown.ts";
import { resumable } from "./undo-stack.ts";

/** What a workflow's code came to: an output, a failure, or the input of a further stretch. */
export type End =
  | { readonly output: unknown }
  | { readonly input: unknown; readonly carried?: unknown }
  | { readonly thrown: Thrown; readonly cause: unknown; readonly state: "failed" | "cancelled" };

/** Something to await, in a part of the run. */
export interface Made {
  readonly name: string;
  readonly scope: Scope;
  readonly begun: boolean;
}

export interface CodeParts {
  readonly run: string;
  readonly workflow: Workflow;
  /** Its highest version here, which a further stretch takes. */
  readonly newest: Workflow;
  readonly shapes: Shapes;
  readonly exchange: Exchange;
  readonly body: Scope;
  /** Runs the body. */
  readonly act: () => Promise<unknown>;
  readonly close: (scope: Scope) => Promise<void>;
  readonly undo: (why: Thrown) => Promise<void>;
}

/** The workflow's code, acted out once: what it makes and forgets, how it ends, and what must not be left then. */
export class Code {
  /** What the code has made, as long as it may not have begun. */
  readonly #made: Made[] = [];
  end: End | undefined;
  readonly #parts: CodeParts;
  /** What the code comes to, or why it can never go on as it is, whichever is first. */
  readonly #outcome = Promise.withResolvers<unknown>();
  #next: { readonly input: unknown; readonly carried?: unknown } | undefined;
  #undoing = false;
  #cancelled: Cancelling | undefined;

  constructor(parts: CodeParts) {
    this.#parts = parts;
    parts.exchange.onForgotten((name) => this.#outcome.reject(neverAwaited("waits", name)));
    parts.exchange.onCancelled((order) => this.#cancel(new Cancelling(toEnding("cancel", parts.run, order))));
  }

  async act(): Promise<void> {
    const { exchange, act } = this.#parts;
    try {
      act().then(this.#outcome.resolve, this.#outcome.reject);
      const output = await this.#outcome.promise;
      this.#checkNothingLeft();
      if (this.#next)
        throw new Error(
          `The workflow called run.continueAsNew and went on. Write "throw" in front of it, and catch it nowhere.`,
        );
      const checked = this.#checked(output);
      this.end = { output: checked instanceof Promise ? await exchange.hold(() => checked) : checked };
    } catch (error) {
      if (error instanceof Continuing) await this.#continue().catch((error: unknown) => this.#fail(error));
      else await this.#fail(error);
    }
    exchange.stir();
  }

  /** Whether it has failed, and what it did is being undone. */
  get undoing(): boolean {
    return this.#undoing;
  }

  /** Whether it has come to an end after which there is nothing more: a further stretch is none. */
  get ended(): boolean {
    return this.end !== undefined && !("input" in this.end);
  }

  /** The code has made something to await. */
  made(made: Made): void {
    while (this.#made.at(-1)?.begun) this.#made.pop();
    this.#made.push(made);
  }

  /** A step that the code has made and not begun; what belongs to a part that lost does not count. */
  get forgotten(): string | undefined {
    return this.#made.find(({ begun, scope }) => !begun && !scope.closed)?.name;
  }

  /** What the run says of itself, as the contract declares it. */
  toProgress(value: unknown): unknown {
    const { shapes, workflow } = this.#parts;
    if (!shapes.progress)
      throw new TypeError(
        `${workflow.id} declares no progress. Declare its schema in the contract: command({ progress }).`,
      );
    return shapes.progress(toPlain(value, "The progress of the run")).value;
  }

  /** See Run.continueAsNew. */
  continueAsNew(input: unknown, carried?: unknown): never {
    if (this.#undoing) throw new Error("An undo cannot continue the run as new: what failed is to be undone.");
    this.#next = { input, ...(carried !== undefined && { carried }) };
    throw new Continuing();
  }

  /** The journal's last entry of the stretch, or the first of the next one. */
  toEntry(end: End, stretch: number, inbox: InboxSeen): NewEntry {
    if ("thrown" in end) return { type: "Ended", state: end.state, thrown: end.thrown };
    if ("output" in end)
      return { type: "Ended", state: "done", ...(end.output !== undefined && { output: end.output }) };
    const { id, version } = this.#parts.newest;
    const { input, carried } = end;
    const handed = carried !== undefined && { carried };
    return { type: "Continued", operation: id, version, input, stretch: stretch + 1, inbox, ...handed };
  }

  /** A stretch that was about to be followed by another one is undone like one that waits. */
  #cancel(why: Cancelling): void {
    this.#cancelled = why;
    this.#outcome.reject(why);
    if (!this.end || this.ended) return;
    this.end = undefined;
    void this.#fail(why).then(() => this.#parts.exchange.stir());
  }

  async #fail(error: unknown): Promise<void> {
    const state = error instanceof Cancelling ? "cancelled" : "failed";
    const thrown = error instanceof Cancelling ? error.thrown : toThrown(error);
    this.#undoing = true;
    try {
      await this.#parts.undo(thrown);
      this.end = { thrown, cause: error, state };
    } catch (second) {
      this.#parts.exchange.stop(`The run cannot be undone: ${sentenceOf(toThrown(second))} ${resumable}`);
    }
  }

  async #continue(): Promise<void> {
    const { workflow, newest, exchange, body, close } = this.#parts;
    this.#checkNothingLeft();
    await close(body);
    const { operation } = newest;
    const { value: input } = toProjection(toJsonSchema(operation.input))(toPlain(this.#next?.input, "The input"));
    const checked = await exchange.hold(() => validate(operation.input, input));
    if (!checked.ok) {
      const [issue] = checked.issues;
      const message = `${workflow.id} cannot continue with this input: ${issue?.path ?? ""} ${issue?.message ?? ""}`;
      throw new Fault("Internal", message, { issues: checked.issues });
    }
    if (this.#cancelled) throw this.#cancelled;
    this.end = { ...this.#next, input };
  }

  #checkNothingLeft(): void {
    const open = this.forgotten;
    if (open !== undefined) throw neverAwaited("ended", open);
    const [waiting] = this.#parts.exchange.waiting.values();
    if (waiting)
      throw new Error(`The workflow ended while "${waiting.path}" was under way. Await every step before the end.`);
  }

  /** At once where the schema can. */
  #checked(output: unknown): unknown {
    const { shapes, workflow } = this.#parts;
    if (!shapes.output) return undefined;
    const { value } = shapes.output(output);
    const { operation, id } = workflow;
    const told = (checked: Validated<unknown>): unknown => {
      if (checked.ok) return value;
      const [issue] = checked.issues;
      const message = `The workflow of ${id} gave back what its contract does not allow: ${issue?.path ?? ""} ${issue?.message ?? ""}`;
      throw new Fault("Internal", message, { issues: checked.issues });
    };
    const checking = validateAtOnce(operation.output, value);
    return checking instanceof Promise ? checking.then(told) : told(checking);
  }
}

/** Thrown through the workflow's code, and caught where its stretch ends. */
class Continuing extends Error {
  override readonly name = "ContinueAsNew";
}

/** Ends the code from outside, without a word to it: what it waits for never comes. */
class Cancelling extends Error {
  override readonly name = "Cancelling";
  readonly thrown: Thrown;
  constructor(thrown: Thrown) {
    super(sentenceOf(thrown));
    this.thrown = thrown;
  }
}

const neverAwaited = (how: "ended" | "waits", step: string): Error =>
  new Error(`The workflow ${how}, but its step "${step}" was never awaited. Await it, or leave it out.`);
