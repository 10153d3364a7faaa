import { Fault } from "../contracts/index.ts";

/** How much may wait in one process: whichever bound is met first. */
export interface Bounds {
  readonly count: number;
  /** Of JSON, in characters: what waits is in memory once or twice. */
  readonly size: number;
}

/** What waits for an engine, and whether more may. One that is larger than the bound is let in where nothing else waits. */
export class Capacity {
  readonly #bounds: Bounds;
  readonly #what: string;
  #count = 0;
  #size = 0;
  /** `what` is said to whoever comes too late: "appends are waiting for PostgreSQL". */
  constructor(bounds: Bounds, what: string) {
    this.#bounds = bounds;
    this.#what = what;
  }

  get count(): number {
    return this.#count;
  }

  /** Why so much more may not wait, or nothing: then it does. */
  admit(count: number, size: number): Fault | undefined {
    const { count: most, size: largest } = this.#bounds;
    const isFull = this.#count + count > most || this.#size + size > largest;
    if (this.#count > 0 && isFull)
      return new Fault(
        "Unavailable",
        `${this.#count} ${this.#what}, with ${this.#size} characters of JSON, and no more may. Try again later.`,
        { outcome: "not done" },
      );
    this.#count += count;
    this.#size += size;
    return undefined;
  }

  leave(count: number, size: number): void {
    this.#count -= count;
    this.#size -= size;
  }

  clear(): void {
    this.#count = 0;
    this.#size = 0;
  }
}
