import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkWindows, type Given, toReadings, toSums } from "../bench/aggregation/feed-records.ts";
import { checkPage, shelf } from "../bench/aggregation/page.ts";
import { upstream } from "../bench/aggregation/product.ts";
import { parseArguments } from "../bench/frame/arguments.ts";
import { closedLoop } from "../bench/frame/closed-loop.ts";
import { openDatabases } from "../bench/frame/databases.ts";
import { Ledger } from "../bench/frame/ledger.ts";
import { runWorks } from "../bench/frame/rounds.ts";
import { type Row, type Samples, toFindings } from "../bench/frame/rows.ts";
import { Wrong } from "../bench/frame/subject.ts";
import type { Suite, Work } from "../bench/frame/suite.ts";
import { type CpuProfile, hottest, toCallTree } from "../bench/profile/call-tree.ts";
import { toFlameGraph } from "../bench/profile/flame-graph.ts";

const root = resolve(import.meta.dirname, "..");
const keys = [
  ...["suite", "work", "system", "version", "clients", "opsPerSecond", "p50Ms", "p90Ms", "p99Ms", "errors"],
  ...["cpuSeconds", "peakMemoryMb", "ratioToLimit", "ratioToBestPeer"],
];
const file = join(import.meta.dirname, "bench-systems.ts");
const suite: Suite = {
  name: "tiny",
  systems: {
    honest: { file, role: "trilith", limit: ["bare"] },
    bare: { file, role: "limit" },
    peer: { file, role: "peer" },
  },
  works: () => [],
  reasons: {},
};
const work: Work = {
  ...{ work: "honest", what: "one", systems: ["honest", "bare", "peer"], clients: [1, 4] },
  ...{ rounds: 2, forMs: 20, warmUpMs: 5 },
};
const databases = openDatabases();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-bench-test-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a run", () => {
  it("gives a row for each system and number of clients, with every key", async () => {
    const findings = await runWorks(suite, [work], { folder, databases, tell: () => {} });
    expect(findings.map(({ row }) => `${row.system} ${row.clients}`).sort()).toEqual([
      "bare 1",
      "bare 4",
      "honest 1",
      "honest 4",
      "peer 1",
      "peer 4",
    ]);
    for (const { row, rounds } of findings) {
      expect(Object.keys(row)).toEqual(keys);
      expect(row.opsPerSecond).toBeGreaterThan(0);
      expect(row.peakMemoryMb).toBeGreaterThan(10);
      expect(rounds).toBe(2);
    }
    expect(findings.find(({ row }) => row.system === "honest")?.row.ratioToLimit).toBeGreaterThan(0);
    expect(findings.find(({ row }) => row.system === "bare")?.row.ratioToLimit).toBeNull();
  });
  it("lets systems take turns, and another one begin each round", async () => {
    const turns = { ...work, work: "notes-its-turns", clients: [1], rounds: 3, warmUpMs: 0 };
    await runWorks(suite, [turns], { folder, databases, tell: () => {} });
    expect((await readFile(join(folder, "turns"), "utf8")).trim().split("\n")).toEqual([
      ...["honest", "bare", "peer"],
      ...["bare", "peer", "honest"],
      ...["peer", "honest", "bare"],
    ]);
  });
  it("fails where an answer is wrong, and names the system", async () => {
    const run = runWorks(suite, [{ ...work, work: "answers-wrong" }], { folder, databases, tell: () => {} });
    await expect(run).rejects.toThrow(/"answers-wrong": Wrong: The answer is 5, and should be 4/);
  });
  it("fails where an acknowledged write is missing in the end", async () => {
    const run = runWorks(suite, [{ ...work, work: "forgets", clients: [1] }], { folder, databases, tell: () => {} });
    await expect(run).rejects.toThrow(/was told that 3 are written, 1 in all; they are not there/);
  });
  it("fails where a system dies, and says what it printed", async () => {
    const run = runWorks(suite, [{ ...work, work: "dies" }], { folder, databases, tell: () => {} });
    await expect(run).rejects.toThrow(/ended with code 3 in the middle of "dies"\. Out of luck\./);
  });
});

describe("the closed loop", () => {
  it("counts every operation, those of clients that are under way together included", async () => {
    let done = 0;
    const measured = await closedLoop({ clients: 8, forMs: 30 }, async () => {
      await new Promise(setImmediate);
      done += 2;
      return 2;
    });
    expect(measured.operations).toBe(done);
    expect(measured.p50Ms).toBeLessThanOrEqual(measured.p99Ms);
  });
  it("counts what fails, keeps the first reason, and ends at once where something is wrong", async () => {
    const failing = await closedLoop({ clients: 1, forMs: 5 }, async () => {
      throw new Error("Not today.");
    });
    expect(failing).toMatchObject({ operations: 0, firstError: "Not today." });
    expect(failing.errors).toBeGreaterThan(0);
    const wrong = closedLoop({ clients: 2, forMs: 60_000 }, async () => {
      throw new Wrong("It is 5.");
    });
    await expect(wrong).rejects.toThrow("It is 5.");
  });
});

describe("the ledger", () => {
  it.each([
    ["missing", [[0, 0]], /Client 0 was told that 1 are written, 1 in all/],
    [
      "there twice",
      [
        [0, 0],
        [0, 1],
        [0, 1],
      ],
      /0\/1 is there twice/,
    ],
    [
      "nobody's",
      [
        [0, 0],
        [0, 1],
        [7, 0],
      ],
      /7\/0 is there and nobody wrote it/,
    ],
  ] as const)("notices what is %s", async (_, there, sentence) => {
    const ledger = new Ledger();
    for (let write = 0; write < 2; write++) ledger.acknowledged(0, ledger.next(0));
    await expect(ledger.check(each(there))).rejects.toThrow(sentence);
  });
  it("does not mind what was written and not acknowledged", async () => {
    const ledger = new Ledger();
    ledger.next(3);
    await ledger.check(each([[3, 0]]));
  });
});

describe("findings", () => {
  it("are medians over rounds, and ratios within a work and a number of clients", () => {
    const samples = (system: string, clients: number, speeds: readonly number[]): Samples => ({
      ...{ work: "w", what: "", system, version: "1", clients },
      rounds: speeds.map((operations) => ({
        measured: { operations, seconds: 1, p50Ms: operations, p90Ms: 1, p99Ms: 1, errors: 1 },
        consumption: { cpuSeconds: 1, peakMemoryMb: operations },
      })),
    });
    const rows = toFindings(suite, [
      samples("honest", 1, [90, 1_000, 100]),
      samples("bare", 1, [400]),
      samples("peer", 1, [50]),
      samples("honest", 2, [7, 8]),
    ]).map(({ row }) => row);
    const expected: Partial<Row> = {
      ...{ opsPerSecond: 100, p50Ms: 100, errors: 3, cpuSeconds: 3, peakMemoryMb: 1_000 },
      ...{ ratioToLimit: 0.25, ratioToBestPeer: 2 },
    };
    expect(rows[0]).toMatchObject(expected);
    expect(rows[3]).toMatchObject({ opsPerSecond: 7.5, ratioToLimit: null, ratioToBestPeer: null });
  });
});

describe("a profile", () => {
  const frame = (functionName: string, url = "") => ({ functionName, url, lineNumber: 6 });
  const profile: CpuProfile = {
    nodes: [
      { id: 1, callFrame: frame("(root)"), children: [2, 3] },
      { id: 2, callFrame: frame("(idle)") },
      { id: 3, callFrame: frame("serve", "file:///here/src/a.ts"), children: [4, 5] },
      { id: 4, callFrame: frame("parse<T>", "file:///here/node_modules/x/b.js") },
      { id: 5, callFrame: frame("serve", "file:///here/src/a.ts") },
    ],
    samples: [2, 3, 4, 4, 5],
    timeDeltas: [9_000, 1_000, 2_000, 4_000, 3_000],
  };
  it("is a tree of what was done, without the time in which nothing was", () => {
    const tree = toCallTree(profile, "/here");
    expect(tree.totalMs).toBe(10);
    expect(hottest(tree, 2)).toMatchObject([
      { name: "parse<T>", place: "node_modules/x/b.js:7", selfMs: 6 },
      { name: "serve", place: "src/a.ts:7", selfMs: 4 },
    ]);
  });
  it("is drawn with a frame for each call, as wide as its share", () => {
    const svg = toFlameGraph(toCallTree(profile, "/here"), "main");
    expect(svg).toContain("main, 10 ms of work");
    expect(svg).toContain("<title>parse&lt;T&gt; node_modules/x/b.js:7\n6.0 ms, 60.0%; in itself 6.0 ms</title>");
    expect(svg).toMatch(/width="840\.0"[^>]*fill="#9fc7a3"/);
  });
});

describe("a page", () => {
  const items = shelf("7", 3).map((item) => {
    const { sku, name } = item as { readonly sku: string; readonly name: string };
    const price = { amount: upstream.prices(sku).amount, currency: "EUR" };
    return { sku, name, price, stock: { count: upstream.stock(sku).count } };
  });
  it("is right where each item has what is said under its own key", () => {
    expect(() => checkPage(items, "7", 3)).not.toThrow();
  });
  it("is wrong with an item too few, or with the price of another", () => {
    expect(() => checkPage(items.slice(1), "7", 3)).toThrow("The page 7 has 2 items, and should have 3.");
    const prices = items.map(({ price }) => price).toReversed();
    const mixed = items.map((item, at) => ({ ...item, price: prices[at] ?? item.price }));
    expect(() => checkPage(mixed, "7", 3)).toThrow(/The item 700 of the page 7 is/);
  });
});

describe("the records of a feed", () => {
  const readings = toReadings(2_000);
  const given = [...toSums(readings)].flatMap(([start, hour]) =>
    [...hour].map(([place, sum]): Given => [start, place, sum]),
  );
  it("are all in the windows that are expected", () => {
    expect(given.reduce((count, [, , sum]) => count + sum.count, 0)).toBe(2_000);
    expect(() => checkWindows(given, toSums(readings))).not.toThrow();
  });
  it.each<[string, readonly Given[], RegExp]>([
    ["missing", given.slice(1), /^There are \d+ windows, and should be \d+\.$/],
    ["there twice", [...given, ...given.slice(0, 1)], /is there twice/],
    ["wrong", given.map(([start, place]) => [start, place, { count: 1, total: -1 }]), /, and should be/],
  ])("make a window that is %s noticed", (_, some, sentence) => {
    expect(() => checkWindows(some, toSums(readings))).toThrow(sentence);
  });
});

describe("npm run bench", () => {
  it("says what it does not understand", () => {
    expect(() => parseArguments(["cooking"])).toThrow('There is no suite "cooking".');
    expect(() => parseArguments(["storage", "--fast"])).toThrow(/--fast/);
    expect(parseArguments([])).toBe("help");
    expect(parseArguments(["storage", "--quick", "--work", "rebuild, append-1"])).toMatchObject({
      ...{ suites: ["storage"], scope: "quick", works: ["rebuild", "append-1"] },
    });
  });
  it("measures a suite from the command line to the file, without any peer installed", {
    timeout: 120_000,
  }, async () => {
    const json = join(folder, "out.json");
    const words = ["gateway", "--quick", "--work", "operation-http", "--json", json];
    const command = ["--conditions=trilith-source", join(root, "bench/bench.ts"), ...words];
    const { stdout } = await promisify(execFile)(process.execPath, command);
    const rows = JSON.parse(await readFile(json, "utf8")) as readonly Row[];
    expect(rows.map(({ system, clients }) => `${system} ${clients}`).sort()).toEqual([
      "fastify 1",
      "fastify 32",
      "trilith-sqlite 1",
      "trilith-sqlite 32",
    ]);
    for (const row of rows) expect(Object.keys(row)).toEqual(keys);
    expect(rows.every(({ errors }) => errors === 0)).toBe(true);
    expect(stdout).toContain("operation-http");
  });
});

async function* each(there: readonly (readonly [number, number])[]): AsyncGenerator<readonly [number, number]> {
  yield* there;
}
