import { Courier, type CourierPorts } from "./courier.ts";
import type { Place } from "./engine.ts";
import { defineLeases } from "./partition-leases.ts";
import type { AnyStore } from "./store.ts";
import type { Subscription } from "./subscription.ts";
import type { SubscriptionStatus } from "./subscription-status.ts";

/** The subscriptions of a storage, each with what keeps it going. */
export class Couriers {
  readonly #ports: CourierPorts;
  readonly #all: readonly Courier[];
  constructor(stores: readonly AnyStore[], beside: readonly Subscription[], ports: CourierPorts) {
    this.#ports = ports;
    const onStores = stores.flatMap((store) =>
      Object.values(store.parts).flatMap((part) =>
        part.kind === "subscription" ? [new Courier(`${store.id}.${part.name}`, part, ports)] : [],
      ),
    );
    this.#all = [...onStores, ...beside.map((one) => new Courier(one.name, one, ports))];
    for (const { subscription } of this.#all) for (const event of subscription.events) ports.codec.learn(event);
    const readers = this.readers;
    const twice = readers.find((reader, place) => readers.indexOf(reader) < place);
    if (twice !== undefined)
      throw new TypeError(`There are two of the subscription "${twice}". Give one of them another name.`);
  }

  async define(): Promise<void> {
    if (this.#all.length > 0) await defineLeases(this.#ports.engine);
    await Promise.all(this.#all.map((courier) => courier.define())); // "now" is now, and not when it is its turn
  }

  start(): void {
    for (const courier of this.#all) courier.start();
  }

  courier(reader: string): Courier | undefined {
    return this.#all.find((one) => one.reader === reader);
  }

  get readers(): readonly string[] {
    return this.#all.map(({ reader }) => reader);
  }

  status(head: Place): Promise<readonly SubscriptionStatus[]> {
    return Promise.all(this.#all.map((courier) => courier.status(head)));
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((courier) => courier.close()));
  }
}
