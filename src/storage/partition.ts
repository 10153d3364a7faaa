import type { Clock } from "../contracts/index.ts";
import { DeliveredPlace } from "./delivered-place.ts";
import type { Engine, Place, StoredEvent } from "./engine.ts";
import type { EventCodec } from "./event-codec.ts";
import { Handover } from "./handover.ts";
import { ParkedStreams } from "./parked-streams.ts";
import type { Parked, Parking } from "./parking.ts";
import type { Subscription } from "./subscription.ts";
import { Watermark } from "./watermark.ts";

/** How long an event is tried again in a partition that is to be left, in ms. */
const hurryMs = 2_000;

/** Where a partition goes on: what its checkpoint says, and the position, which may be further. */
export interface PartitionPlace {
  readonly checkpoint: Place;
  readonly position: number;
}
export interface PartitionPorts {
  readonly engine: Engine;
  readonly log: string;
  readonly codec: EventCodec;
  readonly clock: Clock;
  readonly parking: Parking;
  readonly reader: string;
  readonly subscription: Subscription;
  /** What its checkpoint is called. */
  readonly checkpointName: string;
  /** Told after each commit, and why where it failed. */
  readonly committed: (error?: unknown) => void;
}

/** One part of a subscription's streams, as long as this process hands them over: how far it is, and what is under way. */
export class Partition {
  readonly index: number;
  readonly #ports: PartitionPorts;
  readonly #parked = new ParkedStreams();
  readonly #handover: Handover;
  readonly #mark: Watermark;
  readonly #place: DeliveredPlace;
  /** Fires when nothing is tried again. */
  readonly #hurried = new AbortController();
  readonly #ended = new AbortController();
  /** Positions that have begun and are not over. */
  readonly #open = new Set<number>();
  /** The last position whose handler was started. */
  #furthest = 0;
  #retries = 0;
  #isLeaving = false;
  #rest: (() => void) | undefined;
  constructor(index: number, { checkpoint, position }: PartitionPlace, ports: PartitionPorts) {
    this.index = index;
    this.#ports = ports;
    this.#mark = new Watermark(position);
    this.#place = new DeliveredPlace(ports.checkpointName, checkpoint, { ...ports, mark: () => this.#mark.mark });
    const signals = { leaving: this.#hurried.signal, aborted: this.#ended.signal };
    this.#handover = new Handover(ports.subscription, { ...ports, ...signals });
  }

  get epoch(): number {
    return this.#place.epoch;
  }
  /** Up to here everything was handed over, was parked, or concerned nobody. */
  get position(): number {
    return this.#mark.mark;
  }
  /** How far it was read. */
  get seen(): number {
    return this.#mark.seen;
  }
  get inHand(): number {
    return this.#mark.open;
  }
  get parked(): number {
    return this.#parked.count;
  }
  /** What went wrong last, while it is tried again. */
  get trouble(): string | undefined {
    return this.#handover.trouble;
  }
  /** Whether no event is taken any more. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** What was parked before it was this process's. In the order of the log. */
  remember({ stream, position }: Parked): void {
    this.#parked.add(stream, position);
  }

  begin(position: number): void {
    this.#open.add(position);
    this.#mark.begin(position);
  }

  /** Nothing of it lies between where it has been read to and this position. */
  pass(position: number): void {
    this.#mark.pass(position);
  }

  /** Hands an event over that has begun, or parks it. */
  async deliver(event: StoredEvent): Promise<void> {
    const { position } = event;
    // What comes later than all that was started is left to whoever comes next: without it there is nothing twice.
    if (this.#ended.signal.aborted || (this.#isLeaving && position > this.#furthest)) return;
    this.#furthest = Math.max(this.#furthest, position);
    if (await this.#isOver(event)) {
      this.#place.delivered();
      this.#mark.end(position);
    }
    this.#open.delete(position);
    if (this.#isAtRest) this.#rest?.();
  }

  /** Tries a parked event again: whether it was taken; undefined where it is not parked any more. */
  async retry(stream: string, position: number): Promise<boolean | undefined> {
    this.#retries++;
    try {
      if (!this.#parked.has(stream, position)) return undefined;
      const { engine, log } = this.#ports;
      const [event] = await engine.read(log, { after: position - 1, limit: 1 });
      if (event?.position !== position) return undefined;
      const reason = await this.#handover.deliver(event);
      if (reason === undefined) this.dismiss(position);
      else this.#park(event, reason);
      return reason === undefined;
    } finally {
      this.#retries--;
      if (this.#isAtRest) this.#rest?.();
    }
  }

  dismiss(position: number): void {
    const stream = this.#parked.streamOf(position);
    if (stream === undefined) return;
    this.#parked.remove(stream, position);
    this.#place.write(this.#ports.parking.leave(this.#ports.reader, position));
  }

  moveSoon(): void {
    this.#place.moveSoon();
  }

  flush(): Promise<void> {
    return this.#place.flush();
  }

  /**
   * Takes no more events, lets handlers come to their end in their own time, and keeps how far it has come. What comes
   * before something that was started is started as well, or it would hold the checkpoint back and that come twice.
   */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    const forget = this.#ports.clock.after(hurryMs, () => this.#hurried.abort());
    if (!this.#isAtRest)
      await new Promise<void>((resolve) => {
        this.#rest = resolve;
      });
    forget();
    await this.flush();
  }

  /** Begins no more handlers, and tells those under way that nobody waits for them. */
  abort(): void {
    this.#isLeaving = true;
    this.#hurried.abort();
    this.#ended.abort();
  }

  get #isAtRest(): boolean {
    return this.#retries === 0 && [...this.#open].every((position) => position > this.#furthest);
  }

  /** Whether an event was taken, or parked; not where it would be tried again, and there is no time for it. */
  async #isOver(event: StoredEvent): Promise<boolean> {
    const { position, stream } = event;
    if (this.#parked.has(stream, position)) return true;
    const first = this.#parked.first(stream);
    const reason =
      first === undefined
        ? await this.#handover.deliver(event)
        : `Waits behind position ${first} of its stream, which is parked.`;
    if (reason === undefined) return true;
    if (this.#hurried.signal.aborted) return false;
    this.#park(event, reason);
    return true;
  }

  #park(event: StoredEvent, reason: string): void {
    const { parking, reader, clock } = this.#ports;
    this.#parked.add(event.stream, event.position);
    this.#place.write(parking.park(reader, event, reason, clock.now()));
  }
}
