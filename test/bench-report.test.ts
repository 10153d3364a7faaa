import { describe, expect, it } from "vitest";
import { type Goal, judge, rowOf } from "../bench/frame/goals.ts";
import type { Results } from "../bench/frame/results.ts";
import type { Finding, Row } from "../bench/frame/rows.ts";
import type { Suite } from "../bench/frame/suite.ts";
import { type Chapter, toPage } from "../bench/report/page.ts";

const suite: Pick<Suite, "systems" | "reasons"> = {
  systems: {
    "trilith-sqlite": { file: "", role: "trilith", limit: ["nothing", "bare"] },
    "trilith-postgres": { file: "", role: "trilith", limit: ["bare"] },
    bare: { file: "", role: "limit" },
    peer: { file: "", role: "peer" },
  },
  reasons: {
    w: { limit: "It does more.", peer: "It waits longer." },
    "w, 1 client": { limit: "It is one flush." },
    "all-up": { limit: "It has more to collect." },
  },
};
const finding = (row: Partial<Row>, more: Partial<Finding> = {}): Finding => ({
  row: {
    ...{ suite: "tiny", work: "w", system: "trilith-sqlite", version: "1.0.0", clients: 8, opsPerSecond: 1_234 },
    ...{ p50Ms: 1, p90Ms: 2, p99Ms: 3, errors: 0, cpuSeconds: 1, peakMemoryMb: 100 },
    ...{ ratioToLimit: null, ratioToBestPeer: null, ...row },
  },
  ...{ what: "one", spread: 0.1, rounds: 3, notes: {}, ...more },
});
const toResults = (findings: readonly Finding[], more: Partial<Results> = {}): Results => ({
  ...{ suite: "tiny", scope: "full", date: "2026-11-01T10:00:00.000Z", findings },
  machine: {
    ...{ processor: "Some", cores: 2, memoryGb: 8, system: "Linux", node: "24.0.0", folderInMemory: false },
    ...{ load: 0.2, commit: "abc" },
  },
  ...more,
});
const toChapter = (findings: readonly Finding[], more: Partial<Chapter> = {}): Chapter => ({
  ...{ suite, goals: [], results: toResults(findings), bars: "benchmarks/tiny.svg", ...more },
});
const page = (findings: readonly Finding[], more?: Partial<Chapter>): string => toPage([toChapter(findings, more)]);

describe("the report", () => {
  it("says why the limit or a peer is ahead, where it is, and nowhere else", () => {
    const behind = page([
      finding({ ratioToLimit: 0.5, ratioToBestPeer: 0.8 }),
      finding({ system: "trilith-postgres", ratioToLimit: 0.4, ratioToBestPeer: 3 }),
      finding({ system: "peer", ratioToLimit: 0.1, ratioToBestPeer: 1 }),
    ]);
    expect(behind).toContain(
      "**`w`: trilith-sqlite with 8 clients 0.5×; trilith-postgres with 8 clients 0.4× of the limit.** It does more.",
    );
    expect(behind).toContain("**`w`: trilith-sqlite with 8 clients 0.8× of the best peer.** It waits longer.");
    const ahead = page([finding({ ratioToLimit: 1.2, ratioToBestPeer: 4 })]);
    expect(ahead).not.toMatch(/ahead|It does more|It waits/);
  });
  it("holds one client against others by its times, with a reason of its own where there is one", () => {
    const one = { clients: 1, ratioToLimit: 0.9 };
    const bare = finding({ system: "bare", clients: 1, p50Ms: 0.5, p99Ms: 2 });
    expect(page([finding(one), bare])).toContain(
      "**`w`: trilith-sqlite with 1 client has p50 1 ms, p99 3 ms, and bare has p50 0.5 ms, p99 2 ms.** It is one flush.",
    );
    expect(page([finding({ ...one, p50Ms: 0.4, p99Ms: 2 }), bare])).not.toContain("ahead");
    const peers = [0.9, 0.7].map((p50Ms) => finding({ system: "peer", clients: 1, p50Ms }));
    expect(page([finding(one), ...peers])).toContain("and peer has p50 0.7 ms, p99 3 ms.** It waits longer.");
  });
  it("tells of what is both the limit and the peer once", () => {
    const both = {
      ...suite,
      systems: { ...suite.systems, "trilith-sqlite": { file: "", role: "trilith", limit: ["peer"] } },
    } as const;
    for (const clients of [1, 8]) {
      const rows = [
        finding({ clients, ratioToLimit: 0.5, ratioToBestPeer: 0.5 }),
        finding({ clients, system: "peer", p50Ms: 0.5 }),
      ];
      expect(page(rows, { suite: both }).match(/trilith-sqlite with/g)).toHaveLength(1);
    }
  });
  it("holds paced work against others by its times, and tells no ratio of its speed", () => {
    const paced = { work: "all-up", clients: 128, opsPerSecond: 500 };
    const bare = finding({ ...paced, system: "bare", p99Ms: 2 });
    const text = page([finding({ ...paced, ratioToLimit: 1 }), bare]);
    expect(text).toContain(
      "trilith-sqlite with 128 clients has p50 1 ms, p99 3 ms, and bare has p50 1 ms, p99 2 ms.**",
    );
    expect(text).toContain("| all-up | 128 | **trilith-sqlite** | 500 | 5% | 1 | 2 | 3 | 0 | 1 | 100 | – | – |");
    expect(page([finding({ ...paced, ratioToLimit: 0.9, p99Ms: 2 }), bare])).not.toContain("ahead");
  });
  it("has the machine, the versions, the notes, and how busy the machine was", () => {
    const results = toResults([finding({ ratioToLimit: 1 }, { notes: { "MB on disk": 12 } })]);
    const text = page([], { results: { ...results, machine: { ...results.machine, load: 7 } } });
    expect(text).toContain("| machine | Some, 2 cores, 8 GB, Linux |");
    expect(text).toContain(
      "Measured on 2026-11-01 at commit abc. The machine was busy with something else as well (load 7.0). Versions: trilith-sqlite 1.0.0.",
    );
    expect(text).toContain("| w | 8 | **trilith-sqlite** | 1,234 | 5% | 1 | 2 | 3 | 0 | 1 | 100 | 1× | – |");
    expect(text).toContain("w (8), trilith-sqlite: MB on disk 12");
  });
  it("says of each chapter when, at which commit and on what it was measured", () => {
    const later = toResults([], { suite: "other", date: "2026-11-09T10:00:00.000Z" });
    const machine = { ...later.machine, commit: "def", uncommitted: true, cores: 64 } as const;
    const text = toPage([toChapter([]), toChapter([], { results: { ...later, machine } })]);
    expect(text).toMatch(/## Tiny\n\nMeasured on 2026-11-01 at commit abc\. The machine had little else to do/);
    expect(text).toMatch(
      /## Other\n\nMeasured on 2026-11-09 at commit def, with changes that were not committed\. On another machine: Some, 64 cores/,
    );
  });
  it("tells no spread of one round, and the one time of work of a given size once", () => {
    const text = page([finding({ p50Ms: 7, p90Ms: 7, p99Ms: 7 }, { rounds: 1, spread: 0 })]);
    expect(text).toContain("| w | 8 | **trilith-sqlite** | 1,234 | – | 7 | – | – | 0 | 1 | 100 | – | – |");
  });
  it("has every row of the run with --scale, and when that was", () => {
    const results = toResults(
      [
        finding({ clients: 1, opsPerSecond: 10 }),
        finding({ clients: 1, system: "bare", opsPerSecond: 20, errors: 2 }),
        finding({ clients: 512, system: "bare", opsPerSecond: 30 }),
        finding({ work: "loop-delay", p99Ms: 4 }),
        finding({ work: "loop-delay", p99Ms: 5 }),
        finding(
          { work: "sleeping-restart", clients: 1, p50Ms: 9, p90Ms: 9, p99Ms: 9 },
          { notes: { "MB after it": 4 } },
        ),
      ],
      { scope: "scale", date: "2026-11-05T10:00:00.000Z" },
    );
    const text = page([], { grown: { results, pictures: [{ title: "More", file: "benchmarks/more.svg" }] } });
    const grown = text.slice(text.indexOf("### How cost grows"));
    expect(grown).toContain("Measured on 2026-11-05 at commit abc. The machine had little else to do (load 0.2).");
    expect(grown).toContain("![More](benchmarks/more.svg)");
    expect(grown).toContain("| work | clients | trilith-sqlite | bare |");
    expect(grown).toContain("| w | 1 | **10**/s, 1 / 3 ms, 100 MB | **20**/s, 1 / 3 ms, 100 MB, 2 errors |");
    expect(grown).toContain("| w | 512 | – | **30**/s, 1 / 3 ms, 100 MB |");
    expect(grown).toContain("| loop-delay | 8 | 1 / 4 ms, 100 MB | – |\n| loop-delay | 8 | 1 / 5 ms, 100 MB | – |");
    expect(grown).toContain("| sleeping-restart | 1 | 9 ms, 100 MB | – |");
    expect(grown).toContain("sleeping-restart (1), trilith-sqlite: MB after it 4");
  });
});

describe("a goal", () => {
  const row = rowOf("w", "trilith-sqlite", 8);
  const toGoal = (goal: Partial<Goal>): Goal => ({ row, figure: "opsPerSecond", why: "Because.", ...goal });
  const findings = [
    finding({ opsPerSecond: 100, p50Ms: 4 }, { notes: { calls: 2 } }),
    finding({ system: "bare", opsPerSecond: 400, p50Ms: 2 }),
    finding({ system: "peer", opsPerSecond: 50, p50Ms: 8 }),
  ];
  const beside = (...systems: readonly string[]) => systems.map((system) => rowOf("w", system, 8));
  it.each<[string, Partial<Goal>, number | undefined, string]>([
    ["reached", { reach: { is: "at least", value: 100 } }, 100, "reached"],
    ["missed", { reach: { is: "above", value: 100 } }, 100, "missed"],
    ["a share of the limit", { times: beside("bare"), reach: { is: "at least", value: 0.3 } }, 0.25, "missed"],
    ["against the faster of two", { times: beside("peer", "bare") }, 0.25, "stated"],
    [
      "against the one that is there",
      { times: beside("nobody", "peer"), reach: { is: "at least", value: 2 } },
      2,
      "reached",
    ],
    [
      "against the sooner of two",
      { figure: "p50Ms", times: beside("peer", "bare"), reach: { is: "at most", value: 1.5 } },
      2,
      "missed",
    ],
    ["a time", { figure: "p50Ms", reach: { is: "below", value: 4 } }, 4, "missed"],
    ["beside a hair less", { times: beside("peer"), reach: { is: "above", value: 2 } }, 2, "missed"],
    ["what was noted", { figure: { note: "calls" }, reach: { is: "at most", value: 3 } }, 2, "reached"],
    ["not measured, nor the note", { figure: { note: "sockets" } }, undefined, "not measured"],
    ["not measured, nor the other", { times: beside("nobody") }, undefined, "not measured"],
    ["not measured with as many clients", { row: { ...row, clients: 9 } }, undefined, "not measured"],
  ])("is judged by the rows of the run: %s", (_, goal, measured, outcome) => {
    const judged = judge(toGoal(goal), findings);
    expect(judged.measured).toBe(measured);
    expect(judged.outcome).toBe(outcome);
  });
  it("stands in the report with what was measured, and with its paragraph where it is missed", () => {
    const why = "It does more than the limit.";
    const goals: readonly Goal[] = [
      toGoal({ times: beside("bare"), reach: { is: "at least", value: 0.3 }, from: "3 of 10", why }),
      toGoal({ figure: "p99Ms", reach: { is: "below", value: 10 }, why: "Nobody is to read this." }),
      toGoal({ scale: true, figure: "peakMemoryMb", reach: { is: "below", value: 50 }, why: "It remembers rows." }),
      toGoal({ scale: true, figure: { note: "calls" }, why: "So many calls." }),
      toGoal({ times: beside("peer"), why: "It shares flushes." }),
    ];
    const grown = { results: toResults([finding({})], { scope: "scale" }), pictures: [] };
    const text = page(findings, { goals, grown });
    for (const line of [
      "| w | 8 | trilith-sqlite | at least 0.3× bare (3 of 10) | 0.25× | **missed** |",
      "| w | 8 | trilith-sqlite | p99: below 10 ms | 3 ms | reached |",
      "| w, `--scale` | 8 | trilith-sqlite | memory at the most: below 50 MB | 100 MB | **missed** |",
      "| w, `--scale` | 8 | trilith-sqlite | stated: calls | – | not measured |",
      "| w | 8 | trilith-sqlite | stated: operations a second beside peer | 2× | stated |",
      `**\`w\` of trilith-sqlite with 8 clients: 0.25× bare, and the goal is at least 0.3× bare (3 of 10).** ${why}`,
      "**`w` of trilith-sqlite with 8 clients: 2× peer.** It shares flushes.",
    ])
      expect(text).toContain(`${line}\n`);
    expect(text).not.toContain("Nobody is to read this.");
    expect(text).not.toContain("So many calls.");
  });
});
