import type { Clock } from "../contracts/index.ts";
import type { Bell } from "./bell.ts";
import { Lost } from "./delivered-place.ts";
import type { Engine, StoredEvent } from "./engine.ts";
import type { EventCodec } from "./event-codec.ts";
import { Halt } from "./halt.ts";
import { Lanes } from "./lanes.ts";
import { isDelivered, type Layout, type Layouts, toEpochHalt } from "./layout.ts";
import type { Parking } from "./parking.ts";
import { Partition } from "./partition.ts";
import { toPartition } from "./stable-hash.ts";
import type { Subscription } from "./subscription.ts";

/** Positions that one look covers at most, however few of them are wanted. */
const stretch = 20_000;
const page = 100;
/** More are no accidents, and a subscription that hands over nothing helps nobody. */
const mostParked = 1_000;

export interface SessionPorts {
  readonly engine: Engine;
  readonly log: string;
  readonly codec: EventCodec;
  readonly clock: Clock;
  readonly parking: Parking;
  /** Rung by whatever may have made something possible. */
  readonly bell: Bell;
}

/**
 * One stretch of handing over, until it ends by itself or is ended: catches up, then follows. The log is read once, for all
 * partitions that are this process's; the checkpoint of each moves behind its handlers, up to where all of them have ended.
 */
export class DeliverySession {
  readonly #reader: string;
  readonly #subscription: Subscription;
  readonly #layout: Layout;
  readonly #layouts: Layouts;
  readonly #ports: SessionPorts;
  readonly #types: readonly string[];
  readonly #lanes: Lanes;
  readonly #ended = new AbortController();
  readonly #partitions = new Map<number, Partition>();
  #watching = false;
  #halt: Halt | undefined;
  #failure: unknown;
  constructor(
    reader: string,
    subscription: Subscription,
    { layout, layouts }: { readonly layout: Layout; readonly layouts: Layouts },
    ports: SessionPorts,
  ) {
    this.#reader = reader;
    this.#subscription = subscription;
    this.#layout = layout;
    this.#layouts = layouts;
    this.#ports = ports;
    this.#types = subscription.events.map(({ id }) => id);
    this.#lanes = new Lanes(subscription.atOnce);
  }

  /** The partitions whose events are handed over here, with how far they are. */
  get positions(): ReadonlyMap<number, number> {
    return new Map(this.#active.map(({ index, position }) => [index, position]));
  }
  get inHand(): number {
    return [...this.#partitions.values()].reduce((sum, { inHand }) => sum + inHand, 0);
  }
  /** What went wrong last, while it is tried again. */
  get trouble(): string | undefined {
    return this.#active.find(({ trouble }) => trouble !== undefined)?.trouble;
  }

  /** Goes on with partitions that are this process's from now on. */
  async add(indexes: readonly number[]): Promise<void> {
    if (indexes.length === 0) return;
    const { partitions } = this.#layout;
    const places = await Promise.all(indexes.map((index) => this.#layouts.place(this.#layout, index)));
    const added = places.map((place, at) => this.#toPartition(indexes[at] as number, place)); // one a place
    for (const parked of await this.#ports.parking.of(this.#reader, Number.POSITIVE_INFINITY))
      added.find(({ index }) => index === toPartition(parked.stream, partitions))?.remember(parked);
    for (const partition of added) this.#partitions.set(partition.index, partition);
  }

  /** Lets a partition go, once what is under way has ended and is on disk. */
  async leave(index: number): Promise<void> {
    const partition = this.#partitions.get(index);
    if (!partition) return;
    try {
      await partition.leave();
    } catch (error) {
      if (!(error instanceof Lost)) this.fail(error);
    }
    if (this.#partitions.get(index) === partition) this.#partitions.delete(index);
  }

  /** A partition is another's by now. */
  drop(index: number): void {
    this.#partitions.get(index)?.abort();
    this.#partitions.delete(index);
  }

  /** Hands over what is next; whether there is more. Where there is not, the bell rings in time. Throws what ends the session. */
  async step(): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure;
    const hasMore = !this.#halt && this.#room > 0 && (await this.#fetch());
    // What came before it is handed over first; the last handler to end rings.
    if (this.#halt && this.inHand === 0) {
      await Promise.all(this.#active.map((partition) => partition.flush()));
      throw this.#halt;
    }
    for (const partition of this.#active) partition.moveSoon();
    return hasMore;
  }

  /** Something is wrong that concerns all of it. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.#ports.bell.ring();
  }

  /** Takes no more events. Handlers may come to their end for so many ms, and a while longer once they are told. */
  async end(graceMs: number, longerMs: number): Promise<void> {
    this.#ended.abort();
    const partitions = [...this.#partitions.values()];
    const left = Promise.all(partitions.map((partition) => partition.leave().catch(() => {}))); // what is not committed is handed over again
    if (this.#failure === undefined) await this.#atMost(graceMs, left);
    for (const partition of partitions) partition.abort();
    await this.#atMost(longerMs, this.#lanes.close());
    if (this.#failure === undefined)
      await Promise.all(partitions.map((partition) => partition.flush().catch(() => {})));
  }

  /** Tries the parked events again, stream by stream in order; one that fails again keeps those behind it. */
  async resume(): Promise<{ readonly done: number; readonly parked: number }> {
    const all = await this.#ports.parking.of(this.#reader, Number.POSITIVE_INFINITY);
    const stuck = new Set<string>();
    let done = 0;
    const tries = all.map(({ stream, position }) =>
      this.#inLane(stream, async (partition) => {
        if (stuck.has(stream)) return;
        const isTaken = await partition.retry(stream, position);
        if (isTaken) done++;
        else if (isTaken === false) stuck.add(stream);
      }),
    );
    await Promise.race([Promise.all(tries), this.#over()]);
    await Promise.all(this.#active.map((partition) => partition.flush()));
    return { done, parked: all.length - done };
  }

  async dismiss(position: number): Promise<void> {
    for (const partition of this.#active) {
      partition.dismiss(position);
      await partition.flush();
    }
  }

  get #active(): readonly Partition[] {
    return [...this.#partitions.values()].filter(({ isLeaving }) => !isLeaving);
  }
  get #room(): number {
    return this.#subscription.inHand - this.inHand;
  }

  #toPartition(index: number, place: Awaited<ReturnType<Layouts["place"]>>): Partition {
    return new Partition(index, place, {
      ...this.#ports,
      reader: this.#reader,
      subscription: this.#subscription,
      checkpointName: this.#layouts.checkpointOf(this.#layout, index),
      committed: (error) => {
        if (error instanceof Lost) this.drop(index);
        else if (error !== undefined) this.fail(error);
        this.#ports.bell.ring(); // more may have ended in the meantime
      },
    });
  }

  #inLane(stream: string, work: (partition: Partition) => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#lanes.push(stream, async () => {
        const partition = this.#partitions.get(toPartition(stream, this.#layout.partitions));
        if (!partition || partition.isLeaving) reject(this.#toLost());
        else await work(partition).then(resolve, reject);
      }),
    );
  }

  /** Rejects when the session ends: what is in a lane and has not begun never will. */
  #over(): Promise<never> {
    return new Promise((_, reject) => {
      const end = (): void => reject(this.#toLost());
      if (this.#ended.signal.aborted) end();
      else this.#ended.signal.addEventListener("abort", end, { once: true });
    });
  }

  #toLost(): Lost {
    return new Lost(`The events of "${this.#reader}" are not handed over any more.`);
  }

  async #atMost(ms: number, work: Promise<unknown>): Promise<void> {
    let forget = (): void => {};
    const patience = new Promise<void>((resolve) => {
      forget = this.#ports.clock.after(ms, resolve);
    });
    await Promise.race([work, patience]);
    forget();
  }

  /** One page; false where there is nothing further. */
  async #fetch(): Promise<boolean> {
    const { engine, log } = this.#ports;
    const partitions = this.#active;
    if (partitions.length === 0) return false;
    const head = await engine.head(log);
    const other = partitions.find(({ epoch }) => epoch !== head.epoch);
    if (other) throw toEpochHalt(this.#reader, log, other.epoch, head.epoch);
    const seen = Math.min(...partitions.map((partition) => partition.seen));
    if (seen >= head.position) {
      this.#watch(seen);
      return false;
    }
    const until = Math.min(head.position, seen + stretch);
    const wanted = Math.ceil((this.#room * this.#layout.partitions) / partitions.length);
    const limit = Math.min(page, wanted);
    const events =
      this.#types.length === 0
        ? []
        : await engine.read(log, { after: seen, limit, types: this.#types, untilPosition: until });
    let read = events.at(-1)?.position ?? until;
    for (const event of events) {
      const partition = this.#partitions.get(toPartition(event.stream, this.#layout.partitions));
      if (!partition || partition.isLeaving || event.position <= partition.seen) continue;
      if (isDelivered(this.#layout, event.stream, event.position)) continue;
      if (this.#room === 0) {
        read = event.position - 1;
        break;
      }
      if (!this.#take(partition, event)) return false;
    }
    for (const partition of partitions) if (!partition.isLeaving) partition.pass(read);
    return true;
  }

  /** Puts an event into its lane; false where it cannot be got past. */
  #take(partition: Partition, event: StoredEvent): boolean {
    const known = this.#subscription.events.find(({ id }) => id === event.type);
    if (!known || event.version > known.version) {
      this.#halt = new Halt(
        `The log holds events ${event.type} in version ${event.version}, and this code knows it up to version ${known?.version}. Start the newer code.`,
      );
      return false;
    }
    partition.begin(event.position);
    this.#lanes.push(event.stream, async () => {
      await partition.deliver(event);
      this.#checkParked();
      this.#ports.bell.ring();
    });
    return true;
  }

  #checkParked(): void {
    if (this.#active.reduce((sum, { parked }) => sum + parked, 0) < mostParked) return;
    this.#halt ??= new Halt(
      `"${this.#reader}" has parked ${mostParked} events, which is no accident any more. Mend its handlers, then resume it.`,
    );
  }

  #watch(after: number): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#ports.engine.watch(this.#ports.log, after, this.#ended.signal).then(
      () => {
        this.#watching = false;
        this.#ports.bell.ring();
      },
      (error: unknown) => {
        if (!this.#ended.signal.aborted) this.fail(error);
      },
    );
  }
}
