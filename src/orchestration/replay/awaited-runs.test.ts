import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import {
  type Call,
  command,
  contract,
  type Dispatch,
  Fault,
  type Principal,
  signal,
  silent,
  silentTracing,
} from "../../contracts/index.ts";
import { memoryJournal } from "../../testing/memory-journal.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { type Run, type Step, type StepPolicy, workflow } from "../index.ts";
import { toRunId } from "../journal/identity.ts";
import { Runner } from "../node/runner.ts";

const Family = contract("family", "1.0.0", {
  parent: command({ input: z.object({}), output: z.string(), signals: { look: signal(z.object({})) } }),
  child: command({ input: z.object({ n: z.int() }), output: z.int() }),
});
interface Parts {
  readonly family: { child(input: { n: number }, policy?: StepPolicy): Step<number> };
  readonly run: Run<typeof Family.parent, readonly [typeof Family]>;
}

/** What comes of asking for a child. */
type Answer = "goes on" | "its end" | "trouble" | "nothing";

/** A parent whose children end when they are told to, and say what they are told to. */
function family(body: (parts: Parts) => Promise<string>) {
  const journal = memoryJournal();
  const clock = virtualClock();
  const runs = new Map<number, string>();
  const asked: number[] = [];
  const answers = new Map<number, Answer | Promise<Answer>>();
  const dispatch: Dispatch = {
    async call(operation, input, call) {
      const { n } = input as { readonly n: number };
      const run = toRunId(call.principal.id, operation, call.key ?? "");
      runs.set(n, run);
      asked.push(n);
      const answer = (await answers.get(n)) ?? "goes on";
      if (answer === "trouble") throw new Fault("Unavailable", "Not now.");
      if (answer === "nothing")
        await new Promise((_, reject) => call.aborted.addEventListener("abort", () => reject(new Error("aborted"))));
      return answer === "its end" ? { wire: n, value: n } : { accepted: true, run, tells: true };
    },
    void: async () => ({ took: "unknown" }),
  };
  const parent = workflow(
    Family.parent,
    { version: 1, uses: [Family] },
    (_, parts) => body(parts as unknown as Parts), // the same client, with less to say of its steps
  );
  const onNode = (node: string): Runner =>
    new Runner([parent], {
      ...{ journal, dispatch, clock, tracing: silentTracing, node, random: () => 0.5, suspendAfterMs: 0 },
    });
  const runner = onNode("node-1");
  const call: Call = {
    principal: { id: "ann", kind: "key", scopes: [] },
    trace: silent,
    aborted: new AbortController().signal,
  };
  const rest = () => clock.advance(0);
  const row = () => {
    const [row] = journal.rows();
    if (!row) throw new Error("There is no run.");
    return row;
  };
  const bob: Principal = { id: "bob", kind: "key", scopes: [] };
  const here = {
    ...{ asked, clock, runner, row, rest, onNode },
    /** Begins the parent, whose children have gone to sleep then unless they say otherwise. */
    async begin(): Promise<void> {
      void runner.providers[0]?.handle({}, call, {}).catch(() => {});
      await rest();
    },
    answer: (n: number, answer: Answer | Promise<Answer>) => void answers.set(n, answer),
    /** Children have ended in this order, and the parent looks into its inbox. */
    async end(...ended: readonly number[]): Promise<void> {
      for (const n of ended) {
        const item = { signal: "", payload: { ended: runs.get(n) }, by: `run:${runs.get(n)}`, at: clock.now() };
        await journal.post(row().run, item);
      }
      await here.look();
    },
    async look(): Promise<void> {
      await runner.signal(row().run, "look", {}, bob);
      await rest();
    },
    steer: async (to: "pause" | "resume" | "cancel"): Promise<void> => {
      expect(await runner.steer(row().run, { to, by: "bob" })).toMatchObject({ ok: true });
      await rest();
    },
    result: async () => (await runner.result(row().run, 0))?.output,
  };
  return here;
}

/** Keeps the parent in memory, until it is called. */
function local() {
  const { promise, resolve } = Promise.withResolvers<void>();
  onTestFinished(() => resolve());
  return { wait: () => promise, over: resolve };
}

describe("an answer that waits for what came before it", () => {
  const child =
    (n: number) =>
    ({ family }: Parts) =>
      family.child({ n });

  it("is told where that is given up", async () => {
    const step = local();
    const f = family(async (parts) => {
      const { run } = parts;
      return (await run.race({ a: child(1)(parts), b: child(2)(parts), c: run.step("local", step.wait) })).winner;
    });
    await f.begin();
    f.answer(1, "nothing");
    f.answer(2, "its end");
    await f.end(1, 2);
    expect(f.asked).toEqual([1, 2, 1, 2]);
    step.over();
    await f.rest();
    expect(await f.result()).toBe("c");
  });

  it("is told where the run is cancelled", async () => {
    const step = local();
    const f = family(async (parts) => {
      const { run } = parts;
      await run.all({ a: child(1)(parts), b: child(2)(parts), c: run.step("local", () => step.wait()) });
      return "all";
    });
    await f.begin();
    f.answer(1, "nothing");
    f.answer(2, "its end");
    await f.end(1, 2);
    await f.steer("cancel");
    expect(f.row().state).toBe("cancelled");
  });

  it("does not hold up those who have gone on without it, though what came before it is awaited elsewhere", async () => {
    const step = local();
    let winner: string | undefined;
    const f = family(async (parts) => {
      const { run } = parts;
      const race = async () => {
        ({ winner } = await run.race({ b: child(2)(parts), c: run.step("local", step.wait) }));
      };
      await run.all({ a: child(1)(parts), race });
      return "all";
    });
    await f.begin();
    f.answer(1, "nothing");
    f.answer(2, "its end");
    await f.end(1, 2);
    step.over();
    await f.rest();
    expect(winner).toBe("c");
  });

  it.each([
    { how: "pauses", leave: "pause" as const },
    { how: "leaves its node", leave: "drain" as const },
  ])("does not keep a run that $how, and counts as the second afterwards as well", async ({ leave }) => {
    const f = family(async (parts) => (await parts.run.race({ a: child(1)(parts), b: child(2)(parts) })).winner);
    await f.begin();
    f.answer(1, "trouble");
    f.answer(2, "its end");
    await f.end(1, 2);
    if (leave === "pause") {
      await f.steer("pause");
      expect(f.row().state).toBe("paused");
      f.answer(1, "its end");
      await f.steer("resume");
    } else {
      const drained = f.runner.drain(1_000);
      await f.rest();
      expect(f.runner.active).toBe(0);
      await f.clock.advance(1_000);
      await drained;
      f.answer(1, "its end");
      await f.onNode("node-2").start();
      await f.clock.until(() => f.row().endedAt !== null);
    }
    expect(await f.result()).toBe("a");
  });

  it("does not keep a run that pauses where it comes only then", async () => {
    const { promise: second, resolve: say } = Promise.withResolvers<Answer>();
    const f = family(async (parts) => (await parts.run.race({ a: child(1)(parts), b: child(2)(parts) })).winner);
    await f.begin();
    f.answer(1, "trouble");
    f.answer(2, second);
    await f.end(1, 2);
    await f.steer("pause");
    expect(f.row().state).toBe("running");
    say("its end");
    await f.rest();
    expect(f.row().state).toBe("paused");
    f.answer(1, "its end");
    await f.steer("resume");
    expect(await f.result()).toBe("a");
  });
});

it("a child that is asleep when its step's deadline comes is asked once more, and is late then", async () => {
  const step = local();
  let told: string | undefined;
  const f = family(async ({ family, run }) => {
    const late = async () => {
      told = await family.child({ n: 1 }, { deadline: "10s" }).then(String, (error) => (error as Fault).code);
    };
    await run.all({ late, here: run.step("local", step.wait) });
    return "all";
  });
  await f.begin();
  await f.clock.advance(9_000);
  expect(told).toBeUndefined();
  await f.clock.advance(2_000);
  expect(told).toBe("DeadlineExceeded");
});

it("a time that is over, and waits for what came before it, is told where that is given up", async () => {
  const step = local();
  const f = family(async ({ family, run }) => {
    const some = () => run.race({ a: family.child({ n: 1 }), c: run.step("local", step.wait) });
    const { late } = await run.all({ late: () => run.sleep("100s").then(() => "late"), some });
    return late;
  });
  await f.begin();
  f.answer(1, "nothing");
  await f.end(1);
  await f.clock.advance(101_000);
  expect(f.row().state).toBe("running");
  step.over();
  await f.rest();
  expect(await f.result()).toBe("late");
});

it("a child that says that it goes on, and was told to have ended while it was asked, is asked once more", async () => {
  const { promise: first, resolve: say } = Promise.withResolvers<Answer>();
  const f = family(async ({ family }) => String(await family.child({ n: 7 })));
  f.answer(7, first);
  await f.begin();
  await f.end(7);
  f.answer(7, "goes on"); // somebody has retried it
  say("goes on");
  await f.rest();
  expect(f.asked).toEqual([7, 7]);
  expect(f.row().state).toBe("waiting");
  f.answer(7, "its end");
  await f.end(7);
  expect(await f.result()).toBe("7");
});

it("only the child that has ended is asked what it has to say", async () => {
  const step = local();
  const f = family(async ({ family, run }) => {
    const children = () => run.all([1, 2, 3], (n) => family.child({ n }));
    const all = await run.all({ children, here: run.step("local", step.wait) });
    return all.children.join();
  });
  await f.begin();
  for (const n of [2, 3, 1]) {
    f.answer(n, "its end");
    await f.end(n);
  }
  expect(f.asked).toEqual([1, 2, 3, 2, 3, 1]);
  step.over();
  await f.rest();
  expect(await f.result()).toBe("1,2,3");
});

it("a child that ended in time, and was retried before it was asked, can be late all the same", async () => {
  const { promise: first, resolve: say } = Promise.withResolvers<Answer>();
  const f = family(async ({ family }) => String(await family.child({ n: 7 }, { deadline: "10s" })));
  f.answer(7, first);
  await f.begin();
  await f.clock.advance(5_000);
  await f.end(7);
  f.answer(7, "goes on"); // somebody has retried it
  say("goes on");
  await f.rest();
  expect(f.row()).toMatchObject({ state: "waiting", wakeAt: expect.any(Number) });
  await f.clock.advance(6_000);
  expect(f.row().state).not.toBe("waiting");
});
