import fc from "fast-check";
import { expect, it } from "vitest";
import { replays } from "../../testing/index.ts";
import type { Entry } from "../journal/journal.ts";
import type { Jobs, Shop } from "../language/language.test-d.ts";
import { benchOf, jobOf, said } from "../language/language.test-d.ts";
import type { Run, WorkflowContext } from "../language/run.ts";

// Random workflows: trees of steps, sleeps, promises of their own and failures, put one after the other and side by side in every way.
type Tree =
  | {
      readonly kind: "step";
      readonly name: string;
      readonly undo: boolean;
      readonly fails: boolean;
      readonly slowMs: number;
    }
  | { readonly kind: "sleep"; readonly ms: number }
  | { readonly kind: "throw" }
  /** The code waits for so many promises of its own, one after the other. */
  | { readonly kind: "own"; readonly promises: number }
  | { readonly kind: "seq" | "all" | "race" | "any" | "caught"; readonly parts: readonly Tree[] }
  | { readonly kind: "within"; readonly ms: number; readonly part: Tree };
type Context = WorkflowContext<typeof Jobs.go, [typeof Shop]>;

/**
 * About so many. Where two end at the same instant, the first one's way goes on before the second is over in a run that
 * stays in memory, and beside it in one that comes back: nobody says which is first.
 */
const someMs = (...about: number[]): fc.Arbitrary<number> =>
  fc.tuple(fc.constantFrom(...about), fc.noBias(fc.integer({ min: 0, max: 299 }))).map(([ms, more]) => ms + more);

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthSize: "xlarge", withCrossShrink: true },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("step" as const),
        name: fc.constantFrom("a", "b", "c"),
        undo: fc.boolean(),
        fails: fc.constantFrom(false, false, false, true),
        slowMs: fc.constantFrom(0, 0, 0, 700, 40_000),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("sleep" as const),
        ms: someMs(1, 500, 900, 5_000, 90_000),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("own" as const), promises: fc.nat(40) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constantFrom("seq", "seq", "all", "race", "any", "caught"),
        parts: fc.array(tie("tree"), { minLength: 2, maxLength: 4 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("within" as const),
        ms: someMs(300, 3_000, 60_000),
        part: tie("tree"),
      }),
    },
  ) as fc.Arbitrary<Tree>,
}));

/** The outside: what is at work there, and what was still at work when its part was over. */
class Outside {
  readonly atWork = new Set<Tree>();
  readonly left: Tree[] = [];
  /** How many turns each action takes, in the order in which they begin: so results come in every order. */
  readonly #turns: readonly number[];
  #nth = 0;
  constructor(turns: readonly number[] = [0]) {
    this.#turns = turns;
  }
  async work(node: Tree & { readonly kind: "step" }, aborted: AbortSignal): Promise<string> {
    this.atWork.add(node);
    aborted.addEventListener("abort", () => this.atWork.delete(node), { once: true });
    for (let turns = this.#turns[this.#nth++ % this.#turns.length] ?? 0; turns > 0; turns--) await turn();
    if (node.slowMs > 0) await new Promise<never>(() => {}); // until its time is over
    this.atWork.delete(node);
    if (node.fails) throw new Error(`${node.name} fails`);
    return node.name;
  }
  /** Nothing of a part may be at work when it is over. */
  async part(node: Tree, work: PromiseLike<unknown>): Promise<unknown> {
    try {
      return await work;
    } finally {
      for (const step of stepsOf(node)) if (this.atWork.has(step)) this.left.push(step);
    }
  }
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
const stepsOf = (node: Tree): readonly Tree[] =>
  "parts" in node ? node.parts.flatMap(stepsOf) : "part" in node ? stepsOf(node.part) : [node];
const turns = fc.array(fc.nat(6), { minLength: 1, maxLength: 7 });

async function grow(node: Tree, context: Context, outside: Outside): Promise<unknown> {
  const { run } = context;
  switch (node.kind) {
    case "step": {
      const timeout = `${Math.max(1, node.slowMs)}ms` as const;
      const step = run.step(node.name, ({ aborted }) => outside.work(node, aborted), { attempts: 1, timeout });
      return node.undo ? step.undo(() => run.step(`undo ${node.name}`, () => {})) : step;
    }
    case "sleep":
      await run.sleep(`${node.ms}ms`);
      return node.ms;
    case "own":
      for (let left = node.promises; left > 0; left--) await undefined;
      return node.promises;
    case "throw":
      throw new Error("thrown");
    case "seq": {
      const results: unknown[] = [];
      for (const part of node.parts) results.push(await grow(part, context, outside));
      return results;
    }
    case "caught":
      return grow({ kind: "seq", parts: node.parts }, context, outside).catch((error: Error) => error.message);
    case "within":
      return outside.part(
        node,
        run.within(`${node.ms}ms`, (context) => grow(node.part, context, outside)),
      );
    default:
      return outside.part(
        node,
        (run[node.kind] as Run<typeof Jobs.go, [typeof Shop]>["all"])(node.parts, (part, context) =>
          grow(part, context, outside),
        ),
      );
  }
}

const jobFor = (node: Tree, outside = new Outside()) => jobOf((_, context) => grow(node, context, outside));
const benchFor = (node: Tree, options: Parameters<typeof benchOf>[1] = {}, outside = new Outside()) =>
  benchOf(jobFor(node, outside), options);
const outcomes = async (bench: ReturnType<typeof benchOf>): Promise<string> => {
  const end = await bench.run({ n: 1 }).catch(said);
  return JSON.stringify([end, bench.row?.state]);
};
/**
 * A journal up to the undo, without what an eviction adds, and without times and outcomes: of a step that was asked for
 * and given up, a later activation cannot know that it never began.
 */
const bare = (entries: readonly Entry[]): readonly string[] => {
  const undo = entries.findIndex(({ type }) => type === "UndoBegan");
  return entries
    .slice(0, undo < 0 ? entries.length : undo)
    .filter(({ type }) => type !== "Claimed" && type !== "Ended")
    .map(({ at: _at, ...entry }) => JSON.stringify(entry).replaceAll(/"(wakeAt|until|outcome)":("[^"]*"|\d+)/g, ""));
};

it("a run that leaves memory at every result ends as one that stays, with the same journal", () =>
  fc.assert(
    fc.asyncProperty(tree, async (node) => {
      const whole = benchFor(node);
      const evicted = benchFor(node, { alwaysSuspend: true });
      expect(await outcomes(evicted)).toBe(await outcomes(whole));
      expect(bare(evicted.entries)).toEqual(bare(whole.entries));
    }),
    { numRuns: 100 },
  ));

it("every history replays, whole and cut off after any of its commits", () =>
  fc.assert(
    fc.asyncProperty(tree, turns, fc.double({ min: 0, max: 1, noNaN: true }), async (node, turns, where) => {
      const bench = benchFor(node, {}, new Outside(turns));
      await outcomes(bench);
      const { history } = bench;
      await replays(jobFor(node), history);
      const cut = 1 + Math.floor(where * (history.entries.length - 1));
      await replays(jobFor(node), { ...history, entries: history.entries.slice(0, cut) });
    }),
    { numRuns: 100 },
  ));

it("a run that crashes ends, and what it had decided before the crash stays decided", () =>
  fc.assert(
    fc.asyncProperty(tree, turns, fc.nat(12), fc.boolean(), fc.boolean(), async (node, turns, at, after, evict) => {
      const crash = { at: at + 1, afterWriting: after };
      const bench = benchFor(node, { alwaysSuspend: evict, crash }, new Outside(turns));
      await outcomes(bench);
      expect(["done", "failed"]).toContain(bench.row?.state);
      // What is in the journal is what a run that never crashed would have been told, in that order.
      await replays(jobFor(node), bench.history);
    }),
    { numRuns: 100 },
  ));

it("what has begun has settled when the part that it belongs to is over, and before anything is undone", () =>
  fc.assert(
    fc.asyncProperty(tree, turns, async (node, turns) => {
      const outside = new Outside(turns);
      const bench = benchFor(node, {}, outside);
      await outcomes(bench);
      expect(outside.left).toEqual([]);
      const open = new Set<string>();
      for (const entry of bench.entries) {
        if (entry.type === "StepStarted") open.add(entry.path);
        if (entry.type === "StepDone" || entry.type === "StepFailed") expect(open.delete(entry.path)).toBe(true);
        if (entry.type === "UndoBegan" || entry.type === "Ended") expect([...open]).toEqual([]);
      }
    }),
    { numRuns: 100 },
  ));

it("undoes in the reverse order of the journal what was done, or may have been, and nothing else", () =>
  fc.assert(
    fc.asyncProperty(tree, turns, async (node, turns) => {
      const bench = benchFor({ kind: "seq", parts: [node, { kind: "throw" }] }, {}, new Outside(turns));
      await outcomes(bench);
      const started = bench.entries.flatMap((entry) =>
        entry.type === "StepStarted" && entry.undo ? [entry.path] : [],
      );
      const never = new Set(
        bench.entries.flatMap((entry) =>
          entry.type === "StepFailed" && entry.outcome === "not done" ? [entry.path] : [],
        ),
      );
      const undone = bench.entries.flatMap((entry) => (entry.type === "UndoStarted" ? [entry.path] : []));
      expect(undone).toEqual(
        started
          .filter((path) => !never.has(path))
          .reverse()
          .map((path) => `undo ${path}`),
      );
    }),
    { numRuns: 100 },
  ));
