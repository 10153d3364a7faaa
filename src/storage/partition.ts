import type { Clock } from "../contracts/index.ts";
import { DeliveredPlace } from "./delivered-place.ts";
import type { Engine, Place, StoredEvent } from "./engine.ts";
import type { EventCodec } from "./event-codec.ts";
import { Handover } from "./handover.ts";
import { ParkedStreams } from "./parked-streams.ts";
import type { Parked, Parking } from "./parking.ts";
import type { Subscription } from "./subscription.ts";
import { Watermark } from "./watermark.ts";

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
  /** Told after each commit that nobody waited for. */
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
  readonly #leaving = new AbortController();
  readonly #ended = new AbortController();
  #underWay = 0;
  #rest: (() => void) | undefined;
  constructor(index: number, { checkpoint, position }: PartitionPlace, ports: PartitionPorts) {
    this.index = index;
    this.#ports = ports;
    this.#mark = new Watermark(position);
    this.#place = new DeliveredPlace(ports.checkpointName, checkpoint, { ...ports, mark: () => this.#mark.mark });
    const signals = { leaving: this.#leaving.signal, aborted: this.#ended.signal };
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
  /** Whether nothing more is begun. */
  get isLeaving(): boolean {
    return this.#leaving.signal.aborted;
  }

  /** What was parked before it was this process's. In the order of the log. */
  remember({ stream, position }: Parked): void {
    this.#parked.add(stream, position);
  }

  begin(position: number): void {
    this.#mark.begin(position);
  }

  /** Nothing of it lies between where it has been read to and this position. */
  pass(position: number): void {
    this.#mark.pass(position);
  }

  /** Hands an event over that has begun, or parks it. */
  deliver(event: StoredEvent): Promise<void> {
    return this.#during(async () => {
      const { position, stream } = event;
      if (!this.#parked.has(stream, position)) {
        const first = this.#parked.first(stream);
        const reason =
          first === undefined
            ? await this.#handover.deliver(event)
            : `Waits behind position ${first} of its stream, which is parked.`;
        if (this.isLeaving && reason !== undefined) return;
        if (reason !== undefined) this.#park(event, reason);
      }
      this.#place.delivered();
      this.#mark.end(position);
    });
  }

  /** Tries a parked event again: whether it was taken; undefined where it is not parked any more. */
  retry(stream: string, position: number): Promise<boolean | undefined> {
    return this.#during(async () => {
      if (!this.#parked.has(stream, position)) return undefined;
      const { engine, log } = this.#ports;
      const [event] = await engine.read(log, { after: position - 1, limit: 1 });
      if (event?.position !== position) return undefined;
      const reason = await this.#handover.deliver(event);
      if (reason === undefined) this.dismiss(position);
      else this.#park(event, reason);
      return reason === undefined;
    });
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

  /** Begins no more handlers, lets those under way come to their end in their own time, and keeps how far it has come. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    if (this.#underWay > 0)
      await new Promise<void>((resolve) => {
        this.#rest = resolve;
      });
    await this.flush();
  }

  /** Begins no more handlers, and tells those under way that nobody waits for them. */
  abort(): void {
    this.#leaving.abort();
    this.#ended.abort();
  }

  #park(event: StoredEvent, reason: string): void {
    const { parking, reader, clock } = this.#ports;
    this.#parked.add(event.stream, event.position);
    this.#place.write(parking.park(reader, event, reason, clock.now()));
  }

  async #during<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await work();
    } finally {
      this.#underWay--;
      if (this.#underWay === 0) this.#rest?.();
    }
  }
}
