import type { Loaded } from "../journal/journal.ts";

/** A journal that was read to be replayed. `over` says, once or more often, that it has been, or will not be. */
export interface Reading extends Loaded {
  readonly over: () => void;
}

/** Whatever is replayed beyond that would be in memory at the same time and gain nothing by it. */
const mostEntries = 16_384;
const mostReading = 4;

/**
 * Many runs with long journals may be due in the same moment. Each journal is read only when few enough entries are being
 * replayed, so that it is replayed while it is still at hand, and memory does not grow with the number of such runs.
 */
export class Replays {
  readonly #waiting: (() => void)[] = [];
  #reading = 0;
  #entries = 0;

  async read(read: () => Promise<Loaded>): Promise<Reading> {
    if (!this.#hasRoom) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#reading++;
    try {
      const loaded = await read();
      let left = loaded.entries.length;
      this.#entries += left;
      const over = (): void => {
        this.#entries -= left;
        left = 0;
        this.#admit();
      };
      return { ...loaded, over };
    } finally {
      this.#reading--;
      this.#admit();
    }
  }

  get #hasRoom(): boolean {
    return this.#reading < mostReading && this.#entries < mostEntries;
  }

  #admit(): void {
    for (let next = this.#hasRoom ? this.#waiting.shift() : undefined; next; ) {
      this.#reading++;
      next();
      next = this.#hasRoom ? this.#waiting.shift() : undefined;
    }
  }
}
