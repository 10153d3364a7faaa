import { type Request, type Result, Unreadable } from "../journal/journal.ts";
import { Divergence, wayOut } from "./difference.ts";
import { Few } from "./few.ts";
import type { Scope } from "./scope.ts";
import type { Script } from "./script.ts";

/** Something that the code has asked for and has not been given yet. */
export interface Waiting {
  readonly kind: "action" | "timer" | "signal";
  readonly path: string;
  readonly scope: Scope;
  /** As it stands in the journal. */
  readonly request: Request;
  active: boolean;
  /** An action that goes on elsewhere, and that this run is told the end of. */
  asleep: boolean;
  /** An action that was begun here before, and came to rest without a result. */
  rested: boolean;
  /** Of an action: when it is late, in ms since 1970, however often it is begun. */
  deadlineAt: number | undefined;
  /** When it wants to go on of itself, in ms since 1970: of a timer, of a signal with a limit, of an action asleep with a deadline. */
  wakeAt: number | undefined;
  /** Begins the effect: in a live run, and for an action only once the request is on disk. */
  readonly begin: (waiting: Waiting) => void;
  cancel(): void;
  deliver(delivered: Delivered): void;
}
/** A result, and in a live run the value that it came with. */
export interface Delivered {
  readonly result: Result;
  readonly live?: { readonly value: unknown };
}

const wakeAtOf = (request: Request): number | undefined =>
  request.type === "TimerSet" ? request.wakeAt : request.type === "SignalAwaited" ? request.until : undefined;

const nothing = (): void => {};

function begin(waiting: Waiting): void {
  waiting.active = true;
  waiting.begin(waiting);
}

/** More than a run can write down: whoever puts so much together without a request will ask for nothing. */
const mostTurns = 100_000;

/** So much of what is idle may have its result already, beside half of the rest. */
const mostStale = 64;

/** What never comes. One each time: whoever awaits a promise that is always there is kept by it for ever. */
export const never = (): Promise<never> => new Promise(() => {});

/** What passes between the workflow's code and its journal: the code asks, and is given one result at a time. */
export class Exchange {
  readonly script: Script;
  readonly waiting: Few<Waiting> = new Few();
  /** Why the run cannot go on, once it cannot. */
  trouble: string | undefined;
  #forgotten: (step: string) => void = nothing;
  #cancelled: (by: Result & { readonly type: "Cancelled" }) => void = nothing;
  #offer: () => void = nothing;
  #offersSoon = false;
  #ready: Delivered[] = [];
  /** What waits and has not begun, or has come to rest; some of it may have been dropped meanwhile. */
  readonly #idle: Waiting[] = [];
  #held = 0;
  /** What the code has put together since it last asked for something or was given something. */
  #turns = 0;
  #isStirred = false;
  #wake: () => void = nothing;

  constructor(script: Script) {
    this.script = script;
  }

  /** Calls `tell` when the code waits while it holds a step that it has not begun. */
  onForgotten(tell: (step: string) => void): void {
    this.#forgotten = tell;
  }
  /** Calls `tell` when the code gets no further answers, for this run is cancelled. */
  onCancelled(tell: (by: Result & { readonly type: "Cancelled" }) => void): void {
    this.#cancelled = tell;
  }
  /** Calls `offer` when what was written down may have an answer for somebody: waits have begun, or one that had its answer gave up. */
  onOffer(offer: () => void): void {
    this.#offer = offer;
  }

  /** Asks for an effect, and has its result delivered; never, where code and journal differ. */
  ask(
    request: Request,
    kind: Waiting["kind"],
    scope: Scope,
    begin: Waiting["begin"],
    deliver: Waiting["deliver"],
  ): void {
    const written = this.#request(request);
    if (!written) return;
    const waiting: Waiting = {
      kind,
      path: request.path,
      scope,
      request: written,
      active: false,
      asleep: false,
      rested: false,
      deadlineAt: undefined,
      wakeAt: wakeAtOf(written),
      begin,
      cancel: nothing,
      deliver,
    };
    this.waiting.set(request.path, waiting);
    this.#idle.push(waiting);
  }
  /** The same for code that awaits it. */
  asked(request: Request, kind: Waiting["kind"], scope: Scope, begin: Waiting["begin"]): Promise<Delivered> {
    return new Promise((deliver) => this.ask(request, kind, scope, begin, deliver));
  }

  /** Writes what needs no answer; gives back what was written the first time. */
  note<R extends Request>(request: R): Promise<R> {
    const written = this.#request(request);
    return written ? Promise.resolve(written) : never();
  }

  /**
   * The code puts parts together, which by itself asks for nothing: false where it has done only that for so long that it
   * never comes to rest, and neither does anybody else in the process.
   */
  turn(): boolean {
    if (++this.#turns <= mostTurns) return true;
    this.stop(
      `The code has put parts of the run together ${mostTurns} times and asked for nothing in between. Look for a loop without a step in it, mend it, and resume the run.`,
    );
    return false;
  }

  /** An effect has come to its end; its result is delivered when its turn comes. */
  settle(result: Result): void {
    this.settled({ result });
  }
  /** The same, with what the code reads where it did not come from the journal. */
  settled(settled: Delivered): void {
    this.#ready.push(settled);
    this.stir();
  }

  /** Offers before the next result is delivered: once, however many answers have come by then. */
  offerSoon(): void {
    this.#offersSoon = true;
    this.stir();
  }

  get hasReady(): boolean {
    return this.#ready.length > 0;
  }
  /** The paths that have a result which is not delivered yet, with the result. */
  get ready(): ReadonlyMap<string, Result> {
    return new Map(this.#ready.map(({ result }) => [result.path, result]));
  }

  /** Delivers the journal's next result; `unasked` where it has a request first, `over` once it has been acted out. */
  replayNext(): "delivered" | "unasked" | "over" {
    const next = this.#read(() => this.script.next());
    if (next === undefined) return "delivered"; // to nobody: the run is stopped
    if (next === "unasked" || next === "over") return next;
    this.#deliver({ result: next });
    return "delivered";
  }

  /** Writes and delivers the next result of a live run; false where there is none. */
  deliverNext(): boolean {
    if (this.#offersSoon) {
      this.#offersSoon = false;
      this.#offer();
    }
    const next = this.#ready.shift();
    if (!next) return false;
    if (!this.#isAwaited(next.result)) {
      if (next.result.type === "SignalTaken") this.#offer(); // given up meanwhile: the signal is anybody's again
      return true;
    }
    try {
      this.script.settle(next.result);
    } catch (error) {
      this.stop(
        `The result of "${next.result.path}" cannot be written down: ${(error as Error).message}. Steps give back JSON.`,
      );
      return true;
    }
    this.#deliver(next);
    return true;
  }

  /** Work of ours between two deliveries, such as an asynchronous validation: the code is not at rest before its end. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    this.#held++;
    try {
      return await work();
    } finally {
      this.#held--;
      this.stir();
    }
  }
  get isHeld(): boolean {
    return this.#held > 0;
  }

  /** Begins what has not begun: all of it, or only what is no action. */
  activate(what: "all" | "no actions"): void {
    const idle = this.#idle;
    const only = idle[0];
    if (only === undefined) return;
    if (idle.length === 1) {
      if (this.waiting.get(only.path) === only && what === "no actions" && only.kind === "action") return;
      idle.length = 0;
      if (this.waiting.get(only.path) !== only) return;
      begin(only);
      if (only.kind !== "action") this.#offer();
      return;
    }
    const begun: Waiting[] = [];
    let left = 0;
    for (const waiting of idle) {
      if (this.waiting.get(waiting.path) !== waiting) continue;
      if (what === "no actions" && waiting.kind === "action") idle[left++] = waiting;
      else begun.push(waiting);
    }
    idle.length = left;
    let offers = false;
    for (const waiting of begun) {
      begin(waiting);
      offers ||= waiting.kind !== "action";
    }
    if (offers) this.#offer();
  }

  /** An action has come to rest without a result: it is begun again, here or by another activation. */
  rest(waiting: Waiting): void {
    waiting.cancel();
    waiting.cancel = nothing;
    waiting.asleep = false;
    waiting.rested = true;
    waiting.wakeAt = undefined;
    waiting.active = false;
    this.#idle.push(waiting);
    this.stir();
  }

  /** What these wait for elsewhere may have come to its end. */
  wake(which: (waiting: Waiting) => boolean): void {
    for (const waiting of this.waiting.values()) if (waiting.asleep && which(waiting)) this.rest(waiting);
  }

  /** Takes back what the code waits for. */
  drop(which: (waiting: Waiting) => boolean): void {
    for (const waiting of this.waiting.values()) {
      if (!which(waiting)) continue;
      waiting.cancel();
      this.waiting.delete(waiting.path);
    }
  }

  /** The run cannot go on: the reason, for a person. */
  stop(reason: string): void {
    this.trouble ??= reason;
    this.stir();
  }

  stir(): void {
    this.#isStirred = true;
    this.#wake();
  }

  /** Whatever has happened so far has been seen. */
  calm(): void {
    this.#isStirred = false;
  }

  /** Resolves when something has happened since the last time, or since all was calm. One at a time may wait. */
  stirred(): Promise<void> {
    return new Promise((resolve) => {
      const tell = (): void => {
        this.#wake = nothing;
        this.calm();
        resolve();
      };
      if (this.#isStirred) tell();
      else this.#wake = tell;
    });
  }

  #isAwaited({ path, type }: Result): boolean {
    return type === "StepForgotten" || type === "Cancelled" || this.waiting.has(path);
  }

  #request<R extends Request>(request: R): R | undefined {
    this.#turns = 0;
    this.stir();
    return this.#read(() => this.script.request(request));
  }

  /** Nothing where the code does something else than its journal says, or nobody can read what that is. */
  #read<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (error instanceof Divergence) this.stop(`${error.message}\n${wayOut}`);
      else if (error instanceof Unreadable) this.stop(unreadable(error));
      else throw error;
      return undefined;
    }
  }

  #deliver(delivered: Delivered): void {
    const { result } = delivered;
    const { path, type } = result;
    this.#turns = 0;
    const waiting = this.waiting.get(path);
    if (type === "StepForgotten") this.#forgotten(path);
    else if (result.type === "Cancelled") this.#cancelled(result);
    else if (!waiting) this.stop(`${this.script.unexpected(delivered.result).message}\n${wayOut}`);
    else {
      this.waiting.delete(path);
      this.#forget(waiting);
      waiting.cancel();
      waiting.deliver(delivered);
    }
  }

  /** In replay nothing begins, so what has its result would stay here, with all that it holds, until the run goes on. */
  #forget(waiting: Waiting): void {
    const idle = this.#idle;
    if (idle[idle.length - 1] === waiting) idle.pop();
    else if (idle.length > 2 * this.waiting.size + mostStale) {
      const left = idle.filter((one) => this.waiting.get(one.path) === one);
      idle.length = 0;
      for (const one of left) idle.push(one);
    }
  }
}

const unreadable = ({ message }: Unreadable): string =>
  `The run cannot be acted out: ${message} Look at the log's streams of this run; nobody goes on with it.`;

/** A result that the present code cannot read. */
export const diverged = (what: string): string =>
  `The code does not do what the journal says this run did.\n${what}\n${wayOut}`;
