import { describe, expect, it } from "vitest";
import type { RowName } from "../bench/frame/goals.ts";
import type { Scope, Suite, Work } from "../bench/frame/suite.ts";
import { goals } from "../bench/goals.ts";
import { colours } from "../bench/report/colours.ts";
import { growths } from "../bench/report/growth.ts";
import { suites } from "../bench/suites.ts";

/** What has to be measured, whatever the suites say. */
const promised: { readonly [suite: string]: { readonly [work: string]: readonly string[] } } = {
  storage: {
    "append-1": ["trilith-sqlite", "limit-sqlite", "trilith-postgres", "limit-postgres", "emmett"],
    "append-100": ["trilith-sqlite", "limit-sqlite", "trilith-postgres", "limit-postgres", "emmett"],
    rebuild: ["trilith-sqlite", "trilith-postgres"],
    "entity-command": ["trilith-sqlite", "trilith-postgres", "emmett"],
  },
  orchestration: {
    "five-steps": ["trilith-sqlite", "trilith-postgres", "dbos", "restate", "limit-sqlite", "limit-postgres"],
    "five-steps-processes": ["trilith-postgres", "trilith-postgres-two"],
    "five-steps-slow-flush": ["trilith-postgres", "trilith-postgres-two"],
    replay: ["trilith-sqlite"],
    "sleeping-runs": ["trilith-sqlite"],
  },
  aggregation: {
    "fuse-4": ["trilith-sqlite", "hand-written", "hive-gateway"],
    "fuse-4-cached": ["trilith-sqlite", "hand-written"],
    "page-50": ["trilith-sqlite", "hand-written", "hive-gateway"],
    "slow-upstream": ["trilith-sqlite"],
    "dead-upstream": ["trilith-sqlite"],
    feed: ["trilith-sqlite"],
  },
  gateway: {
    "operation-call": ["trilith-sqlite", "hand-written"],
    "operation-http": ["trilith-sqlite", "fastify"],
  },
};
const all = Object.entries(suites);

describe("the suites", () => {
  it.each(all)("%s measures what it has to, briefly or at length", (name, suite) => {
    for (const scope of ["quick", "full"] as const) {
      for (const [work, systems] of Object.entries(promised[name] ?? {})) {
        const measured = suite.works(scope).filter((one) => one.work === work);
        expect(measured.flatMap((one) => one.systems)).toEqual(expect.arrayContaining([...systems]));
      }
    }
  });
  it.each(all)("%s knows every system that its works name, and each has a colour of its own", (_, suite) => {
    const named = (["quick", "full", "scale"] as const)
      .flatMap((scope) => suite.works(scope))
      .flatMap((one) => one.systems);
    expect([...new Set(named)].filter((system) => !suite.systems[system])).toEqual([]);
    expect(Object.keys(suite.systems).filter((system) => !colours[system])).toEqual([]);
    expect(new Set(Object.values(colours)).size).toBe(Object.keys(colours).length);
  });
  it.each(all)("%s has a reason wherever the limit or a peer may be ahead", (_, suite) => {
    for (const { work, systems } of suite.works("full")) {
      for (const system of systems.filter((system) => suite.systems[system]?.role === "trilith")) {
        const limited = suite.systems[system]?.limit?.some((limit) => systems.includes(limit));
        if (limited) expect.soft(suite.reasons[work]?.limit, `${work}, limit`).toMatch(/\.$/);
      }
      const peers = systems.some((system) => suite.systems[system]?.role === "peer");
      if (peers) expect.soft(suite.reasons[work]?.peer, `${work}, peer`).toMatch(/\.$/);
    }
  });
});

describe("the goals", () => {
  it.each(Object.entries(goals))("of %s are about rows that a run has", (name, some) => {
    const suite = suites[name] as Suite; // as bench/goals.ts names them
    const usual = [...rowsOf(suite, "quick"), ...rowsOf(suite, "full")];
    const grown = rowsOf(suite, "scale");
    for (const { row, times = [], scale } of some)
      for (const one of [row, ...times]) expect.soft(scale ? grown : usual).toContainEqual(one);
  });
  it.each(Object.entries(goals))("of %s each have a paragraph, and words for how far they go", (_, some) => {
    for (const { why, reach } of some) {
      expect(why).toMatch(/^[A-Z`].{30,}\.$/);
      if (reach) expect(reach.value).toBeGreaterThanOrEqual(0);
    }
  });
});

describe("the pictures of growth", () => {
  const drawn = Object.entries(growths).flatMap(([name, some]) => some.map((growth) => ({ suite: name, growth })));
  it.each(drawn)("$suite, $growth.name: draws rows of --scale, from small to large", ({ suite, growth }) => {
    const xs = rowsOf(suites[suite] as Suite, "scale").flatMap((row) => growth.point(toFinding(row))?.x ?? []); // as growths names them
    expect(new Set(xs).size).toBeGreaterThan(2);
    expect(Math.max(...xs)).toBeGreaterThanOrEqual(10 * Math.min(...xs));
  });
  it.each(all)("of %s leave out only what is no curve", (name, suite) => {
    const left = rowsOf(suite, "scale").filter((row) => !growths[name]?.some(({ point }) => point(toFinding(row))));
    const works = new Set(left.map(({ work }) => work));
    const known = ["loop-delay", "replay", "sleeping-start", "sleeping-restart", "sleeping-wake", "operation-call"];
    expect([...works].filter((work) => !known.includes(work))).toEqual([]);
  });
  it("reach as far as they have to", () => {
    const points = (suite: string, picture: string): readonly number[] => {
      const growth = growths[suite]?.find(({ name }) => name === picture);
      return rowsOf(suites[suite] as Suite, "scale").flatMap((row) => growth?.point(toFinding(row))?.x ?? []); // as above
    };
    expect(points("storage", "append-by-log")).toEqual(expect.arrayContaining([1e4, 1e7]));
    expect(points("storage", "append-1-by-clients")).toEqual(expect.arrayContaining([1, 512]));
    expect(points("storage", "append-by-size")).toEqual(expect.arrayContaining([1e3, 1e6]));
    expect(points("orchestration", "steps")).toEqual(expect.arrayContaining([1, 1_000]));
    expect(points("orchestration", "five-steps-by-clients")).toEqual(expect.arrayContaining([1, 512]));
    expect(points("aggregation", "page-by-items")).toEqual(expect.arrayContaining([1, 50]));
  });
});

/** The rows that a run gives, those among them that a work's rounds name themselves. */
function rowsOf(suite: Suite, scope: Scope): readonly RowName[] {
  return suite
    .works(scope)
    .flatMap((work) =>
      work.clients.flatMap((clients) =>
        work.systems.flatMap((system) => namesOf(work, clients).map((name) => ({ work: name, system, clients }))),
      ),
    );
}

function namesOf({ work, as = work, size = 0 }: Work, clients: number): readonly string[] {
  const events = size >= 1e6 ? `${size / 1e6}m` : `${size / 1e3}k`;
  if (as === "reopen") return [`reopen-${events}`, `append-1-at-${events}`];
  if (as === "sleeping-runs") return ["sleeping-start", "sleeping-restart", "sleeping-wake"];
  if (as === "dead-upstream") return [work, "recovery"];
  return as === "append-1" && clients > 1 ? [work, "loop-delay"] : [work];
}

const toFinding = ({ work, system, clients }: RowName) => ({
  row: {
    ...{ suite: "", work, system, version: "", clients, opsPerSecond: 1, p50Ms: 1, p90Ms: 1, p99Ms: 1, errors: 0 },
    ...{ cpuSeconds: 1, peakMemoryMb: 1, ratioToLimit: null, ratioToBestPeer: null },
  },
  ...{ what: "", spread: 0, rounds: 1, notes: {} },
});
