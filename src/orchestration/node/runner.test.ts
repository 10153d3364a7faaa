import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type Call,
  command,
  contract,
  Failed,
  Fault,
  failure,
  query,
  signal,
  silent,
  silentTracing,
} from "../../contracts/index.ts";
import { type VirtualClock, virtualClock } from "../../testing/index.ts";
import { type MemoryJournal, memoryJournal } from "../../testing/memory-journal.ts";
import type { Entry } from "../journal/journal.ts";
import { type Workflow, workflow } from "../language/workflow.ts";
import type { AttemptEvent } from "../replay/execution.ts";
import { Runner } from "./runner.ts";

const Key = z.object({ id: z.string() });
const Full = failure(409, "It is full.");
const Shop = contract("shop", "1.0.0", {
  take: command({ input: Key, output: z.object({ left: z.number() }), failures: { Full } }),
  giveBack: command({ input: Key }),
  pay: command({ input: Key.extend({ amount: z.number() }) }),
  payBack: command({ input: Key }),
  price: query({ input: Key, output: z.number() }),
});
const Orders = contract("orders", "1.0.0", {
  order: command({
    input: Key,
    output: z.object({ paid: z.number() }),
    failures: { Full, Refused: failure(403, "Nobody agreed.") },
    signals: { agreed: signal(z.object({ by: z.string() })) },
  }),
});

const order = workflow(Orders.order, { version: 1, uses: [Shop] }, async (input, { shop, run, fail }) => {
  await shop.take(input).undo(() => shop.giveBack(input));
  const amount = await shop.price(input).or(() => 7);
  await shop.pay({ ...input, amount }).undo(() => shop.payBack(input));
  if (amount > 100 && !(await run.signal.agreed.within("2 days"))) throw fail.Refused();
  return { paid: amount };
});

/** An outside world with a memory of keys, as a store with receipts has it, and a script of what goes wrong. */
class World {
  readonly done: string[] = [];
  readonly answers = new Map<string, unknown>();
  readonly voided = new Set<string>();
  readonly calls: string[] = [];
  price = 50;
  script: (operation: string, nth: number) => "fine" | "refuse" | "fail" | "do and fail" | "hang" | "full" = () =>
    "fine";
  #nth = new Map<string, number>();

  dispatch = {
    call: async (operation: string, _input: unknown, call: Call) => {
      const nth = (this.#nth.get(operation) ?? 0) + 1;
      this.#nth.set(operation, nth);
      this.calls.push(operation);
      const what = this.script(operation, nth);
      if (what === "hang")
        await new Promise((_, reject) => call.aborted.addEventListener("abort", () => reject(new Error("aborted"))));
      if (what === "refuse") throw new Fault("Unavailable", "Not now.", { outcome: "not done" });
      if (what === "fail") throw new Fault("Unavailable", "Who knows.");
      if (what === "full") throw new Failed(operation, "Full", Full);
      const wire = this.#effect(operation, call.key as string);
      if (what === "do and fail") throw new Fault("Unavailable", "The answer was lost.");
      return { wire, value: wire };
    },
    void: async (operation: string, key: string) => {
      if (operation.startsWith("shop.pay")) return { took: "unknown" } as const;
      if (this.answers.has(key)) return { took: true, wire: this.answers.get(key) } as const;
      this.voided.add(key);
      return { took: false } as const;
    },
  };

  #effect(operation: string, key: string): unknown {
    if (operation === "shop.price") return this.price;
    if (this.voided.has(key)) throw new Fault("Voided", "This key was given up.");
    if (!this.answers.has(key)) {
      this.done.push(operation);
      this.answers.set(key, operation === "shop.take" ? { left: 3 } : undefined);
    }
    return this.answers.get(key);
  }
}

interface Bench {
  readonly journal: MemoryJournal;
  readonly clock: VirtualClock;
  readonly world: World;
  runner: Runner;
  readonly reports: string[];
}

let nodes = 0;
function bench(
  workflows: readonly Workflow[] = [order],
  journal = memoryJournal(),
  world = new World(),
  clock = virtualClock(),
  attemptFailed: (event: AttemptEvent) => void = () => {},
): Bench {
  const reports: string[] = [];
  const report = ({ verdict }: { verdict: { kind: string; reason?: string } }) =>
    reports.push(verdict.reason ?? verdict.kind);
  const dispatch = world.dispatch;
  const runner = new Runner(workflows, {
    journal,
    dispatch,
    clock,
    tracing: silentTracing,
    node: `node-${++nodes}`,
    random: () => 0.5,
    report,
    attemptFailed,
  });
  return { journal, clock, world, runner, reports };
}

const call: Call = {
  principal: { id: "ann", kind: "key", scopes: [] },
  trace: silent,
  aborted: new AbortController().signal,
};

/** Starts a run and lets time pass until it has ended. */
async function outcome({ runner, clock }: Bench, input = { id: "x" }, given: Partial<Call> = {}): Promise<unknown> {
  let ended: { value: unknown } | undefined;
  const provider = runner.providers[0];
  provider?.handle(input, { ...call, ...given }, input).then(
    (reply) => {
      ended = { value: "output" in reply ? reply.output : reply };
    },
    (error) => {
      ended = { value: error };
    },
  );
  await clock.until(() => ended !== undefined);
  return ended?.value;
}
const types = (entries: readonly Entry[]): string[] => entries.map(({ type }) => type);
const onlyRun = ({ journal }: Bench) => {
  const [row] = journal.rows();
  if (!row) throw new Error("There is no run.");
  return row;
};

describe("a run", () => {
  it("gives back what the workflow returns, and has journaled each step before the next began", async () => {
    const b = bench();
    expect(await outcome(b)).toEqual({ paid: 50 });
    expect(b.world.done).toEqual(["shop.take", "shop.pay"]);
    expect(types(b.journal.entries(onlyRun(b).run))).toEqual([
      "Started",
      "StepStarted",
      "StepDone",
      "StepStarted",
      "StepDone",
      "StepStarted",
      "StepDone",
      "Ended",
    ]);
  });

  it("shares one commit between the result of a step and the intent of the next", async () => {
    const b = bench();
    await outcome(b);
    expect(b.journal.commits).toBe(4);
  });

  it("begins an action only when its intent is on disk", async () => {
    const b = bench();
    const seen: string[] = [];
    const { call: through } = b.world.dispatch;
    b.world.dispatch.call = async (operation, input, context) => {
      const intents = b.journal.entries(onlyRun(b).run).filter((entry) => entry.type === "StepStarted");
      seen.push(`${operation}: ${intents.some((entry) => "name" in entry && entry.name === operation)}`);
      return through(operation, input, context);
    };
    await outcome(b);
    expect(seen).toEqual(["shop.take: true", "shop.price: true", "shop.pay: true"]);
  });

  it("is retried with the same key until a step succeeds, and says each failed attempt", async () => {
    const b = bench();
    b.world.script = (operation, nth) => (operation === "shop.pay" && nth < 4 ? "do and fail" : "fine");
    expect(await outcome(b)).toEqual({ paid: 50 });
    expect(b.world.done).toEqual(["shop.take", "shop.pay"]);
    expect(types(b.journal.entries(onlyRun(b).run)).filter((type) => type === "AttemptFailed")).toHaveLength(3);
  });

  it("tells an operator of each failed attempt, and not of a declared failure", async () => {
    const told: unknown[] = [];
    const b = bench([order], undefined, undefined, undefined, (event) => told.push(event));
    b.world.script = (operation, nth) =>
      operation === "shop.price" || (operation === "shop.pay" && nth === 1) ? "fail" : "fine";
    expect(await outcome(b)).toEqual({ paid: 7 });
    const { run, operation } = onlyRun(b);
    const [first, , , , last, pay] = told;
    expect(told).toHaveLength(6);
    const price = { run, operation, step: "shop.price", reason: "Who knows.", outcome: "unknown" };
    expect(first).toMatchObject({ ...price, attempt: 1, retryInMs: 50 });
    expect(last).toMatchObject({ ...price, attempt: 5 });
    expect(last).not.toHaveProperty("retryInMs");
    expect(pay).toMatchObject({ step: "shop.pay", attempt: 1 });
    b.world.script = () => "full";
    await outcome(b, { id: "y" }, { key: "y" });
    expect(told).toHaveLength(6);
  });

  it("falls back visibly when a step fails for good", async () => {
    const b = bench();
    b.world.script = (operation) => (operation === "shop.price" ? "fail" : "fine");
    expect(await outcome(b)).toEqual({ paid: 7 });
    const fellBack = b.journal.entries(onlyRun(b).run).find(({ type }) => type === "FellBack");
    expect(fellBack).toMatchObject({ path: "shop.price", value: 7 });
  });

  it("passes a declared failure on without a retry, and undoes nothing that was not done", async () => {
    const b = bench();
    b.world.script = (operation) => (operation === "shop.take" ? "full" : "fine");
    expect(await outcome(b)).toMatchObject({ code: "Full", operation: "orders.order", status: 409 });
    expect(b.world.calls).toEqual(["shop.take"]);
  });

  it("undoes in reverse order when it fails", async () => {
    const b = bench();
    b.world.price = 500;
    expect(await outcome(b)).toMatchObject({ code: "Refused" });
    expect(b.world.done).toEqual(["shop.take", "shop.pay", "shop.payBack", "shop.giveBack"]);
  });

  it("says why it is being undone, as long as it is", async () => {
    const b = bench();
    b.world.price = 500;
    b.world.script = (operation, nth) => (operation === "shop.payBack" && nth < 3 ? "refuse" : "fine");
    void outcome(b).catch(() => {});
    await b.clock.until(() => onlyRun(b).state === "undoing");
    expect(onlyRun(b).reason).toBe("orders.order ended with Refused");
    await b.clock.until(() => onlyRun(b).state === "failed");
    expect(onlyRun(b).reason).toBeNull();
  });

  it("voids a step of which nobody knows, and undoes nothing where it took no effect", async () => {
    const b = bench();
    b.world.script = (operation) => (operation === "shop.take" ? "fail" : "fine");
    expect(await outcome(b)).toBeInstanceOf(Fault);
    expect([...b.world.voided]).toHaveLength(1);
    const entries = b.journal.entries(onlyRun(b).run);
    expect(entries.find(({ type }) => type === "VoidKnown")).toMatchObject({ took: false });
    expect(types(entries)).not.toContain("UndoStarted");
    expect(b.world.calls).not.toContain("shop.giveBack");
  });

  it("finds out by voiding that a step was done after all", async () => {
    const b = bench();
    b.world.script = (operation) => (operation === "shop.take" ? "do and fail" : "fine");
    await outcome(b);
    expect(b.world.done).toEqual(["shop.take", "shop.giveBack"]);
    expect(b.journal.entries(onlyRun(b).run).find(({ type }) => type === "UndoStarted")).toMatchObject({
      outcome: "done",
    });
  });

  it("gives up an attempt that takes too long", async () => {
    const slow = workflow(Orders.order, { version: 1, uses: [Shop] }, async (input, { shop }) => {
      const paid = await shop.price(input, { timeout: "2s", attempts: 2 }).or(() => 1);
      return { paid };
    });
    const b = bench([slow]);
    b.world.script = () => "hang";
    const began = b.clock.now();
    expect(await outcome(b)).toEqual({ paid: 1 });
    expect(b.clock.now() - began).toBeGreaterThanOrEqual(4_000);
  });

  it("pauses when an undo fails for good, says why, and goes on when it is resumed", async () => {
    const b = bench();
    b.world.price = 500;
    let broken = true;
    b.world.script = (operation) => (operation === "shop.payBack" && broken ? "refuse" : "fine");
    await outcome(b, { id: "x" }, { patienceMs: 10 });
    await b.clock.until(() => b.reports.length > 0);
    expect(b.reports[0]).toContain("shop.payBack");
    expect(onlyRun(b).state).toBe("paused");
    broken = false;
    await b.runner.resume(onlyRun(b).run);
    await b.clock.until(() => onlyRun(b).state === "failed");
    expect(b.world.done).toEqual(["shop.take", "shop.pay", "shop.payBack", "shop.giveBack"]);
  });

  it("joins the run that the same key has begun, and refuses the key for another input", async () => {
    const b = bench();
    expect(await outcome(b, { id: "x" }, { key: "k" })).toEqual({ paid: 50 });
    expect(await outcome(b, { id: "x" }, { key: "k" })).toEqual({ paid: 50 });
    expect(await outcome(b, { id: "y" }, { key: "k" })).toMatchObject({ code: "KeyReused" });
    expect(b.world.done).toEqual(["shop.take", "shop.pay"]);
  });

  it("tells an impatient caller where to look", async () => {
    const b = bench();
    b.world.price = 500;
    expect(await outcome(b, { id: "x" }, { patienceMs: 100 })).toMatchObject({ accepted: true });
  });

  it("is an error that names the step when a step is never awaited", async () => {
    const forgetful = workflow(Orders.order, { version: 1, uses: [Shop] }, async (input, { shop }) => {
      shop.price(input);
      return { paid: 1 };
    });
    expect(await outcome(bench([forgetful]))).toMatchObject({
      code: "Internal",
      message: expect.stringContaining("shop.price"),
    });
  });
});

describe("a waiting run", () => {
  const waiting = async (): Promise<Bench> => {
    const b = bench();
    b.world.price = 500;
    await outcome(b, { id: "x" }, { patienceMs: 10 });
    return b;
  };

  it("leaves memory while it waits", async () => {
    const b = await waiting();
    expect(b.runner.active).toBe(0);
    expect(onlyRun(b)).toMatchObject({ state: "waiting", owner: null });
  });

  it("goes on when its signal comes", async () => {
    const b = await waiting();
    expect(await b.runner.signal(onlyRun(b).run, "agreed", { by: "bob" }, { id: "bob" })).toBe("taken");
    await b.clock.until(() => onlyRun(b).state === "done");
    expect(await b.runner.status(onlyRun(b).run)).toMatchObject({ output: { paid: 500 } });
    expect(await b.runner.signal(onlyRun(b).run, "agreed", { by: "bob" }, { id: "bob" })).toBe("ended");
  });

  it("is its node's still when a signal comes at the moment in which it would have left memory", async () => {
    const agreed = workflow(Orders.order, { version: 1, uses: [Shop] }, async (input, { shop, run }) => {
      await run.signal.agreed.within("2 days");
      return { paid: await shop.price(input) };
    });
    const b = bench([agreed]);
    let posted = false;
    b.journal.onAppend = async (run, entries) => {
      if (posted || !entries.some(({ type }) => type === "SignalAwaited")) return;
      posted = true;
      await b.journal.post(run, { signal: "agreed", payload: { by: "bob" }, by: "bob", at: b.clock.now() });
    };
    const rows: unknown[] = [];
    b.world.script = () => {
      rows.push(onlyRun(b));
      return "fine";
    };
    expect(await outcome(b)).toEqual({ paid: 50 });
    expect(rows).toMatchObject([{ state: "running", owner: expect.stringContaining("node-") }]);
  });

  it("hears at once what it is told on its way back into memory, though it has a long step before it", async () => {
    const agreed = workflow(Orders.order, { version: 1, uses: [Shop] }, async (input, { shop, run }) => {
      await run.signal.agreed;
      await shop.pay({ ...input, amount: 1 }, { timeout: "1 hour" });
      return { paid: 1 };
    });
    const long = bench([agreed]);
    long.world.script = (operation) => (operation === "shop.pay" ? "hang" : "fine");
    await outcome(long, { id: "y" }, { patienceMs: 10 });
    const told = onlyRun(long).run;
    let cancelling: Promise<unknown> | undefined;
    long.journal.onAppend = async (_, entries) => {
      if (cancelling || !entries.some(({ type }) => type === "Claimed")) return;
      cancelling = long.runner.steer(told, { to: "cancel", by: "ann" }); // its inbox was read before the claim was written
      await cancelling;
    };
    await long.runner.signal(told, "agreed", { by: "bob" }, { id: "bob" });
    await long.clock.advance(10);
    expect(cancelling).toBeDefined();
    expect(onlyRun(long).state).toBe("cancelled");
  });

  it("goes on without it when the time is over", async () => {
    const b = await waiting();
    const began = b.clock.now();
    await b.clock.until(() => onlyRun(b).state === "failed");
    expect(b.clock.now() - began).toBeGreaterThan(86_400_000);
    expect(b.world.done).toContain("shop.payBack");
  });

  it("refuses a signal that is not what the contract says, and one that there is not", async () => {
    const b = await waiting();
    await expect(b.runner.signal(onlyRun(b).run, "agreed", { by: 3 }, { id: "bob" })).rejects.toMatchObject({
      code: "InvalidInput",
    });
    expect(await b.runner.signal(onlyRun(b).run, "agred", {}, { id: "bob" })).toBe("no such signal");
    expect(await b.runner.signal("nobody", "agreed", {}, { id: "bob" })).toBe("no such run");
  });

  it("is woken by the node that comes after the one that let it go", async () => {
    const b = await waiting();
    await b.runner.drain(1_000);
    const next = bench([order], b.journal, b.world, b.clock);
    await next.runner.start();
    await b.clock.until(() => onlyRun(b).state === "failed");
    expect(b.world.done).toContain("shop.giveBack");
  });
});

describe("a crash", () => {
  const stories: Record<string, (world: World) => void> = {
    "that succeeds": () => {},
    "that is undone": (world) => {
      world.price = 500;
    },
    "with lost answers": (world) => {
      world.script = (_, nth) => (nth % 2 === 1 ? "do and fail" : "fine");
    },
    "that fails to pay": (world) => {
      world.script = (operation) => (operation === "shop.pay" ? "fail" : "fine");
    },
  };

  /** What of the world a crash must not change: each effect once. */
  async function story(
    tell: (world: World) => void,
    crashBefore: number,
    afterWriting: boolean,
    suspendAfterMs = 1_000,
  ) {
    const world = new World();
    tell(world);
    const journal = memoryJournal();
    const clock = virtualClock();
    let appends = 0;
    let dead = false;
    const start = (crashing: boolean) => {
      const node = `node-${++nodes}`;
      const mine: MemoryJournal = Object.create(journal, {
        append: {
          value: async (...given: Parameters<MemoryJournal["append"]>) => {
            if (crashing && dead) return new Promise(() => {});
            if (crashing && ++appends === crashBefore) {
              dead = true;
              if (afterWriting) await journal.append(...given);
              return new Promise(() => {});
            }
            return journal.append(...given);
          },
        },
      });
      const dispatch = {
        call: async (...given: Parameters<World["dispatch"]["call"]>) =>
          crashing && dead ? new Promise<never>(() => {}) : world.dispatch.call(...given),
        void: world.dispatch.void,
      };
      return new Runner([order], {
        journal: mine,
        dispatch,
        clock,
        tracing: silentTracing,
        node,
        random: () => 0.5,
        suspendAfterMs,
      });
    };
    const first = start(true);
    let ended = false;
    const end = () => {
      ended = true;
    };
    void first.providers[0]?.handle({ id: "x" }, { ...call, key: "k" }, { id: "x" }).then(end, end);
    await clock.until(() => ended || dead).catch(() => {});
    let second: Runner | undefined;
    if (dead) {
      second = start(false);
      await second.start();
      let over = false;
      const finish = () => {
        over = true;
      };
      void second.providers[0]?.handle({ id: "x" }, { ...call, key: "k" }, { id: "x" }).then(finish, finish);
      await clock.until(() => over);
    }
    const [row] = journal.rows();
    return { state: row?.state, done: world.done, crashed: dead, runs: journal.rows().length };
  }

  for (const [name, tell] of Object.entries(stories)) {
    it(`before or after any commit of a run ${name} changes nothing of what was done`, async () => {
      const undisturbed = await story(tell, Number.POSITIVE_INFINITY, false);
      for (const suspendAfterMs of [1_000, 0]) {
        for (const afterWriting of [false, true]) {
          for (let crashBefore = 1; ; crashBefore++) {
            const disturbed = await story(tell, crashBefore, afterWriting, suspendAfterMs);
            const where = `crash ${afterWriting ? "after" : "before"} commit ${crashBefore}`;
            expect(disturbed.runs, where).toBe(1);
            expect(disturbed.state, where).toBe(undisturbed.state);
            const paidBack = (done: string[]) =>
              done.filter((operation) => operation !== "shop.payBack" && operation !== "shop.giveBack");
            expect(new Set(paidBack(disturbed.done)), where).toEqual(new Set(paidBack(undisturbed.done)));
            expect(new Set(disturbed.done).size, where).toBe(disturbed.done.length);
            if (!disturbed.crashed) break;
          }
        }
      }
    });
  }
});

describe("changed code under a run", () => {
  it("pauses the run with the journal's line beside the code's, and goes on with the old code", async () => {
    const b = bench();
    b.world.price = 500;
    await outcome(b, { id: "x" }, { patienceMs: 10 });
    const changed = workflow(Orders.order, { version: 1, uses: [Shop] }, async (input, { shop }) => {
      await shop.pay({ ...input, amount: 1 });
      return { paid: 1 };
    });
    const wrong = bench([changed], b.journal, b.world, b.clock);
    await wrong.runner.signal(onlyRun(b).run, "agreed", { by: "bob" }, { id: "bob" });
    await b.clock.advance(0);
    expect(wrong.reports[0]).toMatch(/journal says.*shop\.take.*code asks for.*shop\.pay/s);
    expect(onlyRun(b).state).toBe("paused");
    const right = bench([order], b.journal, b.world, b.clock);
    await right.runner.resume(onlyRun(b).run);
    await b.clock.until(() => onlyRun(b).state === "done");
  });

  it("leaves a run whose version is not deployed to a node that has it, and runs two versions side by side", async () => {
    const b = bench();
    b.world.price = 500;
    await outcome(b, { id: "x" }, { patienceMs: 10 });
    const newer = workflow(Orders.order, { version: 2, uses: [Shop] }, async () => ({ paid: 1 }));
    const wrong = bench([newer], b.journal, b.world, b.clock);
    await wrong.runner.signal(onlyRun(b).run, "agreed", { by: "bob" }, { id: "bob" });
    await b.clock.advance(60_000);
    expect(onlyRun(b).state).toBe("waiting");
    const both = bench([order, newer], b.journal, b.world, b.clock);
    await both.runner.start();
    await b.clock.until(() => onlyRun(b).state === "done");
    expect(await both.runner.status(onlyRun(b).run)).toMatchObject({ output: { paid: 500 } });
    expect(await outcome(both)).toEqual({ paid: 1 });
  });
});

describe("what the journal refuses", () => {
  const refusing = (type: string): MemoryJournal => {
    const journal = memoryJournal();
    const { append } = journal;
    journal.append = async (run, revision, entries, change) =>
      entries.some((entry) => entry.type === type) ? { refused: "too large." } : append(run, revision, entries, change);
    return journal;
  };

  it("pauses the run, with the reason, and loses nothing that was written", async () => {
    const b = bench([order], refusing("StepDone"));
    await outcome(b, { id: "x" }, { patienceMs: 10 });
    expect(onlyRun(b)).toMatchObject({ state: "paused", reason: expect.stringContaining("too large") });
    expect(types(b.journal.entries(onlyRun(b).run))).toEqual(["Started", "StepStarted", "Paused"]);
  });

  it("is told to the caller where it is the input itself, and no run is begun", async () => {
    const b = bench([order], refusing("Started"));
    expect(await outcome(b)).toMatchObject({ code: "InvalidInput" });
    expect(b.journal.rows()).toEqual([]);
  });
});

describe("branches", () => {
  const Many = contract("many", "1.0.0", {
    go: command({ input: z.object({ ids: z.array(z.string()) }), output: z.array(z.number()) }),
  });
  const many = (body: Parameters<typeof workflow<typeof Many.go, [typeof Shop]>>[2]) =>
    workflow(Many.go, { version: 1, uses: [Shop] }, body);
  const ids = (...ids: string[]) => ({ ids }) as never; // the helper is typed for the other contract

  it("that fail leave nothing half done: what the others did is undone, and what they had not begun is not", async () => {
    const go = many(({ ids }, { run }) =>
      run.all(ids, async (id, { shop }) => {
        await shop.take({ id }).undo(() => shop.giveBack({ id }));
        if (id === "bad") throw new Error("bad luck");
        await shop.pay({ id, amount: 1 }).undo(() => shop.payBack({ id }));
        return 1;
      }),
    );
    for (const order of [
      ["bad", "c"],
      ["a", "bad", "c"],
      ["a", "c", "bad"],
    ]) {
      const b = bench([go]);
      await outcome(b, ids(...order));
      const undone = b.world.done.filter((operation) => operation === "shop.giveBack" || operation === "shop.payBack");
      const began = b.world.done.filter((operation) => operation === "shop.take" || operation === "shop.pay");
      const opposite: Record<string, string> = { "shop.take": "shop.giveBack", "shop.pay": "shop.payBack" };
      expect(undone, order.join()).toEqual(began.toReversed().map((operation) => opposite[operation]));
      const types = b.journal.entries(onlyRun(b).run).map(({ type }) => type);
      expect(types.lastIndexOf("StepStarted"), "nothing forward after the undo began").toBeGreaterThan(0);
      const entries = b.journal.entries(onlyRun(b).run);
      const afterUndo = entries.slice(types.indexOf("UndoBegan")).filter((entry) => entry.type === "StepStarted");
      expect(afterUndo.every((entry) => "name" in entry && /giveBack|payBack/.test(entry.name))).toBe(true);
    }
  });

  it("that fail and are caught have settled before the code goes on", async () => {
    const go = many(async (_, { run, shop }) => {
      await run
        .all(["bad", "slow"], async (id) => {
          if (id === "bad") throw new Error("bad luck");
          await run.sleep("1 hour");
          await shop.pay({ id, amount: 1 });
        })
        .catch(() => {});
      await run.sleep("2 hours");
      return [];
    });
    const b = bench([go]);
    expect(await outcome(b, ids())).toEqual([]);
    expect(b.world.done).toEqual([]);
  });

  it("keep their keys apart, so that replay gives each branch its own results", async () => {
    const go = many(async ({ ids }, { run }) => {
      const draws = await run.all(ids, (id) =>
        run.step("draw", () => id.length * 10 + Number(run.uuid().length === 36)),
      );
      await run.sleep("1 day");
      const more = await run.all([run.step("one", () => 1), run.step("two", () => 2)]);
      const none = await run.all([], async () => 0);
      return [...draws, ...more, none.length];
    });
    const b = bench([go]);
    expect(await outcome(b, ids("a", "bb", "ccc"))).toEqual([11, 21, 31, 1, 2, 0]);
  });

  it("do not share a key with a step whose name looks like a path", async () => {
    const keys: string[] = [];
    const go = many(async (_, { run }) => {
      for (const name of ["x#2", "x", "x", "all/0/y"]) await run.step(name, ({ key }) => void keys.push(key));
      await run.all([1], () => run.step("y", ({ key }) => void keys.push(key)));
      return [];
    });
    expect(await outcome(bench([go]), ids())).toEqual([]);
    expect(new Set(keys).size).toBe(5);
  });
});

describe("ordinary JavaScript in a workflow", () => {
  const told = (body: Parameters<typeof workflow<typeof Orders.order, [typeof Shop]>>[2]) =>
    bench([workflow(Orders.order, { version: 1, uses: [Shop] }, body)]);

  it("may start a branch by itself and await it later, though something else fails first", async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown) => void unhandled.push(error);
    process.on("unhandledRejection", listen);
    const b = told(async (input, { shop }) => {
      const seat = (async () => {
        await shop.take(input).undo(() => shop.giveBack(input));
      })();
      await shop.price(input, { attempts: 1 });
      await seat;
      return { paid: 1 };
    });
    b.world.script = (operation) => (operation === "shop.price" ? "fail" : operation === "shop.take" ? "hang" : "fine");
    expect(await outcome(b)).toBeInstanceOf(Fault);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", listen);
    expect(unhandled).toEqual([]);
  });

  it("may change a value that a step gave it: the journal keeps what the step gave", async () => {
    const b = told(async (_, { run }) => {
      const cart = await run.step("load", () => ({ amount: 1 }));
      cart.amount++;
      await run.sleep("1 day");
      return { paid: cart.amount };
    });
    expect(await outcome(b)).toEqual({ paid: 2 });
  });

  it("may await something of its own between two steps, in the first run and in replay", async () => {
    const b = told(async (_, { run }) => {
      const one = await run.step("one", () => 1);
      await new Promise((resolve) => setTimeout(resolve, 3));
      const two = await run.step("two", () => 2);
      await run.sleep("1 day");
      return { paid: one + two };
    });
    const turn = () => new Promise((resolve) => setTimeout(resolve, 1));
    const reply = b.runner.providers[0]?.handle({ id: "x" }, call, { id: "x" });
    while (b.journal.rows()[0]?.state !== "waiting") await turn();
    await b.clock.advance(86_400_000);
    for (; onlyRun(b).state !== "done"; await b.clock.advance(1)) await turn();
    expect(await reply).toMatchObject({ output: { paid: 3 } });
    expect(b.reports).toEqual([]);
  });

  it("may not take a step inside a step: it is told so at once", async () => {
    const b = told(async (input, { run, shop }) => ({
      paid: await run.step("outer", () => shop.price(input), { attempts: 1 }),
    }));
    expect(await outcome(b)).toMatchObject({
      message: expect.stringContaining('The step "outer" asks for a step of its own'),
    });
  });

  it("does its work once where a step gives back what is no JSON", async () => {
    let mails = 0;
    const b = told(async (_, { run }) => {
      await run.step("mail", () => {
        mails++;
        return new Date() as never;
      });
      return { paid: 1 };
    });
    expect(await outcome(b)).toMatchObject({ message: expect.stringContaining("a Date") });
    expect(mails).toBe(1);
  });

  it("reads the value of a fallback from the journal in replay", async () => {
    let count = 0;
    const b = told(async (input, { run, shop }) => {
      const paid = await shop.price(input, { attempts: 1 }).or(async () => ++count);
      await run.sleep("1 day");
      return { paid };
    });
    b.world.script = () => "fail";
    expect(await outcome(b)).toEqual({ paid: 1 });
    expect(count).toBe(2);
  });

  it("may not undo an undo", async () => {
    const b = told(async (input, { shop }) => {
      await shop.take(input).undo(() => shop.pay({ ...input, amount: 1 }).undo(() => shop.payBack(input)));
      throw new Error("no");
    });
    await outcome(b, { id: "x" }, { patienceMs: 10 });
    await b.clock.until(() => onlyRun(b).state === "paused");
    expect(onlyRun(b).reason).toContain("cannot have an undo of its own");
  });
});

describe("a workflow that calls a workflow", () => {
  const Outer = contract("outer", "1.0.0", { go: command({ input: Key, output: z.object({ paid: z.number() }) }) });
  const nested = () => {
    const inner = workflow(Orders.order, { version: 1, uses: [Shop] }, async (input, { shop, run }) => {
      await run.sleep("10 minutes");
      await shop.pay({ ...input, amount: 5 });
      return { paid: 5 };
    });
    const outer = workflow(Outer.go, { version: 1, uses: [Shop, Orders] }, async (input, { shop, orders }) => {
      await shop.take(input).undo(() => shop.giveBack(input));
      return orders.order(input);
    });
    const b = bench([outer, inner]);
    const { call: outside } = b.world.dispatch;
    const through = (next: Bench) => {
      next.world.dispatch.call = async (operation, input, context) => {
        const provider = next.runner.providers.find((one) => one.operation === operation);
        if (!provider) return outside(operation, input, context);
        const reply = await provider.handle(input, context, input);
        return "output" in reply ? { wire: reply.output, value: reply.output } : (reply as never);
      };
    };
    through(b);
    return { b, workflows: [outer, inner], through };
  };

  it("waits for it as long as it takes", async () => {
    const { b } = nested();
    expect(await outcome(b)).toEqual({ paid: 5 });
    expect(b.world.done).toEqual(["shop.take", "shop.pay"]);
  });

  it("is not undone because its node stops meanwhile", async () => {
    const { b, workflows, through } = nested();
    await outcome(b, { id: "x" }, { patienceMs: 10 });
    const drained = b.runner.drain(1_000);
    await b.clock.advance(60_000);
    await drained;
    const next = bench(workflows, b.journal, b.world, b.clock);
    through(next);
    await next.runner.start();
    await b.clock.until(() => b.journal.rows().every(({ state }) => state === "done"));
    expect(b.world.done).toEqual(["shop.take", "shop.pay"]);
  });

  it("can void it before it has begun", async () => {
    const { b } = nested();
    const provider = b.runner.providers.find(({ operation }) => operation === "orders.order");
    expect(await provider?.void?.("k", call)).toEqual({ took: false });
    await expect(provider?.handle({ id: "x" }, { ...call, key: "k" }, { id: "x" })).rejects.toMatchObject({
      code: "Voided",
    });
    expect(b.world.done).toEqual([]);
  });

  it("says when it is voided what it did, that it never will where it had not begun, and otherwise that nobody knows", async () => {
    const { b } = nested();
    const provider = b.runner.providers.find(({ operation }) => operation === "orders.order");
    const begun = (key: string, id: string) =>
      outcome({ ...b, runner: { providers: [provider] } as never }, { id }, { key });
    expect(await begun("done", "a")).toEqual({ paid: 5 });
    expect(await provider?.void?.("done", call)).toEqual({ took: true, wire: { paid: 5 } });
    b.world.script = (operation) => (operation === "shop.pay" ? "full" : "fine");
    expect(await begun("failed", "b")).toBeInstanceOf(Fault);
    expect(await provider?.void?.("failed", call)).toEqual({ took: "unknown" }); // it may be retried
    for (let times = 0; times < 2; times++) expect(await provider?.void?.("never", call)).toEqual({ took: false });
    b.world.script = (operation) => (operation === "shop.pay" ? "fail" : "fine");
    void begun("terminated", "c").catch(() => {});
    await b.clock.until(() => b.journal.rows().some(({ state }) => state === "running"));
    const run = b.journal.rows().find(({ state }) => state === "running")?.run ?? "";
    await b.runner.steer(run, { to: "terminate", by: "ann" });
    await b.clock.until(() => b.journal.rows().some(({ state }) => state === "terminated"));
    expect(await provider?.void?.("terminated", call)).toEqual({ took: "unknown" });
  });
});

describe("a journal that cannot be read for a moment", () => {
  it("strands no run", async () => {
    const b = bench();
    b.world.price = 500;
    for (const id of ["a", "b", "c"]) await outcome(b, { id }, { patienceMs: 10 });
    const { read } = b.journal;
    let failed = false;
    b.journal.read = async (run) => {
      if (failed) return read(run);
      failed = true;
      throw new Error("The disk is away.");
    };
    await b.clock.until(() => b.journal.rows().every(({ state }) => state === "failed"));
    expect(b.reports).toContain("lost");
  });
});
