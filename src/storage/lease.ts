import type { Clock } from "../contracts/index.ts";
import type { Collection, Column, Condition, Engine, Write } from "./engine.ts";

/** Who delivers a subscription, and until when. Keyed by reader. */
const collection: Collection = {
  name: "subscription",
  columns: [
    { name: "owner", type: "text" },
    { name: "until", type: "number" },
  ],
  indexes: [],
};
const leaseMs = 30_000;
/** How often it is renewed, and asked for where somebody else has it. */
export const leaseStepMs: number = leaseMs / 3;

export const defineLeases = (engine: Engine): Promise<void> => engine.define(collection);

/**
 * One process at a time delivers a subscription. A courtesy and not a fence, for clocks differ: what keeps two apart for
 * certain is the checkpoint, which only one of them can move.
 */
export class Lease {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #reader: string;
  readonly #owner: string;
  /** Where only this process can write, whatever another held is free. */
  readonly #alone: boolean;
  constructor(reader: string, owner: string, ports: { engine: Engine; clock: Clock; alone: boolean }) {
    this.#reader = reader;
    this.#owner = owner;
    this.#engine = ports.engine;
    this.#clock = ports.clock;
    this.#alone = ports.alone;
  }

  /** Makes the row, and does nothing to one that is there. */
  make(): Write {
    const initial = { owner: null, until: 0, starts: 0 };
    return { collection: collection.name, increment: this.#reader, by: { starts: 1 }, initial };
  }

  async isMade(): Promise<boolean> {
    return (await this.#engine.find(collection.name, { key: this.#reader, limit: 1 })).length > 0;
  }

  take(): Promise<boolean> {
    return this.#set(this.#alone ? {} : { until: { to: this.#clock.now() } }, this.#clock.now() + leaseMs);
  }

  /** False where somebody else has it by now. */
  renew(): Promise<boolean> {
    return this.#set({ owner: { equals: this.#owner } }, this.#clock.now() + leaseMs);
  }

  async leave(): Promise<void> {
    await this.#set({ owner: { equals: this.#owner } }, 0);
  }

  async #set(where: { readonly [column: string]: Condition }, until: number): Promise<boolean> {
    const owner: Column = until === 0 ? null : this.#owner;
    const claimed = await this.#engine.claim(collection.name, { key: this.#reader, where, limit: 1 }, { owner, until });
    return claimed.length > 0;
  }
}
