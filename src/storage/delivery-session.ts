import type { Clock } from "../contracts/index.ts";
import type { Bell } from "./bell.ts";
import { DeliveredPlace, Lost } from "./delivered-place.ts";
import type { Engine, Place, StoredEvent } from "./engine.ts";
import type { EventCodec } from "./event-codec.ts";
import { Halt } from "./halt.ts";
import { Handover } from "./handover.ts";
import { Lanes } from "./lanes.ts";
import { ParkedStreams } from "./parked-streams.ts";
import type { Parking } from "./parking.ts";
import type { Subscription } from "./subscription.ts";
import { Watermark } from "./watermark.ts";

/** Positions that one look covers at most, however few of them are wanted. */
const stretch = 20_000;
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
 * One stretch of handing over, from a checkpoint on, until it ends by itself or is ended: catches up, then follows. The
 * checkpoint moves behind the handlers, up to where all of them have come to their end.
 */
export class DeliverySession {
  readonly #reader: string;
  readonly #subscription: Subscription;
  readonly #ports: SessionPorts;
  readonly #types: readonly string[];
  readonly #lanes: Lanes;
  readonly #ended = new AbortController();
  readonly #mark: Watermark;
  readonly #parked = new ParkedStreams();
  readonly #handover: Handover;
  readonly #place: DeliveredPlace;
  #watching = false;
  #halt: Halt | undefined;
  #failure: unknown;
  constructor(reader: string, subscription: Subscription, place: Place, ports: SessionPorts) {
    this.#reader = reader;
    this.#subscription = subscription;
    this.#ports = ports;
    this.#types = subscription.events.map(({ id }) => id);
    this.#lanes = new Lanes(subscription.atOnce);
    this.#mark = new Watermark(place.position);
    this.#handover = new Handover(subscription, { ...ports, ended: this.#ended.signal });
    this.#place = new DeliveredPlace(reader, place, {
      ...ports,
      mark: () => this.#mark.mark,
      committed: (error) => {
        if (error !== undefined) this.fail(error);
        ports.bell.ring(); // more may have ended in the meantime
      },
    });
  }

  /** Up to here everything was handed over, was parked, or concerned nobody. */
  get position(): number {
    return this.#mark.mark;
  }
  get inHand(): number {
    return this.#mark.open;
  }
  /** What went wrong last, while it is tried again. */
  get trouble(): string | undefined {
    return this.#handover.trouble;
  }

  async load(): Promise<void> {
    for (const { stream, position } of await this.#ports.parking.of(this.#reader, mostParked + 1))
      this.#parked.add(stream, position);
  }

  /** Hands over what can be handed over now, and sees that the bell rings when there is more. Throws what ends the session. */
  async step(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    while (!this.#halt && this.inHand < this.#subscription.inHand && (await this.#fetch()));
    // What came before it is handed over first; the last handler to end rings.
    if (this.#halt && this.inHand === 0) {
      await this.#place.flush();
      throw this.#halt;
    }
    this.#place.moveSoon();
  }

  /** Something is wrong from outside: the lease is gone. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.#ports.bell.ring();
  }

  /** Begins no more handlers, and waits for those under way, up to so many ms. */
  async end(graceMs: number): Promise<void> {
    this.#ended.abort();
    let forget = (): void => {};
    const patience = new Promise<void>((resolve) => {
      forget = this.#ports.clock.after(graceMs, resolve);
    });
    await Promise.race([this.#lanes.close(), patience]);
    forget();
    if (this.#failure === undefined) await this.#place.flush().catch(() => {}); // what is not committed is handed over again
  }

  /** Tries the parked events again, stream by stream in order; one that fails again keeps those behind it. */
  async resume(): Promise<{ readonly done: number; readonly parked: number }> {
    const { engine, log, parking } = this.#ports;
    const all = await parking.of(this.#reader, Number.POSITIVE_INFINITY);
    const stuck = new Set<string>();
    let done = 0;
    const tries = all.map(({ stream, position }) =>
      this.#inLane(stream, async () => {
        if (stuck.has(stream) || !this.#parked.has(stream, position)) return;
        const [event] = await engine.read(log, { after: position - 1, limit: 1 });
        if (event?.position !== position) return;
        const reason = await this.#handover.deliver(event);
        if (reason !== undefined) {
          stuck.add(stream);
          this.#park(event, reason);
        } else {
          done++;
          this.#leave(stream, position);
        }
      }),
    );
    await Promise.race([Promise.all(tries), this.#over()]);
    await this.#place.flush();
    return { done, parked: all.length - done };
  }

  async dismiss(position: number): Promise<void> {
    const stream = this.#parked.streamOf(position);
    if (stream === undefined) return;
    this.#leave(stream, position);
    await this.#place.flush();
  }

  #leave(stream: string, position: number): void {
    this.#parked.remove(stream, position);
    this.#place.write(this.#ports.parking.leave(this.#reader, position));
  }

  #inLane(stream: string, work: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => this.#lanes.push(stream, () => work().then(resolve, reject)));
  }

  /** Rejects when the session ends: what is in a lane and has not begun never will. */
  #over(): Promise<never> {
    return new Promise((_, reject) => {
      const end = (): void => reject(new Lost(`The events of "${this.#reader}" are not handed over any more.`));
      if (this.#ended.signal.aborted) end();
      else this.#ended.signal.addEventListener("abort", end, { once: true });
    });
  }

  /** One page; false where there is nothing further. */
  async #fetch(): Promise<boolean> {
    const { engine, log } = this.#ports;
    const head = await engine.head(log);
    if (head.epoch !== this.#place.epoch) {
      throw new Halt(
        `"${this.#reader}" has read epoch ${this.#place.epoch} of the log "${log}", which is in epoch ${head.epoch} now: it was restored, or failed over to a replica that lagged. Restart it from where its receivers can go on.`,
      );
    }
    const { seen } = this.#mark;
    if (seen >= head.position) {
      this.#watch(seen);
      return false;
    }
    const until = Math.min(head.position, seen + stretch);
    const limit = Math.min(100, this.#subscription.inHand - this.inHand);
    const events =
      this.#types.length === 0
        ? []
        : await engine.read(log, { after: seen, limit, types: this.#types, untilPosition: until });
    for (const event of events) if (!this.#take(event)) return false;
    if (events.length === 0) this.#mark.pass(until);
    return true;
  }

  /** Puts an event into its lane; false where it cannot be got past. */
  #take(event: StoredEvent): boolean {
    const known = this.#subscription.events.find(({ id }) => id === event.type);
    if (!known || event.version > known.version) {
      this.#halt = new Halt(
        `The log holds events ${event.type} in version ${event.version}, and this code knows it up to version ${known?.version}. Start the newer code.`,
      );
      return false;
    }
    const { position, stream } = event;
    this.#mark.begin(position);
    this.#lanes.push(stream, async () => {
      if (!this.#parked.has(stream, position)) {
        const first = this.#parked.first(stream);
        const reason =
          first === undefined
            ? await this.#handover.deliver(event)
            : `Waits behind position ${first} of its stream, which is parked.`;
        if (this.#ended.signal.aborted && reason !== undefined) return;
        if (reason !== undefined) this.#park(event, reason);
      }
      this.#place.delivered();
      this.#mark.end(position);
      this.#ports.bell.ring();
    });
    return true;
  }

  #park(event: StoredEvent, reason: string): void {
    this.#parked.add(event.stream, event.position);
    this.#place.write(this.#ports.parking.park(this.#reader, event, reason, this.#ports.clock.now()));
    if (this.#parked.count >= mostParked) {
      this.#halt ??= new Halt(
        `"${this.#reader}" has parked ${mostParked} events, which is no accident any more. Mend its handlers, then resume it.`,
      );
    }
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
