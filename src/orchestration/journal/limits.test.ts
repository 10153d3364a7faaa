import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Call, command, contract, silent, silentTracing } from "../../contracts/index.ts";
import { virtualClock } from "../../testing/index.ts";
import { memoryJournal } from "../../testing/memory-journal.ts";
import { type Workflow, workflow } from "../language/workflow.ts";
import { Runner } from "../node/runner.ts";
import type { Entry } from "./journal.ts";
import { entriesOfRun, entryBytes } from "./limits.ts";

const Work = contract("work", "1.0.0", {
  do: command({ input: z.object({ text: z.string() }), output: z.object({ length: z.number() }) }),
});
const call: Call = {
  principal: { id: "ann", kind: "key", scopes: [] },
  trace: silent,
  aborted: new AbortController().signal,
};

function bench(workflows: readonly Workflow[], more: { readonly mostActive?: number } = {}) {
  const journal = memoryJournal();
  const clock = virtualClock();
  const dispatch = {
    call: () => Promise.reject(new Error("Nothing is called.")),
    void: async () => ({ took: false }) as const,
  };
  const runner = new Runner(workflows, { journal, dispatch, clock, tracing: silentTracing, node: "node", ...more });
  return { journal, clock, runner };
}
type Bench = ReturnType<typeof bench>;
const begin = ({ runner }: Bench, text: string): Promise<unknown> =>
  runner.providers[0]?.handle({ text }, call, { text }).then(
    (reply) => reply,
    (error: unknown) => error,
  ) ?? Promise.resolve();

describe("a run", () => {
  const plain = workflow(Work.do, { version: 1 }, async ({ text }, { run }) => {
    await run.sleep("1 hour");
    return { length: text.length };
  });

  it("with an input that is too large is not begun, and its caller is told how large one may be", async () => {
    const b = bench([plain]);
    expect(await begin(b, "x".repeat(entryBytes))).toMatchObject({
      code: "InvalidInput",
      message: expect.stringContaining(`where ${entryBytes} are the most`),
    });
    expect(b.journal.rows()).toHaveLength(0);
  });

  it("with a step's result that is too large is paused, and says so", async () => {
    const large = workflow(Work.do, { version: 1 }, async (_, { run }) => {
      const text = await run.step("read", () => "x".repeat(entryBytes));
      return { length: text.length };
    });
    const b = bench([large]);
    void begin(b, "x");
    await b.clock.until(() => b.journal.rows()[0]?.state === "paused");
    expect(b.journal.rows()[0]?.reason).toContain('an entry "StepDone"');
  });

  it("that never ends is paused before its journal is too long to be replayed", { timeout: 120_000 }, async () => {
    const endless = workflow(Work.do, { version: 1 }, async (_, { run }) => {
      for (;;) await run.all(Array.from({ length: 2_000 }, (_, n) => run.step(`s${n}`, () => n)));
    });
    const b = bench([endless]);
    void begin(b, "x");
    while (b.journal.rows()[0]?.state !== "paused") await b.clock.advance(0);
    const [row] = b.journal.rows();
    expect(row?.reason).toContain(`where ${entriesOfRun} are the most`);
    expect(b.journal.entries(row?.run ?? "").length).toBeLessThanOrEqual(entriesOfRun + 1);
  });
});

describe("a run that never comes to rest", () => {
  it.each([
    { what: "all of nothing", turn: (all: (parts: readonly unknown[]) => Promise<unknown>) => all([]) },
    { what: "all of what is there", turn: (all: (parts: readonly unknown[]) => Promise<unknown>) => all([1, 2]) },
  ])("is paused, in the first run and in replay: $what", async ({ turn }) => {
    let mended = false;
    const endless = workflow(Work.do, { version: 1 }, async ({ text }, { run }) => {
      await run.step("first", () => 1);
      while (!mended) await turn(run.all as (parts: readonly unknown[]) => Promise<unknown>);
      return { length: text.length };
    });
    const b = bench([endless]);
    void begin(b, "x");
    const row = () => b.journal.rows()[0];
    for (let turns = 0; row()?.state !== "paused" && turns < 10; turns++) await b.clock.advance(10);
    expect(row()).toMatchObject({ state: "paused", reason: expect.stringContaining("a loop without a step") });
    await b.runner.resume(row()?.run ?? "");
    for (let turns = 0; row()?.state !== "paused" && turns < 10; turns++) await b.clock.advance(10);
    expect(row()?.state).toBe("paused");
    mended = true;
    await b.runner.resume(row()?.run ?? "");
    for (let turns = 0; row()?.state !== "done" && turns < 10; turns++) await b.clock.advance(10);
    expect(row()?.state).toBe("done");
  });
});

describe("a run whose journal is full", () => {
  const fill = async (undo: () => unknown) => {
    const endless = workflow(Work.do, { version: 1 }, async (_, { run }) => {
      await run.step("charge", () => 1).undo(undo as () => void);
      for (let round = 0; ; round++) {
        const length = round < 12 ? 2_000 : 1; // one by one at last, so that it is full to the brim
        await run.all(Array.from({ length }, (_, n) => run.step(`s${n}`, () => n)));
      }
    });
    const b = bench([endless]);
    void begin(b, "x");
    while (b.journal.rows()[0]?.state !== "paused") await b.clock.advance(0);
    return { ...b, run: b.journal.rows()[0]?.run ?? "", row: () => b.journal.rows()[0] };
  };

  it("is undone when somebody cancels it, with the undo's own steps", { timeout: 120_000 }, async () => {
    const undone: string[] = [];
    const b = await fill(() => void undone.push("charge"));
    await b.runner.steer(b.run, { to: "cancel", by: "ann" });
    for (let turns = 0; b.row()?.endedAt === null && turns < 100; turns++) await b.clock.advance(1_000);
    expect(b.row()).toMatchObject({ state: "cancelled" });
    expect(undone).toEqual(["charge"]);
    expect(b.journal.entries(b.run).length).toBeGreaterThan(entriesOfRun);
    await b.runner.drain(0);
  });
});

describe("a node", () => {
  it("has at most so many runs in memory, new ones too: the others wait on disk for their turn", async () => {
    let present = 0;
    let most = 0;
    const busy = workflow(Work.do, { version: 1 }, async ({ text }, { run }) => {
      await run.step("work", async () => {
        most = Math.max(most, ++present);
        await new Promise((resolve) => setImmediate(resolve));
        present--;
      });
      return { length: text.length };
    });
    const b = bench([busy], { mostActive: 5 });
    let answered = 0;
    for (let n = 0; n < 60; n++) void begin(b, "x".repeat(n)).then(() => answered++);
    await b.clock.until(() => b.journal.rows().length === 60);
    expect(b.runner.active).toBeLessThanOrEqual(5);
    for (let turns = 0; answered < 60 && turns < 1_000; turns++) await b.clock.advance(0);
    expect(answered).toBe(60);
    expect(most).toBeLessThanOrEqual(5);
    expect(b.journal.rows().every(({ state }) => state === "done")).toBe(true);
  });
});

describe("a run that was claimed again and again", () => {
  const still = workflow(Work.do, { version: 1 }, async ({ text }, { run }) => {
    await run.step("work", () => new Promise<void>(() => {}));
    return { length: text.length };
  });
  const claimsOf = (entries: readonly Entry[]): number => entries.filter(({ type }) => type === "Claimed").length;

  it("and got nowhere is paused; resumed, it is given new chances", async () => {
    const b = bench([still]);
    void begin(b, "x");
    await b.clock.advance(0);
    const { journal, clock } = b;
    const dispatch = {
      call: () => Promise.reject(new Error("Nothing is called.")),
      void: async () => ({ took: false }) as const,
    };
    const restart = async (n: number): Promise<void> => {
      const ports = { journal, dispatch, clock, tracing: silentTracing, node: `again-${n}` };
      await new Runner([still], ports).start();
      await clock.advance(10_000);
    };
    for (let n = 0; n < 12; n++) await restart(n);
    const [row] = journal.rows();
    expect(row).toMatchObject({ state: "paused", owner: null, reason: expect.stringContaining("taken up 8 times") });
    expect(claimsOf(journal.entries(row?.run ?? ""))).toBe(8);
    await b.runner.resume(row?.run ?? "");
    await clock.advance(100);
    expect(journal.rows()[0]).toMatchObject({ state: "running" });
  });

  it("and was let go of properly each time is under no suspicion", async () => {
    const patient = workflow(Work.do, { version: 1 }, async ({ text }, { run }) => {
      await run.sleep("365 days");
      return { length: text.length };
    });
    const b = bench([patient]);
    void begin(b, "x");
    await b.clock.advance(0);
    const run = b.journal.rows()[0]?.run ?? "";
    for (let n = 0; n < 10; n++) {
      await b.journal.post(run, { signal: "unheard", payload: n, by: "ann", at: b.clock.now() });
      await b.runner.start();
      await b.clock.advance(10);
    }
    expect(claimsOf(b.journal.entries(run))).toBe(10);
    expect(b.journal.rows()[0]).toMatchObject({ state: "waiting", owner: null, claims: 0 });
  });
});
