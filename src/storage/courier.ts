import { Fault } from "../contracts/index.ts";
import { Bell } from "./bell.ts";
import { Lost } from "./delivered-place.ts";
import { DeliverySession, type SessionPorts } from "./delivery-session.ts";
import type { Place } from "./engine.ts";
import { Lease, leaseStepMs } from "./lease.ts";
import type { Subscription } from "./subscription.ts";

const shortestPauseMs = 100;
const longestPauseMs = 30_000;
/** How long handlers may take to finish once the storage is to close, in ms. */
const graceMs = 5_000;

export interface SubscriptionStatus {
  readonly reader: string;
  /** Whether this process hands its events over; another one may. */
  readonly delivering: boolean;
  /** Up to where everything was handed over, or parked. */
  readonly position: number;
  readonly behind: number;
  /** Events that were read and are not done. */
  readonly inHand: number;
  readonly parked: number;
  /** What went wrong last, while it is tried again. */
  readonly trouble?: string;
  /** Why nothing is handed over any more, where that is so. */
  readonly stopped?: string;
}

export type CourierPorts = Omit<SessionPorts, "bell"> & {
  /** Whether only this process can write. */
  readonly exclusive: boolean;
  /** This process, for the others. */
  readonly node: string;
  /** Told in a sentence why a subscription stops. */
  readonly report: (sentence: string) => void;
};

/** Keeps a subscription going: waits for its turn among the processes, hands over, tries again after trouble. */
export class Courier {
  readonly reader: string;
  readonly subscription: Subscription;
  readonly #ports: SessionPorts;
  readonly #alone: boolean;
  readonly #report: (sentence: string) => void;
  readonly #lease: Lease;
  readonly #bell = new Bell();
  readonly #asked: {
    readonly work: (session: DeliverySession) => Promise<void>;
    readonly fail: (error: Error) => void;
  }[] = [];
  #session: DeliverySession | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  #pauseMs = shortestPauseMs;
  #stopped: string | undefined;
  constructor(reader: string, subscription: Subscription, ports: CourierPorts) {
    const { exclusive, node, engine, clock } = ports;
    this.reader = reader;
    this.subscription = subscription;
    this.#alone = exclusive;
    this.#report = ports.report;
    this.#ports = { ...ports, bell: this.#bell };
    this.#lease = new Lease(reader, node, { engine, clock, alone: exclusive });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async status(head: Place): Promise<SubscriptionStatus> {
    const { engine, log, parking } = this.#ports;
    const session = this.#session;
    const kept = await engine.checkpoint(log, this.reader);
    const position = session?.position ?? (kept.epoch === head.epoch ? kept.position : 0);
    return {
      reader: this.reader,
      delivering: session !== undefined,
      position,
      behind: Math.max(0, head.position - position),
      inHand: session?.inHand ?? 0,
      parked: (await parking.of(this.reader, 1_000)).length,
      ...(session?.trouble !== undefined && { trouble: session.trouble }),
      ...(this.#stopped !== undefined && { stopped: this.#stopped }),
    };
  }

  /** Goes on where it had stopped, and tries what is parked again. */
  resume(): Promise<{ readonly done: number; readonly parked: number }> {
    return this.#ask((session) => session.resume());
  }

  dismiss(position: number): Promise<void> {
    return this.#ask((session) => session.dismiss(position));
  }

  /** Forgets how far it has come, and begins after a position. What is parked beyond it is handed over like the rest. */
  async restart(after: number): Promise<void> {
    const { engine, log, parking } = this.#ports;
    await this.#pauseWhile(async () => {
      const parked = (await parking.of(this.reader, Number.POSITIVE_INFINITY)).filter(
        ({ position }) => position > after,
      );
      const writes = [this.#lease.make(), ...parked.map(({ position }) => parking.leave(this.reader, position))];
      await engine.drop({ reader: { log, name: this.reader } });
      const { epoch } = await engine.checkpoint(log, this.reader);
      if (!(await engine.commit({ log, reader: this.reader, epoch, from: 0, position: after }, writes)))
        throw new Lost(`Somebody else has moved "${this.reader}" at the same time. Look where it is.`);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#bell.ring();
    await this.#running;
    for (const { fail } of this.#asked.splice(0)) fail(toUnavailable("The storage has been closed."));
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      this.#bell.quiet();
      try {
        if (this.#stopped !== undefined && this.#asked.length === 0) await this.#bell.heard();
        else if (await this.#begin()) await this.#deliver();
        else await this.#waitForTurn();
      } catch (error) {
        await this.#suffer(error);
      }
    }
  }

  /** Whether it is this process's turn. */
  async #begin(): Promise<boolean> {
    const { engine, log } = this.#ports;
    this.#stopped = undefined;
    if (!(await this.#lease.isMade())) {
      const head = await engine.head(log);
      const place = { log, reader: this.reader, epoch: head.epoch, from: 0 };
      const position = this.subscription.from === "now" ? head.position : 0;
      await engine.commit({ ...place, position }, [this.#lease.make()]); // false: somebody else was faster
    }
    if (!(await this.#lease.take())) return false;
    const session = new DeliverySession(
      this.reader,
      this.subscription,
      await engine.checkpoint(log, this.reader),
      this.#ports,
    );
    await session.load();
    this.#session = session;
    return true;
  }

  async #deliver(): Promise<void> {
    const session = this.#session as DeliverySession; // #begin made it
    const stopRenewing = this.#alone ? () => {} : this.#renew(session);
    try {
      while (!this.#closed) {
        this.#bell.quiet();
        for (const { work } of this.#asked.splice(0)) void work(session);
        await session.step();
        this.#pauseMs = shortestPauseMs;
        await this.#bell.heard();
      }
    } finally {
      stopRenewing();
      await session.end(graceMs);
      this.#session = undefined;
      await this.#lease.leave().catch(() => {}); // it runs out by itself
    }
  }

  #renew(session: DeliverySession): () => void {
    let forget = (): void => {};
    const renew = (): void => {
      this.#lease.renew().then(
        (held) => {
          if (!held) session.fail(new Lost(`Another process has taken over "${this.reader}".`));
        },
        (error: unknown) => session.fail(error),
      );
      forget = this.#ports.clock.after(leaseStepMs, renew);
    };
    forget = this.#ports.clock.after(leaseStepMs, renew);
    return () => forget();
  }

  async #waitForTurn(): Promise<void> {
    for (const { fail } of this.#asked.splice(0))
      fail(toUnavailable(`Another process hands over the events of "${this.reader}". Ask that one.`));
    await this.#pause(leaseStepMs);
  }

  async #suffer(error: unknown): Promise<void> {
    if (this.#closed) return;
    if (error instanceof Fault || error instanceof Lost) {
      await this.#pause(this.#pauseMs);
      this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
    } else {
      this.#stopped = error instanceof Error ? error.message : String(error);
      const sentence = `"${this.reader}" has stopped. ${this.#stopped}`;
      this.#report(sentence);
      for (const { fail } of this.#asked.splice(0)) fail(toUnavailable(sentence));
    }
  }

  #ask<T>(work: (session: DeliverySession) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(toUnavailable("The storage has been closed."));
    return new Promise<T>((resolve, reject) => {
      this.#asked.push({ work: (session) => work(session).then(resolve, reject), fail: reject });
      this.#bell.ring();
    });
  }

  /** Does something while nothing is handed over by this process, and begins anew. */
  async #pauseWhile(work: () => Promise<void>): Promise<void> {
    this.#closed = true;
    this.#bell.ring();
    await this.#running;
    try {
      await work();
    } finally {
      this.#closed = false;
      this.#stopped = undefined;
      this.#running = this.#run();
    }
  }

  async #pause(ms: number): Promise<void> {
    const forget = this.#ports.clock.after(ms, () => this.#bell.ring());
    await this.#bell.heard();
    forget();
  }
}

const toUnavailable = (message: string): Fault => new Fault("Unavailable", message, { outcome: "not done" });
