import type { Clock } from "../contracts/index.ts";

/** How a reader that is behind gets on. */
export interface Progress {
  /** Positions of the log that it has looked at, and how many there are. */
  readonly done: number;
  readonly of: number;
  readonly perSecond: number;
  /** As long as it goes on like this; unknown while it has not moved. */
  readonly secondsLeft?: number;
}

/** Measures how fast a reader comes along, from where it was when it fell behind. */
export class Pace {
  readonly #clock: Clock;
  #begun: { readonly at: number; readonly position: number } | undefined;
  #position = 0;
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  moved(position: number): void {
    this.#begun ??= { at: this.#clock.monotonic(), position: this.#position };
    this.#position = position;
  }

  /** It stands at the end of the log: the next time it is behind is measured anew. */
  arrived(position: number): void {
    this.#begun = undefined;
    this.#position = position;
  }

  /** Nothing where it is not behind. */
  progress(position: number, head: number): Progress | undefined {
    if (position >= head) return undefined;
    const { at, position: from } = this.#begun ?? { at: this.#clock.monotonic(), position };
    const seconds = (this.#clock.monotonic() - at) / 1_000;
    const perSecond = seconds > 0 ? Math.round(Math.max(0, position - from) / seconds) : 0;
    return {
      done: position,
      of: head,
      perSecond,
      ...(perSecond > 0 && { secondsLeft: Math.ceil((head - position) / perSecond) }),
    };
  }
}
