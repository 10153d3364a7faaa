import { Fault } from "../contracts/index.ts";
import { Bell } from "./bell.ts";
import { Lost } from "./delivered-place.ts";
import { DeliverySession, type SessionPorts } from "./delivery-session.ts";
import type { Place, Write } from "./engine.ts";
import { type Layout, Layouts } from "./layout.ts";
import { PartitionLeases } from "./partition-leases.ts";
import { Sharing } from "./sharing.ts";
import type { Subscription } from "./subscription.ts";
import { type SubscriptionStatus, toSubscriptionStatus } from "./subscription-status.ts";

const shortestPauseMs = 100;
const longestPauseMs = 30_000;
/** How long handlers may take to finish once the storage is to close, and then once they were told so, in ms. */
const graceMs = 3_000;
const longerMs = 2_000;
/** How often a lease is renewed before it would run out. */
const renewals = 5;
/** How many leases long a process is asked to leave its partitions to this one, before whoever asked is told. */
const patience = 3;

export type CourierPorts = Omit<SessionPorts, "bell"> & {
  /** Whether only this process can write. */
  readonly exclusive: boolean;
  /** This process, for the others. */
  readonly node: string;
  /** Writes documents that belong to no event. */
  readonly write: (documents: readonly Write[]) => Promise<void>;
  /** Told in a sentence why a subscription stops. */
  readonly report: (sentence: string) => void;
};

/** What can only be done by who has all partitions: while events are handed over, or while none are. */
interface Asked {
  /** On the monotonic clock, in ms. */
  readonly since: number;
  readonly during?: (session: DeliverySession) => Promise<void>;
  readonly between?: Between;
  readonly fail: (error: unknown) => void;
}
type Between = (layout: Layout) => Promise<void>;

/** Keeps a subscription going: shares it with the other processes, hands over, tries again after trouble. */
export class Courier {
  readonly reader: string;
  readonly subscription: Subscription;
  readonly #ports: SessionPorts & CourierPorts;
  readonly #layouts: Layouts;
  readonly #bell = new Bell();
  #asked: Asked[] = [];
  /** How many of what was asked for while events are handed over are under way. */
  #mending = 0;
  #isDue = true;
  #session: DeliverySession | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  #pauseMs = shortestPauseMs;
  #stopped: string | undefined;
  constructor(reader: string, subscription: Subscription, ports: CourierPorts) {
    this.reader = reader;
    this.subscription = subscription;
    this.#ports = { ...ports, bell: this.#bell };
    this.#layouts = new Layouts(reader, ports);
  }

  /** Says on disk where it begins, if it was never there. */
  async define(): Promise<void> {
    const { partitions, from } = this.subscription;
    await this.#layouts.load(partitions, from);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  status(head: Place): Promise<SubscriptionStatus> {
    const { node, exclusive } = this.#ports;
    const { positions = new Map(), inHand = 0, trouble } = this.#session ?? {};
    const own = { node, positions, inHand, trouble, stopped: this.#stopped };
    return toSubscriptionStatus(this.reader, head, own, { ...this.#ports, layouts: this.#layouts, alone: exclusive });
  }

  /** Goes on where it had stopped, and tries what is parked again. */
  resume(): Promise<{ readonly done: number; readonly parked: number }> {
    return this.#ask((settle) => ({ during: (session) => settle(session.resume()) }));
  }

  dismiss(position: number): Promise<void> {
    return this.#ask((settle) => ({ during: (session) => settle(session.dismiss(position)) }));
  }

  /** Forgets how far it has come, and begins after a position. What is parked beyond it is handed over like the rest. */
  restart(after: number): Promise<void> {
    return this.#ask((settle) => ({ between: (layout) => settle(this.#restart(layout, after)) }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#bell.ring();
    await this.#running;
    this.#failAsked("The storage has been closed.");
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      this.#bell.quiet();
      try {
        if (this.#stopped !== undefined && this.#asked.length === 0) await this.#bell.heard();
        else await this.#deliver();
      } catch (error) {
        await this.#suffer(error);
      }
    }
  }

  /** Takes part until there is something to be done in between. */
  async #deliver(): Promise<void> {
    this.#stopped = undefined;
    this.#isDue = true;
    const { partitions, from, leaseMs } = this.subscription;
    const { node, exclusive: alone } = this.#ports;
    const layout = await this.#layouts.load(partitions, from);
    const leases = new PartitionLeases(
      this.reader,
      layout,
      { node, wants: partitions, leaseMs },
      { ...this.#ports, alone },
    );
    const divided = { layout, layouts: this.#layouts };
    const session = new DeliverySession(this.reader, this.subscription, divided, this.#ports);
    const sharing = new Sharing(session, leases, { partitions: layout.partitions, changed: () => this.#lookAround() });
    this.#session = session;
    const forget = this.#lookAroundEvery(leaseMs / renewals);
    try {
      let between: Between | undefined;
      try {
        between = await this.#handOver(session, sharing);
      } finally {
        sharing.end();
        await session.end(graceMs, longerMs);
        this.#session = undefined;
      }
      if (!between) return;
      await between(layout);
      await leases.forget();
    } finally {
      forget();
      await leases.leave().catch(() => {}); // they run out by themselves
    }
  }

  /** Until it is over, or until what it gives back can be done. */
  async #handOver(session: DeliverySession, sharing: Sharing): Promise<Between | undefined> {
    while (!this.#closed) {
      this.#bell.quiet();
      if (this.#isDue) {
        this.#isDue = false;
        this.#loseHope();
        const { stale, divideBy } = await sharing.balance(this.#asked.length > 0 || this.#mending > 0);
        if (stale) return undefined;
        if (sharing.hasAll && divideBy !== undefined) return (layout) => this.#layouts.divide(layout, divideBy);
      }
      if (sharing.hasAll) {
        const between = this.#begin(session);
        if (between) return between;
      }
      const isAwaited = this.#asked.some(({ between }) => between);
      const hasMore = !isAwaited && (await session.step());
      this.#pauseMs = shortestPauseMs;
      if (!hasMore) await this.#bell.heard();
    }
    return undefined;
  }

  /** Begins what was asked for; gives back what has to wait until nothing is handed over. */
  #begin(session: DeliverySession): Between | undefined {
    const asked = this.#asked;
    this.#asked = asked.filter(({ between }) => between);
    for (const { during } of asked) {
      if (!during) continue;
      this.#mending++;
      void during(session).finally(() => {
        this.#mending--;
        this.#lookAround();
      });
    }
    return this.#mending === 0 ? this.#asked.shift()?.between : undefined;
  }

  async #restart(layout: Layout, after: number): Promise<void> {
    const { parking, write } = this.#ports;
    const parked = await parking.of(this.reader, Number.POSITIVE_INFINITY);
    await this.#layouts.restart(layout, after);
    const handedOver = parked.filter(({ position }) => position > after);
    if (handedOver.length > 0) await write(handedOver.map(({ position }) => parking.leave(this.reader, position)));
  }

  /** Tells whoever has asked for what needs all partitions that the others do not leave theirs. */
  #loseHope(): void {
    const oldest = this.#ports.clock.monotonic() - patience * this.subscription.leaseMs;
    const hopeless = this.#asked.filter(({ since }) => since < oldest);
    this.#asked = this.#asked.filter(({ since }) => since >= oldest);
    const sentence = `Another process still has events of "${this.reader}" in hand, and did not come to an end with them. Try again later.`;
    for (const { fail } of hopeless) fail(toUnavailable(sentence));
  }

  async #suffer(error: unknown): Promise<void> {
    if (this.#closed) return;
    if (error instanceof Fault || error instanceof Lost) {
      await this.#pause(this.#pauseMs);
      this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
    } else {
      this.#stopped = error instanceof Error ? error.message : String(error);
      const sentence = `"${this.reader}" has stopped. ${this.#stopped}`;
      this.#ports.report(sentence);
      this.#failAsked(sentence);
    }
  }

  #ask<T>(toWork: (settle: (work: Promise<T>) => Promise<void>) => Pick<Asked, "during" | "between">): Promise<T> {
    if (this.#closed) return Promise.reject(toUnavailable("The storage has been closed."));
    return new Promise<T>((resolve, reject) => {
      const since = this.#ports.clock.monotonic();
      this.#asked.push({ ...toWork((work) => work.then(resolve, reject)), since, fail: reject });
      this.#lookAround();
    });
  }

  #failAsked(sentence: string): void {
    for (const { fail } of this.#asked.splice(0)) fail(toUnavailable(sentence));
  }

  #lookAround(): void {
    this.#isDue = true;
    this.#bell.ring();
  }

  #lookAroundEvery(ms: number): () => void {
    const { clock } = this.#ports;
    const again = (): void => {
      this.#lookAround();
      forget = clock.after(ms, again);
    };
    let forget = clock.after(ms, again);
    return () => forget();
  }

  async #pause(ms: number): Promise<void> {
    const forget = this.#ports.clock.after(ms, () => this.#bell.ring());
    await this.#bell.heard();
    forget();
  }
}

const toUnavailable = (message: string): Fault => new Fault("Unavailable", message, { outcome: "not done" });
