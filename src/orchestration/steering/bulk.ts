import type { Clock } from "../../contracts/index.ts";
import { type Journal, Unreadable } from "../journal/journal.ts";
import type { RunFilter } from "../journal/search.ts";
import { Alarm } from "../node/alarm.ts";
import type { Order, Steered } from "./steward.ts";

/** One order to all runs that a filter finds and that had begun by then. */
export interface Bulk {
  readonly id: string;
  readonly order: Order;
  readonly filter: RunFilter;
  /** When it was asked for, in ms since 1970. */
  readonly at: number;
  readonly state: "under way" | "done";
  readonly endedAt: number | null;
  /** How many runs were looked at so far, and of them followed the order; the others could not. */
  readonly found: number;
  readonly taken: number;
  /** Of the others the last twenty, each with a sentence that says why. Missing where there were none. */
  readonly refusals?: readonly Refusal[];
  /** Where the next page begins. */
  readonly after: string | null;
}

/** A run that could not follow. */
export interface Refusal {
  readonly run: string;
  readonly why: string;
}

/** The port to where orders in bulk are kept, so that another node goes on with them. */
export interface Bulks {
  add(bulk: Bulk): Promise<void>;
  find(id: string): Promise<Bulk | undefined>;
  /** The latest ones first. */
  list(limit: number): Promise<readonly Bulk[]>;
  /** Takes one that is under way and that nobody has, for so many ms. A process that is alone with them finds every one free. */
  claim(node: string, forMs: number): Promise<Bulk | undefined>;
  /** Lets go of those that a node has. */
  free(node: string): Promise<void>;
  /** Notes how far it has come; false where another node has it by now. */
  advance(bulk: Bulk, node: string, forMs: number): Promise<boolean>;
}

export interface BulkerPorts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly node: string;
  readonly newId: () => string;
  readonly steer: (run: string, order: Order) => Promise<Steered>;
  readonly failed: (error: unknown) => void;
}

const page = 50;
const atOnce = 8;
const leaseMs = 30_000;
/** How often orders of other nodes are looked for, which may have died over them. */
const pollMs = 10_000;
const mostRefusals = 20;
/** A run that cannot be reached is tried again, well within the lease. */
const triesOfOne = 3;
const pauseMs = 500;

/** Follows orders in bulk in the background, page by page. */
export class Bulker {
  readonly #ports: BulkerPorts;
  readonly #alarm: Alarm;
  #stopped = false;

  constructor(ports: BulkerPorts) {
    this.#ports = ports;
    this.#alarm = new Alarm(ports.clock, () => this.#look(), ports.failed);
  }

  /** On disk when this resolves; done in the background, by this node or another. */
  async add(filter: RunFilter, order: Order): Promise<Bulk> {
    const { journal, clock, newId } = this.#ports;
    const fresh = { state: "under way", endedAt: null, found: 0, taken: 0, after: null } as const;
    const bulk: Bulk = { id: newId(), order, filter, at: clock.now(), ...fresh };
    await journal.bulks.add(bulk);
    void this.#alarm.now();
    return bulk;
  }

  start(): void {
    void this.#alarm.now();
  }

  /** Another node, or this one when it is back, goes on at once with what is under way. */
  async stop(): Promise<void> {
    const { journal, node, failed } = this.#ports;
    this.#stopped = true;
    await this.#alarm.stop();
    await journal.bulks.free(node).catch(failed); // it is free after a time by itself
  }

  async #look(): Promise<number | undefined> {
    const { journal, node, clock } = this.#ports;
    while (!this.#stopped) {
      const bulk = await journal.bulks.claim(node, leaseMs);
      if (!bulk) break;
      await this.#follow(bulk);
    }
    return journal.nodes.alone ? undefined : clock.now() + pollMs;
  }

  async #follow(bulk: Bulk): Promise<void> {
    const { journal, clock, node } = this.#ports;
    let present = bulk;
    while (!this.#stopped && present.state === "under way") {
      const { filter, at, after } = present;
      const started = { ...filter.started, to: Math.min(at, filter.started?.to ?? at) };
      const query = { limit: page, ascending: true, ...(after !== null && { after }) };
      const { runs, next } = await journal.search({ ...filter, started }, query);
      const refused = await this.#steer(
        runs.map(({ run }) => run),
        present,
      );
      const counts = { found: present.found + runs.length, taken: present.taken + runs.length - refused.length };
      const refusals = [...(present.refusals ?? []), ...refused].slice(-mostRefusals);
      present = { ...present, ...counts, ...(refusals.length > 0 && { refusals }), after: next ?? null };
      if (next === undefined) present = { ...present, state: "done", endedAt: clock.now() };
      if (!(await journal.bulks.advance(present, node, leaseMs))) return; // another node goes on with it
    }
  }

  /** Those that did not follow. One that cannot be read must not keep the order from all others. */
  async #steer(runs: readonly string[], bulk: Bulk): Promise<readonly Refusal[]> {
    const refused: Refusal[] = [];
    for (let from = 0; from < runs.length; from += atOnce) {
      const some = runs.slice(from, from + atOnce).map((run) => this.#steerOne(run, bulk));
      refused.push(...(await Promise.all(some)).filter((one) => one !== undefined));
    }
    return refused;
  }

  async #steerOne(run: string, { id, at, order }: Bulk): Promise<Refusal | undefined> {
    const { steer, clock } = this.#ports;
    for (let tried = 1; ; tried++) {
      try {
        const steered = await steer(run, { ...order, bulk: { id, at } });
        return steered.ok ? undefined : { run, why: steered.sentence };
      } catch (error) {
        if (error instanceof Unreadable || tried === triesOfOne)
          return { run, why: error instanceof Error ? error.message : String(error) };
        await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
      }
    }
  }
}
