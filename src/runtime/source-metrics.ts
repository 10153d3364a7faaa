import type { SourceHealth, Views } from "../aggregation/host.ts";
import type { Metric } from "../gateway/index.ts";

/** How sources and views do, as what a scraper collects. Names and labels are stable; what has never happened has no line. */
export function toSourceMetrics(provided: Pick<Views, "sources" | "views" | "lost">): readonly Metric[] {
  const sources = provided.sources();
  const views = provided.views();
  const each = (name: string, help: string, type: Metric["type"], read: (source: SourceHealth) => number): Metric => ({
    name: `trilith_source_${name}`,
    help,
    type,
    samples: sources.map((health) => ({ labels: { source: health.source }, value: read(health) })),
  });
  const by = (
    name: string,
    help: string,
    label: string,
    countsOf: (source: SourceHealth) => { readonly [kind: string]: number | undefined },
  ): Metric => ({
    name: `trilith_source_${name}`,
    help,
    type: "counter",
    samples: sources.flatMap((health) =>
      Object.entries(countsOf(health)).flatMap(([kind, value]) =>
        value === undefined ? [] : [{ labels: { source: health.source, [label]: kind }, value }],
      ),
    ),
  });
  return [
    by("answers_total", "Answers to views, by state.", "state", ({ answers }) => answers),
    by("errors_total", "What went wrong, by kind.", "kind", ({ errors }) => errors),
    by("cache_total", "Looks into the cache.", "result", ({ cache }) => ({ hit: cache.hits, miss: cache.misses })),
    each("requests_total", "Requests that went out.", "counter", ({ requests }) => requests),
    each("hedges_total", "Second questions.", "counter", ({ hedges }) => hedges),
    each("saved_total", "Answers that cost no request.", "counter", ({ saved }) => saved),
    each("duplicates_total", "Records with a key of another.", "counter", ({ duplicates }) => duplicates),
    each("incomplete_total", "Lists of which not all was read.", "counter", ({ incomplete }) => incomplete),
    each("breaker_opened_total", "How often the breaker opened.", "counter", ({ breaker }) => breaker.opened),
    each("breaker_state", "0 closed, 1 half-open, 2 open.", "gauge", ({ breaker }) => breakerStates[breaker.state]),
    each("under_way", "Questions that are under way.", "gauge", ({ underWay }) => underWay),
    each("queued", "Questions that wait for a place.", "gauge", ({ queued }) => queued),
    latencies(sources),
    {
      name: "trilith_last_good_lost_total",
      help: "Last good answers that were not written.",
      type: "counter",
      samples: [{ value: provided.lost() }],
    },
    {
      name: "trilith_view_answers_total",
      help: "Answers of views.",
      type: "counter",
      samples: views.map(({ view, answers }) => ({ labels: { view }, value: answers })),
    },
    {
      name: "trilith_view_conflicts_total",
      help: "Answers in which sources disagreed, by field.",
      type: "counter",
      samples: views.flatMap(({ view, conflicts }) =>
        Object.entries(conflicts).map(([field, value]) => ({ labels: { view, field }, value })),
      ),
    },
    {
      name: "trilith_view_unusable_total",
      help: "Candidates that could not be normalised, by field.",
      type: "counter",
      samples: views.flatMap(({ view, unusable }) =>
        Object.entries(unusable).map(([field, value]) => ({ labels: { view, field }, value })),
      ),
    },
    {
      name: "trilith_view_review",
      help: "Pairs of records that a person should look at.",
      type: "gauge",
      samples: views.flatMap(({ view, review }) => (review > 0 ? [{ labels: { view }, value: review }] : [])),
    },
  ];
}

const breakerStates = { closed: 0, "half-open": 1, open: 2 } as const;

/** Percentiles over the last requests; sum and count over all of them. */
function latencies(sources: readonly SourceHealth[]): Metric {
  const samples = sources.flatMap(({ source, p50Ms, p95Ms, p99Ms, measured }) => {
    const quantiles = { "0.5": p50Ms, "0.95": p95Ms, "0.99": p99Ms };
    return [
      ...Object.entries(quantiles).flatMap(([quantile, ms]) =>
        ms === undefined ? [] : [{ labels: { source, quantile }, value: ms / 1_000 }],
      ),
      { suffix: "_sum" as const, labels: { source }, value: measured.totalMs / 1_000 },
      { suffix: "_count" as const, labels: { source }, value: measured.count },
    ];
  });
  return { name: "trilith_source_seconds", help: "How long upstreams took to answer.", type: "summary", samples };
}
