import { type Call, Fault, type Span } from "../../contracts/index.ts";
import type { Action, Asleep, AttemptContext, Done, Surroundings } from "./action.ts";
import type { Scope } from "./scope.ts";

/**
 * One attempt of an action. What takes too long is given up on: it may still be done, so its outcome is unknown. A class
 * and not a function with an object of its own: made for every step, each such object was as large as the step's entries.
 */
export class Attempt implements AttemptContext {
  readonly key: string;
  readonly attempt: number;
  readonly #action: Action;
  readonly #scope: Scope;
  readonly #around: Surroundings;
  readonly #span: Span;
  #fail: (error: Fault) => void = nothing;
  #disarm: () => void = nothing;
  #stay: () => void = nothing;
  #controller: AbortController | undefined;
  #givenUp: Fault | undefined;

  constructor(action: Action, attempt: number, scope: Scope, around: Surroundings, span: Span) {
    this.key = action.key;
    this.attempt = attempt;
    this.#action = action;
    this.#scope = scope;
    this.#around = around;
    this.#span = span;
  }

  /** Made when somebody asks for it: most actions never do. */
  get aborted(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#givenUp) this.#controller.abort(this.#givenUp);
    }
    return this.#controller.signal;
  }

  get call(): Omit<Call, "principal"> {
    const { key, aborted } = this;
    return { trace: this.#span, aborted, key, deadline: this.#around.clock.monotonic() + this.#leftMs };
  }

  /** Begins the attempt's time anew. */
  get extend(): () => void {
    return () => this.#arm();
  }

  /** At once where the action has nothing to wait for: then there is nothing that could be given up. */
  run(): Done | Promise<Done | Asleep> {
    const { name } = this.#action;
    const scope = this.#scope;
    if (scope.closed) throw notBegun(givenUp(name));
    if (this.#leftMs <= 0) throw notBegun(`The time of "${name}" is over.`);
    const done = this.#action.attempt(this);
    if (!(done instanceof Promise)) return done;
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#stay = scope.onClose(() => this.#giveUp(givenUp(name)));
      this.#arm();
      done.then(
        (done) => {
          this.#end();
          resolve(done);
        },
        (error: unknown) => {
          this.#end();
          reject(error);
        },
      );
    });
  }

  get #leftMs(): number {
    const { timeoutMs, deadlineAt } = this.#action;
    return deadlineAt === undefined ? timeoutMs : Math.min(timeoutMs, deadlineAt - this.#around.clock.now());
  }

  #arm(): void {
    const { name, timeoutMs } = this.#action;
    this.#disarm();
    this.#disarm = this.#around.clock.after(this.#leftMs, () =>
      this.#giveUp(`"${name}" did not answer within ${timeoutMs} ms.`),
    );
  }

  #giveUp(why: string): void {
    const fault = new Fault("DeadlineExceeded", why);
    this.#givenUp = fault;
    this.#end();
    this.#controller?.abort(fault);
    this.#fail(fault);
  }

  #end(): void {
    this.#disarm();
    this.#stay();
  }
}

export const givenUp = (name: string): string =>
  `"${name}" was given up: another part was faster, the run is being undone, or its node is stopping.`;
const nothing = (): void => {};
const notBegun = (why: string): Fault => new Fault("DeadlineExceeded", why, { outcome: "not done" });
