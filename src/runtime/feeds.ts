import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import { type Feed, type FeedState, runFeed } from "../aggregation/host.ts";
import type { Clock, Dispatch, Trace, Tracing } from "../contracts/index.ts";
import { type Collection, type Engine, toIds } from "../storage/host.ts";

const log = "views";
const collection: Collection = { name: "feeds", columns: [], indexes: [] };
const shortestPauseMs = 100;
const longestPauseMs = 30_000;
/** Calls that may be under way at the same time. */
const atOnce = 16;

export interface FeedPorts {
  readonly engine: Engine;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly tracing: Tracing;
  readonly log: Logger;
}

/** Aggregation's feed state on storage's engine: one document a feed. */
async function openFeedState(engine: Engine, clock: Clock): Promise<FeedState> {
  await engine.define(collection);
  const newId = toIds(clock);
  return {
    async load(feed) {
      const [document] = await engine.find(collection.name, { key: feed, limit: 1 });
      return (document?.data as { readonly state: string } | undefined)?.state; // only this file writes the collection
    },
    async save(feed, state) {
      const documents = [{ collection: collection.name, put: feed, data: { state } }];
      const [outcome] = await engine.append(log, [{ id: newId(), expect: [], events: [], documents }]);
      if (!outcome?.ok) throw new Error(`The state of the feed "${feed}" was not kept.`);
    },
  };
}

/** Runs feeds until they are stopped. One that fails goes on from what was kept, after a pause that grows. */
export async function startFeeds(feeds: readonly Feed[], ports: FeedPorts): Promise<{ stop(): Promise<void> }> {
  const state = await openFeedState(ports.engine, ports.clock);
  const stopping = new AbortController();
  const running = feeds.map((feed) => keepRunning(feed, state, ports, stopping.signal));
  return {
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

async function keepRunning(feed: Feed, state: FeedState, ports: FeedPorts, aborted: AbortSignal): Promise<void> {
  let pauseMs = shortestPauseMs;
  while (!aborted.aborted) {
    try {
      const { name, inputs, keepEvery, ahead } = feed;
      const options = { ...(keepEvery !== undefined && { keepEvery }), ...(ahead !== undefined && { ahead }) };
      const parts = { name, inputs, stage: feed.stage(), clock: ports.clock, state, aborted, ...options };
      for await (const { records } of runFeed<unknown, unknown>(parts)) {
        if (records.length > 0) await handOverAll(feed, records, ports, aborted);
        if (aborted.aborted) return; // what was not handed over is given out again
        pauseMs = shortestPauseMs;
      }
      return; // every input has come to its end
    } catch (error) {
      ports.log.warn({ err: error }, `The feed "${feed.name}" broke off; it goes on from what was kept.`);
      await pause(pauseMs, undefined, { signal: aborted }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  }
}

/** What was given out together is one trace: one for each record would soon be all that anybody is shown. */
async function handOverAll(
  feed: Feed,
  records: readonly unknown[],
  ports: FeedPorts,
  aborted: AbortSignal,
): Promise<void> {
  const about = { "trilith.feed": feed.name, "trilith.records": records.length };
  await ports.tracing.begin().span("operation", `feed ${feed.name}`, about, async (span) => {
    for (let from = 0; from < records.length && !aborted.aborted; from += atOnce)
      await Promise.all(
        records.slice(from, from + atOnce).map((record) => handOver(feed, record, ports.dispatch, span, aborted)),
      );
  });
}

async function handOver(
  feed: Feed,
  record: unknown,
  dispatch: Dispatch,
  trace: Trace,
  aborted: AbortSignal,
): Promise<void> {
  await dispatch.call(feed.into.id, feed.input(record), {
    principal: { id: `feed:${feed.name}`, kind: "system", scopes: [] },
    trace,
    aborted,
    key: feed.key(record),
  });
}
