import { pause } from "../reading/flight.ts";
import type { Feed } from "./feed.ts";
import type { FeedHealth } from "./feed-health.ts";
import type { FeedHold, FeedKeeping } from "./feed-keeping.ts";
import { FeedTurn, type FeedTurnPorts } from "./feed-turn.ts";

export interface FeedRunnerPorts extends FeedTurnPorts {
  readonly keeping: FeedKeeping;
}

/** How often a node looks whether a feed has become free, at most. */
const longestLookMs = 1_000;

/** Runs feeds, each on one node at a time, until they are stopped. */
export class FeedRunner {
  readonly #turns: readonly FeedTurn[];
  readonly #ports: FeedRunnerPorts;
  readonly #stopping = new AbortController();
  #running: readonly Promise<void>[] = [];
  constructor(feeds: readonly Feed[], ports: FeedRunnerPorts) {
    this.#ports = ports;
    this.#turns = feeds.map((feed) => new FeedTurn(feed, ports));
  }

  start(): void {
    this.#running = this.#turns.map((turn) => this.#keepRunning(turn));
  }

  /** What was read is kept; a call that is under way is given up, and made again by whoever has the feed next. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  health(): readonly FeedHealth[] {
    return this.#turns.map((turn) => turn.health());
  }

  async #keepRunning(turn: FeedTurn): Promise<void> {
    const { keeping, clock, warn } = this.#ports;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const hold = await keeping.take(turn.feed.name);
        turn.heldBy(hold ? keeping.node : await keeping.holder(turn.feed.name));
        if (hold) {
          if (await this.#runHeld(turn, hold)) return;
          turn.heldBy(undefined);
        }
      } catch (error) {
        warn(`The feed "${turn.feed.name}" could not be taken; it is tried again.`, error);
      }
      await pause(Math.min(keeping.renewEveryMs, longestLookMs), clock, signal);
    }
  }

  /** Until every input is over: true. Or until it is stopped, or somebody else has it: false. */
  async #runHeld(turn: FeedTurn, hold: FeedHold): Promise<boolean> {
    const ended = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, ended.signal]);
    const renewing = this.#renew(hold, ended, signal);
    try {
      return await turn.run(hold, signal);
    } finally {
      ended.abort();
      await renewing;
      await hold.release().catch((error: unknown) => {
        this.#ports.warn(`The feed "${turn.feed.name}" was not let go of; its lease has to run out.`, error);
      });
    }
  }

  async #renew(hold: FeedHold, ended: AbortController, aborted: AbortSignal): Promise<void> {
    const { keeping, clock } = this.#ports;
    if (keeping.renewEveryMs === Number.POSITIVE_INFINITY) return;
    while (!aborted.aborted) {
      await pause(keeping.renewEveryMs, clock, aborted);
      if (aborted.aborted) return;
      // Who cannot ask goes on: what is another's by now cannot be written anyway.
      if (!(await hold.renew().catch(() => true))) ended.abort();
    }
  }
}
