import type { DeliverySession } from "./delivery-session.ts";
import type { PartitionLeases } from "./partition-leases.ts";

/** What became of a process's part in a subscription when it was balanced. */
export interface Balance {
  /** Whether the subscription is divided in another way by now. */
  readonly stale: boolean;
  /** The number of partitions that it is to be divided into, by this process, once it has all of it. */
  readonly divideBy?: number;
}

/** Brings what a process hands over of a subscription into line with what is its share. */
export class Sharing {
  readonly #session: DeliverySession;
  readonly #leases: PartitionLeases;
  readonly #partitions: number;
  readonly #changed: () => void;
  readonly #leaving = new Set<number>();
  #sole = false;
  #divideBy: number | undefined;
  #ended = false;
  constructor(
    session: DeliverySession,
    leases: PartitionLeases,
    /** All that there are, and who is told when one was left to the others. */
    around: { readonly partitions: number; readonly changed: () => void },
  ) {
    this.#session = session;
    this.#leases = leases;
    this.#partitions = around.partitions;
    this.#changed = around.changed;
  }

  /** Whether all events are handed over here, and nobody else will take any. */
  get hasAll(): boolean {
    return this.#sole && this.#session.positions.size === this.#partitions;
  }

  /** Says that this process is there, and comes nearer to its share; or to all, where that is asked for. */
  async balance(all: boolean): Promise<Balance> {
    const wereLeaving = new Set(this.#leaving);
    const { held, share, sole, divideBy, stale } = await this.#leases.look(all || this.#divideBy !== undefined);
    this.#sole = sole;
    this.#divideBy = divideBy;
    if (stale) return { stale };
    const isLeaving = (index: number): boolean => wereLeaving.has(index) || this.#leaving.has(index);
    for (const index of this.#session.positions.keys()) if (!held.includes(index)) this.#session.drop(index);
    const staying = held.filter((index) => !isLeaving(index));
    for (const index of staying.slice(share)) this.#leave(index);
    const kept = staying.slice(0, share);
    const taken = held.length < share ? await this.#leases.take(share - held.length) : [];
    const { positions } = this.#session;
    await this.#session.add([...kept, ...taken].filter((index) => !positions.has(index)));
    return { stale, ...(divideBy !== undefined && { divideBy }) };
  }

  /** From here on nothing is left to others one by one. */
  end(): void {
    this.#ended = true;
  }

  #leave(index: number): void {
    this.#leaving.add(index);
    const leave = async (): Promise<void> => {
      await this.#session.leave(index);
      if (!this.#ended) await this.#leases.free(index);
    };
    leave()
      .catch((error: unknown) => this.#session.fail(error))
      .finally(() => {
        this.#leaving.delete(index);
        this.#changed();
      });
  }
}
