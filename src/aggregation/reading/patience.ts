import type { Clock } from "../../contracts/index.ts";

/**
 * How long somebody waits for the parts of one answer: until a deadline, unless they are called away before. All parts
 * share one timer and one listener, which are there while any of them is waited for: one of each for every part costs as
 * much as a part does otherwise.
 */
export class Patience {
  /** On the monotonic clock. */
  readonly deadline: number;
  readonly #clock: Clock;
  readonly #away: Away;
  #waiting: (() => void)[] = [];
  #disarm: () => void = () => {};
  /** `away` is only asked for its signal when somebody is waited for: what is at hand needs none. */
  constructor(clock: Clock, deadline: number, away?: AbortSignal | (() => AbortSignal) | Away) {
    this.#clock = clock;
    this.deadline = deadline;
    this.#away = away instanceof Away ? away : new Away(away);
  }

  /** Whether they were called away. */
  get isGone(): boolean {
    return this.#away.look()?.aborted ?? false;
  }

  /** Whether they were, where anybody has looked so far. */
  get wasGone(): boolean {
    return this.#away.seen?.aborted ?? false;
  }

  /** The same people, in more of a hurry. */
  until(deadline: number): Patience {
    return deadline === this.deadline ? this : new Patience(this.#clock, deadline, this.#away);
  }

  /** Calls `leave` once when it is over, and never at once; what comes before that has to `end` it. */
  begin(leave: () => void): void {
    this.#waiting.push(leave);
    if (this.#waiting.length === 1) this.#arm();
  }

  end(leave: () => void): void {
    const at = this.#waiting.indexOf(leave);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    if (this.#waiting.length === 0) this.#disarm();
  }

  #arm(): void {
    const lose = (): void => {
      const waiting = this.#waiting;
      this.#waiting = [];
      this.#disarm();
      for (const leave of waiting) leave();
    };
    const cancel = this.#clock.after(Math.max(0, this.deadline - this.#clock.monotonic()), lose);
    const away = this.#away.look();
    away?.addEventListener("abort", lose, { once: true });
    const disarm = (): void => {
      cancel();
      away?.removeEventListener("abort", lose);
    };
    this.#disarm = disarm;
  }
}

/** What calls somebody away, for all parts of an answer. */
class Away {
  readonly #toSignal: AbortSignal | (() => AbortSignal) | undefined;
  seen: AbortSignal | undefined;
  constructor(toSignal: AbortSignal | (() => AbortSignal) | undefined) {
    this.#toSignal = toSignal;
  }

  look(): AbortSignal | undefined {
    this.seen ??= typeof this.#toSignal === "function" ? this.#toSignal() : this.#toSignal;
    return this.seen;
  }
}
