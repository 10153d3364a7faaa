import type { Clock } from "../contracts/index.ts";

/** How long one waits behind another, in ms, before going on without a turn. */
const patienceMs = 5_000;

/**
 * Commands that decide on the same stream take turns in this process, so that a busy entity makes progress instead of
 * losing races against itself. A courtesy and not a lock: what keeps decisions apart is the expected revision, and who
 * has waited too long (behind a handler that hangs) goes ahead without.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #queues = new Map<string, (() => void)[]>();
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** This one's turn where nobody else has it, which ends it; nothing where one has to wait for it. */
  takeNow(stream: string): (() => void) | undefined {
    if (this.#queues.has(stream)) return undefined;
    this.#queues.set(stream, []);
    return this.#once(stream);
  }

  /** Resolves when it is this one's turn; the answer ends it. */
  take(stream: string): Promise<() => void> {
    const now = this.takeNow(stream);
    if (now) return Promise.resolve(now);
    const queue = this.#queues.get(stream) as (() => void)[]; // somebody has the turn, so there is one
    return new Promise((resolve) => {
      const enter = (): void => {
        forget();
        resolve(this.#once(stream));
      };
      const forget = this.#clock.after(patienceMs, () => {
        const place = queue.indexOf(enter);
        if (place >= 0) queue.splice(place, 1);
        resolve(() => {});
      });
      queue.push(enter);
    });
  }

  #once(stream: string): () => void {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const next = this.#queues.get(stream)?.shift();
      if (next) next();
      else this.#queues.delete(stream);
    };
  }
}
