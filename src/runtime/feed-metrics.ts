import type { FeedHealth } from "../aggregation/host.ts";
import type { Metric } from "../gateway/index.ts";

/**
 * How feeds do, as what a scraper collects. Of a feed that another node runs there is the state, and nothing else.
 * `now` is in ms since 1970: what the lag of a watermark is measured from.
 */
export function toFeedMetrics(feeds: readonly FeedHealth[], now: number): readonly Metric[] {
  if (feeds.length === 0) return [];
  const own = feeds.filter(({ state }) => state !== "elsewhere");
  const each = (
    name: string,
    help: string,
    type: Metric["type"],
    read: (feed: FeedHealth) => number | null,
  ): Metric => ({
    name: `trilith_feed_${name}`,
    help,
    type,
    samples: own.flatMap((feed) => {
      const value = read(feed);
      return value === null ? [] : [{ labels: { feed: feed.feed }, value }];
    }),
  });
  return [
    {
      name: "trilith_feed_state",
      help: "1 for the state that a feed is in on this node.",
      type: "gauge",
      samples: feeds.flatMap(({ feed, state }) =>
        states.map((one) => ({ labels: { feed, state: one }, value: Number(one === state) })),
      ),
    },
    {
      name: "trilith_feed_records_total",
      help: "Records that were read since the feed began.",
      type: "counter",
      samples: own.flatMap(({ feed, inputs }) =>
        inputs.map(({ input, records }) => ({ labels: { feed, input }, value: records })),
      ),
    },
    each("late_total", "Records that came too late since the feed began.", "counter", ({ late }) => late),
    each("handed_over_total", "Calls that were answered.", "counter", ({ handedOver }) => handedOver),
    each("owed", "Calls that are written down and not answered yet.", "gauge", ({ owed }) => owed),
    each("watermark_seconds", "The watermark, in seconds since 1970.", "gauge", ({ watermark }) =>
      watermark === null ? null : watermark / 1_000,
    ),
    each("lag_seconds", "How far the watermark is behind the clock.", "gauge", ({ watermark }) =>
      watermark === null ? null : (now - watermark) / 1_000,
    ),
    {
      name: "trilith_feed_stuck_seconds",
      help: "For how long a feed has been stuck, and with what.",
      type: "gauge",
      samples: own.flatMap(({ feed, stuck }) =>
        stuck ? [{ labels: { feed, code: stuck.code }, value: (now - stuck.since) / 1_000 }] : [],
      ),
    },
  ];
}

const states: readonly FeedHealth["state"][] = ["running", "stuck", "elsewhere", "over"];
