import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { SourceHealth, Views } from "../aggregation/host.ts";
import { json, prefer, source, view } from "../aggregation/index.ts";
import { contract, query } from "../contracts/index.ts";
import { backend, type Running } from "./index.ts";
import { toSourceMetrics } from "./source-metrics.ts";

const Said = z.object({ said: z.number() });
const Value = z.number().optional();
const Cities = contract("cities", "1.0.0", {
  page: query({
    input: z.object({ city: z.string() }),
    output: z.object({
      kept: Value,
      other: Value,
      nothing: Value,
      broken: Value,
      failing: Value,
      hanging: Value,
      doubled: Value,
      hedged: Value,
      dead: Value,
    }),
    http: "GET /cities/{city}",
    access: "public",
  }),
});
const own = { attempts: 1, breaker: false } as const;
const at = (name: string) => json(`http://127.0.0.1:1/${name}/{city}`, Said);
const kept = source("kept", { get: at("kept"), shape: ({ said }) => ({ kept: said }), cacheFor: "10m", ...own });
const other = source("other", { get: at("other"), shape: ({ said }) => ({ kept: said, other: said }), ...own });
const nothing = source("nothing", { get: at("nothing"), shape: ({ said }) => ({ nothing: said }), ...own });
const broken = source("broken", { get: at("broken"), shape: ({ said }) => ({ broken: said }), ...own });
const failing = source("failing", { get: at("failing"), shape: ({ said }) => ({ failing: said }), ...own });
const hanging = source("hanging", {
  get: at("hanging"),
  shape: ({ said }) => ({ hanging: said }),
  timeout: "1s",
  ...own,
});
const doubled = source("doubled", {
  batch: json("http://127.0.0.1:1/doubled?city={city}", z.array(Said.extend({ city: z.string() }))),
  match: "city",
  shape: ({ said }) => ({ doubled: said }),
  ...own,
});
const hedged = source("hedged", { get: at("hedged"), shape: ({ said }) => ({ hedged: said }), hedge: "400ms", ...own });
const dead = source("dead", {
  get: at("dead"),
  shape: ({ said }) => ({ dead: said }),
  attempts: 1,
  breaker: { least: 2, pause: "10m" },
});
const page = view(Cities.page, {
  budget: "10s",
  fields: {
    kept: prefer(kept, other),
    other: prefer(other),
    nothing: prefer(nothing),
    broken: prefer(broken),
    failing: prefer(failing),
    hanging: prefer(hanging),
    doubled: prefer(doubled),
    hedged: prefer(hedged),
    dead: prefer(dead),
  },
});

describe("of a running backend over real sockets", () => {
  const cities = ["oslo", "oslo", "bergen", "oslo"];
  let upstream: Server;
  let folder: string;
  let running: Running;
  let lines: readonly string[];
  /** While the last question hangs. */
  let meanwhile: readonly string[];
  const scrape = async (): Promise<readonly string[]> =>
    (await (await fetch(`${running.url}/metrics`)).text()).split("\n");

  beforeAll(async () => {
    let hedges = 0;
    let hangs: (() => void) | undefined;
    upstream = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://upstream.test");
      const say = (status: number, body: unknown): void =>
        void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      const [, name] = pathname.split("/");
      if (name === "kept") return say(200, { said: 1 });
      if (name === "other") return say(200, { said: pathname.endsWith("bergen") ? 1 : 2 });
      if (name === "nothing") return say(404, {});
      if (name === "broken") return say(200, { said: "two" });
      if (name === "hanging") return hangs?.();
      // Every first question hangs until it is given up; the second one is answered.
      if (name === "hedged") return hedges++ % 2 === 0 ? undefined : say(200, { said: 3 });
      const city = searchParams.get("city");
      if (name === "doubled")
        return say(
          200,
          [1, 2, 3].map((said) => ({ city, said })),
        );
      return say(503, {});
    });
    await new Promise<void>((ready) => upstream.listen(0, "127.0.0.1", ready));
    const origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    folder = await mkdtemp(join(tmpdir(), "source-metrics-"));
    const places = ["KEPT", "OTHER", "NOTHING", "BROKEN", "FAILING", "HANGING", "DOUBLED", "HEDGED"].map(
      (name) => [`TRILITH_SOURCE_${name}_URL`, origin] as const, // the dead one stays at a port that nobody listens on
    );
    running = await backend("cities", { aggregation: [page] }).start({
      environment: { ...Object.fromEntries(places), PORT: "0", TRILITH_DATA: folder, TRILITH_LOG: "silent" },
    });
    for (const [turn, city] of cities.entries()) {
      const isHanging = new Promise<void>((resolve) => {
        hangs = resolve;
      });
      const answer = fetch(`${running.url}/cities/${city}`);
      if (turn === cities.length - 1) {
        await isHanging;
        meanwhile = await scrape();
      }
      expect((await answer).status).toBe(200);
    }
    lines = await scrape();
  }, 120_000);
  afterAll(async () => {
    await running?.stop();
    upstream?.closeAllConnections();
    upstream?.close();
    await rm(folder, { recursive: true });
  });

  const about = (name: string) =>
    lines.filter((line) => line.includes(`source="${name}"`) && !line.startsWith("trilith_source_seconds"));
  const zeros = (name: string, ...but: readonly string[]) =>
    ["requests", "hedges", "saved", "duplicates", "incomplete", "breaker_opened"]
      .filter((metric) => !but.includes(metric))
      .map((metric) => `trilith_source_${metric}_total{source="${name}"} 0`);
  const gauges = (name: string, breaker = 0) => [
    `trilith_source_breaker_state{source="${name}"} ${breaker}`,
    `trilith_source_under_way{source="${name}"} 0`,
    `trilith_source_queued{source="${name}"} 0`,
  ];
  const answers = (name: string, counts: { readonly [state: string]: number }) =>
    ["fresh", "stale", "missing", "invalid", "down", "slow", "shed"].map(
      (state) => `trilith_source_answers_total{source="${name}",state="${state}"} ${counts[state] ?? 0}`,
    );
  const looks = (name: string, hit: number, miss: number) => [
    `trilith_source_cache_total{source="${name}",result="hit"} ${hit}`,
    `trilith_source_cache_total{source="${name}",result="miss"} ${miss}`,
  ];
  const errors = (name: string, counts: { readonly [kind: string]: number }) =>
    Object.entries(counts).map(
      ([kind, count]) => `trilith_source_errors_total{source="${name}",kind="${kind}"} ${count}`,
    );
  const counted = (name: string, counts: { readonly [metric: string]: number }) => [
    ...Object.entries(counts).map(([metric, count]) => `trilith_source_${metric}_total{source="${name}"} ${count}`),
    ...zeros(name, ...Object.keys(counts)),
  ];

  const expected: { readonly [name: string]: readonly string[] } = {
    kept: [
      ...[...answers("kept", { fresh: 4 }), ...looks("kept", 2, 2)],
      ...[...counted("kept", { requests: 2, saved: 2 }), ...gauges("kept")],
    ],
    other: [
      ...[...answers("other", { fresh: 4 }), ...looks("other", 0, 0)],
      ...[...counted("other", { requests: 4 }), ...gauges("other")],
    ],
    nothing: [
      ...[...answers("nothing", { missing: 4 }), ...errors("nothing", { nothing: 4 }), ...looks("nothing", 0, 0)],
      ...[...counted("nothing", { requests: 4 }), ...gauges("nothing")],
    ],
    broken: [
      ...[...answers("broken", { invalid: 4 }), ...errors("broken", { broken: 4 }), ...looks("broken", 0, 0)],
      ...[...counted("broken", { requests: 4 }), ...gauges("broken")],
    ],
    failing: [
      ...[...answers("failing", { down: 4 }), ...errors("failing", { failing: 4 }), ...looks("failing", 0, 0)],
      ...[...counted("failing", { requests: 4 }), ...gauges("failing")],
    ],
    hanging: [
      ...[...answers("hanging", { slow: 4 }), ...errors("hanging", { timeout: 4 }), ...looks("hanging", 0, 0)],
      ...[...counted("hanging", { requests: 4 }), ...gauges("hanging")],
    ],
    doubled: [
      ...[...answers("doubled", { fresh: 4 }), ...looks("doubled", 0, 0)],
      ...[...counted("doubled", { requests: 4, duplicates: 8 }), ...gauges("doubled")],
    ],
    hedged: [
      ...[...answers("hedged", { fresh: 4 }), ...looks("hedged", 0, 0)],
      ...[...counted("hedged", { requests: 8, hedges: 4 }), ...gauges("hedged")],
    ],
    dead: [
      ...[...answers("dead", { down: 4 }), ...errors("dead", { unreachable: 2, breaker: 2 }), ...looks("dead", 0, 0)],
      ...[...counted("dead", { requests: 2, breaker_opened: 1 }), ...gauges("dead", 2)],
    ],
  };

  test.each(Object.keys(expected))("/metrics says of the source %s what happened to it, and nothing else", (name) => {
    expect([...about(name)].sort()).toEqual([...(expected[name] ?? [])].sort());
  });

  test("/metrics measures each request that got an answer", () => {
    const measured = (name: string) => {
      const value = (suffix: string) =>
        Number(lines.find((line) => line.startsWith(`trilith_source_seconds${suffix}`))?.split(" ")[1]);
      const quantiles = ["0.5", "0.95", "0.99"].map((share) => value(`{source="${name}",quantile="${share}"}`));
      return { quantiles, count: value(`_count{source="${name}"}`), sum: value(`_sum{source="${name}"}`) };
    };
    expect(measured("kept").count).toBe(2);
    expect(measured("dead").count).toBe(0);
    const { count, sum, quantiles } = measured("hedged");
    // What a second question outran counts with the time that it had taken, but where a timer came a moment too early.
    expect(count).toBeGreaterThan(4);
    expect(count).toBeLessThanOrEqual(8);
    expect(quantiles).toEqual([...quantiles].sort((a, b) => a - b));
    expect(quantiles.every((seconds) => seconds > 0 && seconds < 10)).toBe(true);
    expect(sum).toBeGreaterThanOrEqual((quantiles[2] ?? 0) - 0.001);
    expect(sum).toBeLessThanOrEqual(count * (quantiles[2] ?? 0) + 0.001);
  });

  test("/metrics counts the answers of a view, and in which fields its sources disagreed", () => {
    expect(lines.filter((line) => line.startsWith("trilith_view_"))).toEqual([
      'trilith_view_answers_total{view="cities.page"} 4',
      'trilith_view_conflicts_total{view="cities.page",field="kept"} 3',
    ]);
    expect(lines).toContain("trilith_last_good_lost_total 0");
    expect(lines).toContain('trilith_requests_total{method="GET",route="/cities/{city}",status="200"} 4');
  });

  test("/metrics shows what is under way", () => {
    expect(meanwhile).toContain('trilith_source_under_way{source="hanging"} 1');
    expect(meanwhile).toContain('trilith_source_under_way{source="kept"} 0');
  });

  test("/console/sources says the same, with whom each view asks", async () => {
    const shown = await (await fetch(`${running.url}/console/sources`)).json();
    expect(shown).toMatchObject({
      node: expect.any(String),
      views: [{ view: "cities.page", sources: Object.keys(expected), answers: 4, conflicts: { kept: 3 } }],
      feeds: [],
    });
    const [first] = shown.sources.filter((one: SourceHealth) => one.source === "dead");
    expect(first).toMatchObject({ breaker: { state: "open", opened: 1 }, errors: { unreachable: 2, breaker: 2 } });
    const sampled = shown.sources.filter((one: SourceHealth) => one.samples.length > 0);
    expect(sampled.map((one: SourceHealth) => [one.source, one.samples.length])).toEqual([["broken", 4]]);
  });
});

test("each number stands under its own name", () => {
  const health: SourceHealth = {
    source: "all",
    answers: { fresh: 2, stale: 3, missing: 5, invalid: 7, down: 11, slow: 13, shed: 17 },
    perSecond: 19,
    requests: 23,
    hedges: 29,
    saved: 31,
    errors: { timeout: 37, queue: 41 },
    cache: { hits: 43, misses: 47 },
    duplicates: 53,
    incomplete: 59,
    breaker: { state: "half-open", opened: 61 },
    underWay: 67,
    queued: 71,
    p50Ms: 73,
    p95Ms: 79,
    p99Ms: 83,
    measured: { count: 89, totalMs: 97_000 },
    samples: [],
  };
  const views: Pick<Views, "sources" | "views" | "lost"> = {
    sources: () => [health],
    views: () => [
      { view: "v", sources: ["all"], answers: 101, conflicts: { name: 103 }, unusable: { phone: 107 }, review: 109 },
    ],
    lost: () => 113,
  };
  const told = toSourceMetrics(views).flatMap(({ name, type, samples }) =>
    samples.map((sample) => {
      const { source: _source, view: _view, ...labels } = { ...("labels" in sample ? sample.labels : {}) };
      const suffix = "suffix" in sample ? sample.suffix : "";
      return `${type} ${name}${suffix} ${Object.values(labels).join(" ")} ${sample.value}`.replaceAll(/ +/g, " ");
    }),
  );
  expect(told).toEqual([
    ...["fresh 2", "stale 3", "missing 5", "invalid 7", "down 11", "slow 13", "shed 17"].map(
      (one) => `counter trilith_source_answers_total ${one}`,
    ),
    "counter trilith_source_errors_total timeout 37",
    "counter trilith_source_errors_total queue 41",
    "counter trilith_source_cache_total hit 43",
    "counter trilith_source_cache_total miss 47",
    "counter trilith_source_requests_total 23",
    "counter trilith_source_hedges_total 29",
    "counter trilith_source_saved_total 31",
    "counter trilith_source_duplicates_total 53",
    "counter trilith_source_incomplete_total 59",
    "counter trilith_source_breaker_opened_total 61",
    "gauge trilith_source_breaker_state 1",
    "gauge trilith_source_under_way 67",
    "gauge trilith_source_queued 71",
    "summary trilith_source_seconds 0.5 0.073",
    "summary trilith_source_seconds 0.95 0.079",
    "summary trilith_source_seconds 0.99 0.083",
    "summary trilith_source_seconds_sum 97",
    "summary trilith_source_seconds_count 89",
    "counter trilith_last_good_lost_total 113",
    "counter trilith_view_answers_total 101",
    "counter trilith_view_conflicts_total name 103",
    "counter trilith_view_unusable_total phone 107",
    "gauge trilith_view_review 109",
  ]);
});
