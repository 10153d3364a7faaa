import { type Clock, type Dispatch, Failed, Fault, type Trace, type Tracing } from "../../contracts/index.ts";
import { pause } from "../reading/flight.ts";
import { type Due, toDue, toDueStage } from "./due.ts";
import type { Feed } from "./feed.ts";
import type { FeedHealth } from "./feed-health.ts";
import type { FeedHold } from "./feed-keeping.ts";
import { type FeedStanding, KeptFeed } from "./kept-feed.ts";

export interface FeedTurnPorts {
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly tracing: Tracing;
  readonly warn: (sentence: string, error: unknown) => void;
}

const shortestPauseMs = 100;
const longestPauseMs = 30_000;
/** Calls that may be under way at the same time. */
const atOnce = 16;

/** One feed while this node has it: what it gives out is handed over, and what fails is tried again. */
export class FeedTurn {
  readonly feed: Feed;
  readonly #ports: FeedTurnPorts;
  #state: FeedHealth["state"] = "elsewhere";
  #node: string | undefined;
  #kept: { readonly standing: FeedStanding | undefined } | undefined;
  #stage: { readonly late: number } | undefined;
  #allowedLatenessMs: number | undefined;
  #handedOver = 0;
  #owed = 0;
  #stuck: FeedHealth["stuck"];
  #pauseMs = shortestPauseMs;
  /** The first key of the slice that could not be handed over; undefined where something else failed. */
  #failing: string | undefined;
  constructor(feed: Feed, ports: FeedTurnPorts) {
    this.feed = feed;
    this.#ports = ports;
  }

  health(): FeedHealth {
    const standing = this.#kept?.standing;
    return {
      feed: this.feed.name,
      state: this.#state,
      ...(this.#node !== undefined && { node: this.#node }),
      watermark: toInstant(standing?.watermark),
      inputs: (standing?.inputs ?? []).map((one) => ({ ...one, watermark: toInstant(one.watermark) })),
      ...(this.#allowedLatenessMs !== undefined && { allowedLatenessMs: this.#allowedLatenessMs }),
      late: this.#stage?.late ?? 0,
      handedOver: this.#handedOver,
      owed: this.#owed,
      ...(this.#stuck && { stuck: this.#stuck }),
    };
  }

  /** Who has it, as was last heard: this node as well. */
  heldBy(node: string | undefined): void {
    this.#node = node;
  }

  /** Until every input is over: true. Or until it is stopped, or somebody else has it: false. */
  async run(hold: FeedHold, aborted: AbortSignal): Promise<boolean> {
    const { clock, warn } = this.#ports;
    this.#makeHeadway();
    while (!aborted.aborted) {
      try {
        await this.#attempt(hold, aborted);
        if (aborted.aborted) break;
        this.#state = "over";
        return true;
      } catch (error) {
        if (aborted.aborted || !(await hold.renew().catch(() => true))) break;
        const { since = clock.now(), attempts = 0 } = this.#stuck ?? {};
        this.#stuck = { since, attempts: attempts + 1, ...toReason(error) };
        this.#state = "stuck";
        warn(`The feed "${this.feed.name}" broke off; it goes on from what was kept.`, error);
        await pause(this.#pauseMs, clock, aborted);
        this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
      }
    }
    this.#state = "elsewhere";
    this.#kept = undefined;
    return false;
  }

  async #attempt(hold: FeedHold, aborted: AbortSignal): Promise<void> {
    const { name, inputs, keepEvery, keepWithin, ahead } = this.feed;
    const stage = toDueStage(this.feed);
    const options = {
      ...(keepEvery !== undefined && { keepEvery }),
      ...(keepWithin !== undefined && { keepWithin }),
      ...(ahead !== undefined && { ahead }),
    };
    const parts = { name, inputs, stage, clock: this.#ports.clock, aborted, ...options };
    const kept = new KeptFeed<unknown, Due, unknown>(parts, hold.state);
    this.#kept = kept;
    this.#stage = stage;
    this.#allowedLatenessMs = stage.allowedLatenessMs;
    for await (const { records, again } of kept.slices()) {
      const failed = this.#failing;
      this.#failing = records[0]?.key;
      this.#owed = records.length;
      if (records.length > 0) await this.#handOverAll(records, aborted);
      if (aborted.aborted) return; // what was not handed over is given out again
      // What is given out again before the one that failed was taken the last time as well: that is no headway.
      if (!again || this.#failing === failed) {
        this.#failing = undefined;
        this.#makeHeadway();
      } else this.#failing = failed;
    }
  }

  #makeHeadway(): void {
    this.#state = "running";
    this.#stuck = undefined;
    this.#pauseMs = shortestPauseMs;
  }

  /** What was given out together is one trace: one for each record would soon be all that anybody is shown. */
  async #handOverAll(records: readonly Due[], aborted: AbortSignal): Promise<void> {
    const about = { "trilith.feed": this.feed.name, "trilith.records": records.length };
    await this.#ports.tracing.begin().span("operation", `feed ${this.feed.name}`, about, async (span) => {
      for (let from = 0; from < records.length && !aborted.aborted; from += atOnce)
        await allOf(records.slice(from, from + atOnce).map((due) => this.#handOver(due, span, aborted)));
    });
  }

  async #handOver(due: Due, trace: Trace, aborted: AbortSignal): Promise<void> {
    try {
      await this.#call(due, trace, aborted);
    } catch (error) {
      // What is refused for good had no effect, so code that was corrected since may say it in other words.
      const now = isForGood(error) ? toDue(this.feed, due) : due;
      if (now.key === due.key && JSON.stringify(now.input) === JSON.stringify(due.input)) throw error;
      await this.#call(now, trace, aborted);
    }
    this.#handedOver += 1;
    this.#owed -= 1;
  }

  async #call({ late, key, input }: Due, trace: Trace, aborted: AbortSignal): Promise<void> {
    const { feed } = this;
    const { id } = late && feed.late ? feed.late.into : feed.into;
    const principal = { id: `feed:${feed.name}`, kind: "system", scopes: [] } as const;
    // A run that is begun goes on by itself, for days where it has to: that is no reason to hold the feed up.
    await this.#ports.dispatch.call(id, input, { principal, trace, aborted, key, detached: true });
  }
}

/** Waits for all of them, and throws what one of them failed with. */
async function allOf(calls: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(calls)) if (outcome.status === "rejected") throw outcome.reason;
}

const isForGood = (error: unknown): boolean =>
  (error instanceof Failed && error.retry === "never") ||
  (error instanceof Fault && error.retry === "never" && error.outcome === "not done");

function toReason(error: unknown): { readonly code: string; readonly reason: string } {
  const code = error instanceof Failed || error instanceof Fault ? error.code : "internal";
  return { code, reason: error instanceof Error ? error.message : String(error) };
}

const toInstant = (watermark = Number.NaN): number | null => (Number.isFinite(watermark) ? watermark : null);
