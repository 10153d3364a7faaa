import type { Clock } from "../../contracts/index.ts";

/** Looks when something is due, one look at a time. A look says when the next one is due. */
export class Alarm {
  readonly #clock: Clock;
  readonly #look: () => Promise<number | undefined>;
  readonly #failed: (error: unknown) => void;
  #disarm: () => void = () => {};
  #dueAt = Number.POSITIVE_INFINITY;
  #looking: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #stopped = false;

  constructor(clock: Clock, look: () => Promise<number | undefined>, failed: (error: unknown) => void) {
    this.#clock = clock;
    this.#look = look;
    this.#failed = failed;
  }

  /** Looks at this time at the latest, in ms since 1970. */
  at(dueAt: number): void {
    if (this.#stopped || dueAt >= this.#dueAt) return;
    this.#disarm();
    this.#dueAt = dueAt;
    this.#disarm = this.#clock.after(dueAt - this.#clock.now(), () => void this.now());
  }

  /** Looks now, or again after the look that is under way; whoever asks meanwhile shares that one. */
  now(): Promise<void> {
    this.#next ??= this.#looking.then(() => {
      this.#next = undefined;
      return this.#once();
    });
    this.#looking = this.#next;
    return this.#next;
  }

  /** Looks no more; resolves when the look that is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#disarm();
    await this.#looking;
  }

  async #once(): Promise<void> {
    if (this.#stopped) return;
    this.#disarm();
    this.#dueAt = Number.POSITIVE_INFINITY;
    try {
      const next = await this.#look();
      if (next !== undefined) this.at(next);
    } catch (error) {
      this.#failed(error);
      this.at(this.#clock.now() + 1_000);
    }
  }
}
