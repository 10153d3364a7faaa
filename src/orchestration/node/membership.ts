import type { Clock } from "../../contracts/index.ts";
import type { Journal } from "../journal/journal.ts";

export interface MembershipPorts {
  readonly journal: Journal;
  readonly clock: Clock;
  /** Fresh for each process. */
  readonly node: string;
  readonly knows: readonly string[];
  readonly leaseMs: number;
  /** The lease is over: whatever this node has in memory may be somebody else's by now. */
  readonly lost: () => void;
  /** Runs of others have become free, or this node may have runs again. */
  readonly free: () => void;
  /** There are other nodes: what they do to runs from this place on is news. */
  readonly company: (place: number) => void;
  readonly failed: (error: unknown) => void;
}

const pageOfReleased = 256;
const retryMs = 250;

/**
 * This node's place among those that share the runs. It keeps its lease, takes over from those whose lease is over, and
 * counts itself out in time when it cannot keep its own: measured from before it asked for it, so that it never believes
 * in a lease that others see ended. A node that was counted out comes back by another id, and is not its own zombie.
 */
export class Membership {
  readonly #ports: MembershipPorts;
  #id: string;
  #returns = 0;
  /** Until when the lease lasts at least, on the monotonic clock. */
  #until: number;
  #disarmLapse: () => void = () => {};
  #disarmBeat: () => void = () => {};
  #beating: Promise<void> = Promise.resolve();
  #place = 0;
  #inCompany = false;
  #stopped = false;

  constructor(ports: MembershipPorts) {
    this.#ports = ports;
    this.#id = ports.node;
    this.#until = ports.journal.nodes.alone ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  /** The id by which this node owns runs now. */
  get node(): string {
    return this.#id;
  }

  /** Whether this node may have runs. */
  get isIn(): boolean {
    return !this.#stopped && this.#ports.clock.monotonic() < this.#until;
  }

  /** Goes on the list, and makes free what is held by whoever is not on it. */
  async enter(): Promise<void> {
    const { journal } = this.#ports;
    if (journal.nodes.alone) return this.#takeOver();
    this.#place = (await journal.nodes.news(undefined, never)).place;
    await this.#enter();
    await this.#takeOver();
    this.#beatIn(this.#ports.leaseMs / 3);
  }

  /** Goes off the list, once nothing is held any more. */
  async leave(): Promise<void> {
    this.#stopped = true;
    this.#disarmBeat();
    this.#disarmLapse();
    await this.#beating;
    const { journal, failed } = this.#ports;
    if (!journal.nodes.alone) await journal.nodes.leave(this.#id).catch(failed); // its lease ends by itself
  }

  async #enter(): Promise<void> {
    const { journal, clock, knows, leaseMs } = this.#ports;
    const asked = clock.monotonic();
    await journal.nodes.enter(this.#id, knows, leaseMs);
    this.#extend(asked);
  }

  #beatIn(ms: number): void {
    if (this.#stopped) return;
    this.#disarmBeat = this.#ports.clock.after(ms, () => {
      this.#beating = this.#beat();
    });
  }

  async #beat(): Promise<void> {
    const { journal, clock, leaseMs, failed, free } = this.#ports;
    try {
      const asked = clock.monotonic();
      const kept = this.isIn && (await journal.nodes.renew(this.#id, leaseMs)) && this.isIn;
      if (this.#stopped) return;
      if (kept) this.#extend(asked);
      else {
        this.#lapse();
        const before = this.#id;
        this.#id = `${this.#ports.node}.${++this.#returns}`;
        await this.#enter();
        await journal.nodes.leave(before);
        free();
      }
      await this.#takeOver();
      this.#beatIn(leaseMs / 3);
    } catch (error) {
      if (this.#stopped) return;
      failed(error);
      this.#beatIn(Math.min(retryMs, leaseMs / 3));
    }
  }

  async #takeOver(): Promise<void> {
    const { journal, clock, free, company } = this.#ports;
    const before = this.#place;
    if (!this.#inCompany && !journal.nodes.alone) this.#place = (await journal.nodes.news(undefined, never)).place;
    const { others, gone } = await journal.nodes.census(this.#id);
    // Whoever was not there at the last look has done nothing before it.
    if (others.length > 0 && !this.#inCompany) {
      this.#inCompany = true;
      company(before);
    }
    let released = 0;
    for (const owner of gone)
      for (let some = 1; some > 0; released += some) some = await journal.release(owner, clock.now(), pageOfReleased);
    if (released > 0) free();
  }

  #extend(asked: number): void {
    const { clock, leaseMs } = this.#ports;
    this.#until = asked + leaseMs;
    this.#disarmLapse();
    this.#disarmLapse = clock.after(this.#until - clock.monotonic(), () => this.#lapse());
  }

  #lapse(): void {
    this.#disarmLapse();
    this.#until = Number.NEGATIVE_INFINITY;
    this.#ports.lost();
  }
}

const never: AbortSignal = new AbortController().signal;
