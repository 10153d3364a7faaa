import type { Collection, Engine, StoredEvent, Write } from "./engine.ts";

/** Keyed by reader and position. */
const collection: Collection = {
  name: "parked",
  columns: [
    { name: "reader", type: "text" },
    { name: "position", type: "number" },
  ],
  indexes: [["reader", "position"]],
};
const page = 500;

/** An event that a reader could not take, and went on without. */
export interface Parked {
  readonly reader: string;
  readonly position: number;
  readonly event: string;
  readonly stream: string;
  readonly type: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Where readers leave the events that they could not take. Parking is a write of the reader's own commit. */
export class Parking {
  readonly #engine: Engine;
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  define(): Promise<void> {
    return this.#engine.define(collection);
  }

  park(reader: string, { id, position, stream, type }: StoredEvent, reason: string, at: number): Write {
    const data = { reader, position, event: id, stream, type, reason, at } satisfies Parked;
    return { collection: collection.name, put: keyOf(reader, position), data };
  }

  leave(reader: string, position: number): Write {
    return { collection: collection.name, remove: keyOf(reader, position) };
  }

  /** Everything that a reader has parked, as `empty` takes it out. */
  all(reader: string): { readonly collection: string; readonly column: string; readonly equals: string } {
    return { collection: collection.name, column: "reader", equals: reader };
  }

  /** In the order of the log; up to `limit`. */
  async of(reader: string, limit: number): Promise<readonly Parked[]> {
    const all: Parked[] = [];
    while (all.length < limit) {
      const from = (all.at(-1)?.position ?? 0) + 1;
      const found = await this.#engine.find(collection.name, {
        where: { reader: { equals: reader }, position: { from } },
        orderBy: { column: "position", descending: false },
        limit: Math.min(page, limit - all.length),
      });
      all.push(...found.map(({ data }) => data as Parked)); // only this file writes the collection
      if (found.length === 0) return all;
    }
    return all;
  }
}

const keyOf = (reader: string, position: number): string => `${reader}/${position}`;
