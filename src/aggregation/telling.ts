import type { Part } from "../contracts/index.ts";

/**
 * Tells of an answer that grows: one part at a time, and of what comes in one turn only what it amounts to. `make` gives
 * what there is to tell, or nothing; what it throws tells nothing, for the answer itself will say what is wrong.
 */
export class Telling {
  readonly #make: () => Promise<Part | undefined>;
  readonly #tell: (part: Part) => void;
  #running: Promise<void> | undefined;
  #stale = false;
  #ended = false;
  constructor(make: () => Promise<Part | undefined>, tell: (part: Part) => void) {
    this.#make = make;
    this.#tell = tell;
  }

  changed(): void {
    this.#stale = true;
    this.#running ??= this.#run();
  }

  /** From here on nothing more is told. */
  end(): void {
    this.#ended = true;
  }

  async #run(): Promise<void> {
    while (this.#stale && !this.#ended) {
      await new Promise(setImmediate);
      if (this.#ended) break;
      this.#stale = false;
      const part = await this.#make().catch(() => undefined);
      if (part && !this.#ended && !this.#stale) this.#tell(part);
    }
    this.#running = undefined;
  }
}
