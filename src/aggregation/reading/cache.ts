/** What was fetched, as it is kept: the value in our shape, and when it came. */
export interface Kept {
  /** Without it, the source said that there is nothing. */
  readonly found?: { readonly value: unknown; readonly asOf?: number; readonly incomplete?: string };
  /** On the monotonic clock. */
  readonly at: number;
  /** On the same clock: when it was last handed to what outlives the process, or taken away there. */
  readonly writtenAt?: number;
}

interface Entry {
  readonly kept: Kept;
  readonly bytes: number;
  /** Which insertion was its last. */
  number: number;
}

/** The last good answers, in memory: the least recently used go first, by number and by size. */
export class Cache {
  readonly #entries = new Map<string, Entry>();
  readonly #mostEntries: number;
  readonly #mostBytes: number;
  #bytes = 0;
  /** How many were inserted so far, again and again included. */
  #inserted = 0;
  constructor(mostEntries: number, mostBytes: number) {
    this.#mostEntries = mostEntries;
    this.#mostBytes = mostBytes;
  }

  /**
   * A map iterates in the order of insertion, so what is used is inserted anew, unless it is among the youngest sixteenth
   * as it is: what is asked for all the time would be moved all the time.
   */
  get(key: string): Kept | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (this.#inserted - entry.number >= this.#entries.size / 16) {
      this.#entries.delete(key);
      this.#insert(key, entry);
    }
    return entry.kept;
  }

  /** The same without counting as a use. */
  peek(key: string): Kept | undefined {
    return this.#entries.get(key)?.kept;
  }

  set(key: string, kept: Kept, bytes: number): void {
    this.#delete(key);
    this.#insert(key, { kept, bytes, number: 0 });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#mostEntries && this.#bytes <= this.#mostBytes) break;
      this.#delete(oldest);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  get size(): number {
    return this.#entries.size;
  }

  #insert(key: string, entry: Entry): void {
    this.#inserted += 1;
    entry.number = this.#inserted;
    this.#entries.set(key, entry);
  }

  #delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}
