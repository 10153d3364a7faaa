import { type Clock, Fault } from "../contracts/index.ts";

const shortestPauseMs = 100;
const longestPauseMs = 30_000;

/**
 * Keeps an async read model going: catches up when something was appended, tries again after a pause when the engine
 * could not, and stops with the reason when the model's own code failed, for the same events would fail it again.
 */
export class Follower {
  readonly #catchUp: () => Promise<number>;
  readonly #clock: Clock;
  #running: Promise<void> | undefined;
  #wanted = false;
  #closed = false;
  #pauseMs = shortestPauseMs;
  #endPause: (() => void) | undefined;
  #stopped: string | undefined;
  constructor(catchUp: () => Promise<number>, clock: Clock) {
    this.#catchUp = catchUp;
    this.#clock = clock;
  }

  /** Why it does not follow any more, where that is so. */
  get stopped(): string | undefined {
    return this.#stopped;
  }

  /** Something may have been appended. */
  wake(): void {
    this.#wanted = true;
    if (this.#closed || this.#running || this.#endPause || this.#stopped !== undefined) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#wanted) this.wake();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#endPause?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    this.#wanted = false;
    try {
      await this.#catchUp();
      this.#pauseMs = shortestPauseMs;
    } catch (error) {
      if (error instanceof Fault) this.#pause();
      else this.#stopped = error instanceof Error ? error.message : String(error);
    }
  }

  #pause(): void {
    if (this.#closed) return;
    const end = this.#clock.after(this.#pauseMs, () => {
      this.#endPause = undefined;
      this.wake();
    });
    this.#endPause = end;
    this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
  }
}
