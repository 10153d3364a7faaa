/** What was fetched, as it is kept: the value in our shape, and when it came. */
export interface Kept {
  /** Without it, the source said that there is nothing. */
  readonly found?: { readonly value: unknown; readonly asOf?: number; readonly incomplete?: string };
  /** On the monotonic clock. */
  readonly at: number;
  /** On the same clock: when it was last handed to what outlives the process, or taken away there. */
  readonly writtenAt?: number;
}

/** The last good answers, in memory: the least recently used go first, by number and by size. */
export class Cache {
  readonly #entries = new Map<string, { readonly kept: Kept; readonly bytes: number }>();
  readonly #mostEntries: number;
  readonly #mostBytes: number;
  #bytes = 0;
  constructor(mostEntries: number, mostBytes: number) {
    this.#mostEntries = mostEntries;
    this.#mostBytes = mostBytes;
  }

  /** A map iterates in the order of insertion, so what is used is inserted anew. */
  get(key: string): Kept | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.kept;
  }

  /** The same without counting as a use. */
  peek(key: string): Kept | undefined {
    return this.#entries.get(key)?.kept;
  }

  set(key: string, kept: Kept, bytes: number): void {
    this.#delete(key);
    this.#entries.set(key, { kept, bytes });
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

  #delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}
