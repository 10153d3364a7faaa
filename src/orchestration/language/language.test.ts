import { describe, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, failure } from "../../contracts/index.ts";
import { type FakeHandlers, fake, workflowBench } from "../../testing/index.ts";
import { workflow } from "../index.ts";
import { toCopy } from "../steering/forking.ts";
import { benchOf, everywhere, Jobs, jobOf, Parents, Shop, said, shop, type Told, tell } from "./language.test-d.ts";

type Body = Parameters<typeof jobOf>[0];
const same = (told: unknown, undisturbed: unknown, where: string) => expect(told, where).toEqual(undisturbed);
const outcome = (body: Body, handlers: FakeHandlers<typeof Shop> = {}): Promise<Told> =>
  everywhere(async (options) => {
    const bench = benchOf(jobOf(body), options, handlers);
    return { bench, told: await tell(bench) };
  }, same) as Promise<Told>;

describe("the policy of a step", () => {
  it("pauses between attempts as it says, up to the longest pause", async () => {
    const at: number[] = [];
    const bench = benchOf(
      jobOf(async (_, { run }) =>
        run.step(
          "fails",
          () => {
            at.push(0);
            throw new Error("no");
          },
          { attempts: 5, retry: { backoff: "1 second", factor: 3, max: "5 seconds", jitter: false } },
        ),
      ),
    );
    await bench.run({ n: 1 }).catch(said);
    const failed = bench.entries.flatMap((entry) =>
      entry.type === "AttemptFailed" || entry.type === "StepFailed" ? [entry.at] : [],
    );
    expect(failed.slice(1).map((time, nth) => time - (failed[nth] ?? 0))).toEqual([1_000, 3_000, 5_000, 5_000]);
    expect(at).toHaveLength(5);
  });

  it("ends all attempts at the deadline, counted from the first, through crashes and other nodes", async () => {
    const told = await everywhere(async (options) => {
      const bench = benchOf(
        jobOf(async (_, { run }) => {
          const began = run.now().getTime();
          await run
            .step("fails", () => Promise.reject(new Error("no")), {
              attempts: Number.POSITIVE_INFINITY,
              deadline: "1 minute",
              retry: { backoff: "7 seconds", factor: 1, jitter: false },
            })
            .or(() => undefined);
          return run.now().getTime() - began <= 60_000;
        }),
        options,
      );
      return { bench, told: (await tell(bench)).end };
    }, same);
    expect(told).toBe(true);
  });

  it("gives up an attempt that is under way at the deadline", async () => {
    let aborted = false;
    const bench = benchOf(
      jobOf(async (_, { run }) =>
        run.step(
          "hangs",
          ({ aborted: signal }) =>
            new Promise<never>(() =>
              signal.addEventListener("abort", () => {
                aborted = true;
              }),
            ),
          { deadline: "3 seconds" },
        ),
      ),
    );
    const began = Date.UTC(2026, 0, 1);
    await bench.run({ n: 1 }).catch(said);
    expect(aborted).toBe(true);
    expect((bench.row?.endedAt ?? 0) - began).toBe(3_000);
  });

  it("tries a declared failure again where the contract says that it helps, and no other", async () => {
    const Turns = contract("turns", "1.0.0", {
      take: command({
        input: z.object({}),
        failures: {
          Busy: failure(409, "Not now.", { retry: "later" }),
          Over: failure(410, "It is over."),
        },
      }),
    });
    const attemptsFor = async (code: "Busy" | "Over") => {
      let attempts = 0;
      const turns = fake(Turns, {
        take(_, { fail }) {
          attempts++;
          fail[code]();
        },
      });
      const taking = workflow(Parents.go, { version: 1, uses: [Turns] }, async (_, { turns }) => {
        await turns.take({}, { attempts: 3 }).or(() => {});
      });
      await workflowBench(taking, [turns]).run({ n: 1 });
      return attempts;
    };
    expect([await attemptsFor("Busy"), await attemptsFor("Over")]).toEqual([3, 1]);
  });

  it.each([{ attempts: 0 }, { attempts: 1.5 }, { retry: { factor: 0.5 } }])("refuses %o", async (policy) => {
    const { end } = await tell(benchOf(jobOf(async (_, { run }) => run.step("x", () => 1, policy))));
    expect(end).toMatch(/attempts; there are|a factor is 1 or more/);
  });
});

describe("the key of a step", () => {
  it("is short enough for every store, however deep the step stands and however long its name is", async () => {
    const keys: string[] = [];
    const deep = async (depth: number, { run }: Parameters<Body>[1]): Promise<void> => {
      for (const name of ["long".repeat(200), `${"long".repeat(200)}er`, "short"])
        await run.step(name, ({ key }) => void keys.push(key));
      if (depth > 0) await run.all({ ["part".repeat(9)]: (context) => deep(depth - 1, context) });
    };
    const bench = benchOf(jobOf((_, context) => deep(20, context)));
    await bench.run({ n: 1 });
    expect(keys).toHaveLength(63);
    expect(new Set(keys).size).toBe(63);
    expect(Math.max(...keys.map(({ length }) => length))).toBeLessThanOrEqual(400);
    expect(keys.every((key) => key.startsWith(`${bench.row?.run}/`))).toBe(true);
  });
});

describe("what a step gives back", () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const deep = Array.from({ length: 20_000 }).reduce<unknown>((inner) => [inner], []);

  it.each([
    { what: "a circle", given: circle },
    { what: "what nests too deep", given: { deep } },
  ])("is no JSON where it is $what: its work is done once, and the failure says so", async ({ given }) => {
    let done = 0;
    const bench = benchOf(
      jobOf(async (_, { run }) =>
        run.step("odd", () => {
          done++;
          return given as never;
        }),
      ),
    );
    await expect(bench.run({ n: 1 })).rejects.toMatchObject({ code: "Internal" });
    expect(done).toBe(1);
    expect(bench.entries.at(-1)).toMatchObject({
      thrown: {
        message: expect.stringContaining('The result of the step "odd" has a circle, or more than 500 levels'),
      },
    });
  });
});

describe("a step that is named like an undo", () => {
  it("shares no key with one, is undone as any other, and is done again by a fork", async () => {
    const keys: string[] = [];
    const job = jobOf(async (_, { run }) => {
      await run.step("pay", ({ key }) => void keys.push(key)).undo(({ key }) => void keys.push(key));
      await run.step("undo pay", ({ key }) => void keys.push(key)).undo(({ key }) => void keys.push(key));
      await run.step("void pay", ({ key }) => void keys.push(key));
      throw new Error("no");
    });
    const bench = benchOf(job);
    await bench.run({ n: 1 }).catch(said);
    expect(keys).toHaveLength(5);
    expect(new Set(keys).size).toBe(5);
    const { run = "" } = bench.row ?? {};
    const copy = toCopy(run, bench.entries, undefined);
    expect("again" in copy && copy.again).toEqual(["pay", "undo pay", "void pay"]);
  });
});

describe("run.emit", () => {
  it("writes an event once, whatever crashes, and in the order of the code", async () => {
    const told = await outcome(async ({ n }, { run }) => {
      await run.emit(Jobs.Gone, { n });
      await run.emit(Shop.Taken, { id: "x" });
      await run.all([1, 2], (n, { run }) => run.emit(Jobs.Gone, { n }));
      return "done";
    });
    expect(told.events).toEqual([
      { event: "jobs.Gone", payload: { n: 1 } },
      { event: "shop.Taken", payload: { id: "x" } },
      { event: "jobs.Gone", payload: { n: 1 } },
      { event: "jobs.Gone", payload: { n: 2 } },
    ]);
  });

  it("refuses an event of a contract that the workflow does not use", async () => {
    const lonely = workflow(Parents.go, { version: 1 }, async (_, { run }) => {
      await run.emit(Jobs.Gone as never, { n: 1 } as never);
    });
    await expect(workflowBench(lonely, []).run({ n: 1 })).rejects.toThrow(/does not use the contract of jobs.Gone/);
  });
});

describe("run.progress", () => {
  it("is on disk with the next commit and costs none, and the last value wins", async () => {
    const bench = benchOf(
      jobOf(async (_, { run, shop }) => {
        for (let done = 0; done < 3; done++) {
          run.progress({ done: -1 });
          run.progress({ done });
          await shop.take({ id: String(done) });
        }
        return 1;
      }),
    );
    await bench.run({ n: 1 });
    expect(bench.entries.flatMap((entry) => (entry.type === "Progress" ? [entry.value] : []))).toEqual([
      { done: 0 },
      { done: 1 },
      { done: 2 },
    ]);
    expect(bench.commits).toBe(4);
  });

  it("is not said again in replay", async () => {
    for (const alwaysSuspend of [false, true]) {
      const bench = benchOf(
        jobOf(async (_, { run }) => {
          for (let done = 0; done < 4; done++) {
            await run.sleep("1 hour");
            run.progress({ done });
            await run.all([run.sleep("1 day"), run.sleep("2 days")]);
          }
          return 1;
        }),
        { alwaysSuspend },
      );
      await bench.run({ n: 1 });
      expect(bench.entries.filter(({ type }) => type === "Progress")).toHaveLength(4);
      expect(bench.progress).toEqual({ done: 3 });
    }
  });

  it("is refused where the contract declares none, and where it is no JSON", async () => {
    const silent = workflow(Parents.go, { version: 1 }, async (_, { run }) => run.progress(1 as never));
    await expect(workflowBench(silent, []).run({ n: 1 })).rejects.toThrow(/parents.go declares no progress/);
    const { end } = await tell(benchOf(jobOf(async (_, { run }) => run.progress(new Date() as never))));
    expect(end).toContain("a Date");
  });

  it("changes nothing of a run that crashes", async () => {
    const told = await outcome(async (_, { run, shop }) => {
      run.progress({ done: 1 });
      await shop.take({ id: "a" });
      run.progress({ done: 2 });
      await run.sleep("1 day");
      return 1;
    });
    expect(told).toMatchObject({ end: 1, state: "done" });
  });
});

describe("run.child", () => {
  const child = jobOf(async ({ n }, { run, shop, fail }) => {
    await run.sleep("1 day");
    await shop.take({ id: `child ${n}` });
    if (n < 0) throw fail.No();
    return n * 2;
  });
  const parentOf = (body: Parameters<typeof workflow<typeof Parents.go, [typeof Shop, typeof Jobs]>>[2]) =>
    workflow(Parents.go, { version: 1, uses: [Shop, Jobs] }, body);
  const told = (body: Parameters<typeof parentOf>[0]) =>
    everywhere(async (options) => {
      const bench = workflowBench(parentOf(body), [shop()], { ...options, beside: [child] });
      const { end, calls, state } = await tell(bench);
      // What was begun and not awaited goes on by itself.
      await bench.pass("10 days");
      const children = bench.rows.slice(1).map(({ state }) => state);
      // Runs that are due at the same time go on side by side: which one's step comes first is no promise.
      const took = bench.calls.map(({ input }) => input as { readonly id: string });
      took.sort((one, other) => one.id.localeCompare(other.id));
      return { bench, told: { end, calls: calls.length, children, state, took } };
    }, same);

  it("begins a run once and does not wait for it", async () => {
    const result = await told(async (_, { run }) => {
      const first = await run.child(Jobs.go, { n: 1 });
      const second = await run.child(Jobs.go, { n: 2 });
      return [first.run.length, first.run === second.run];
    });
    expect(result).toMatchObject({
      ...{ end: [36, false], calls: 0, children: ["done", "done"] },
      took: [{ id: "child 1" }, { id: "child 2" }],
    });
  });

  it("can be waited for, while its parent is out of memory", async () => {
    const result = await told(async (_, { run, shop }) => {
      const child = await run.child(Jobs.go, { n: 4 });
      await shop.take({ id: "meanwhile" });
      return child.result();
    });
    expect(result).toMatchObject({ end: 8, children: ["done"], took: [{ id: "child 4" }, { id: "meanwhile" }] });
    const bench = workflowBench(
      parentOf(async (_, { jobs }) => jobs.go({ n: 4 })),
      [shop()],
      { beside: [child] },
    );
    await bench.begin({ n: 1 });
    await bench.pass("1 hour");
    expect(bench.rows.map(({ state, owner }) => [state, owner])).toEqual([
      ["waiting", null],
      ["waiting", null],
    ]);
    expect(await bench.end()).toBe(8);
  });

  it("tells its parent that it failed, and with what", async () => {
    const result = await told(async (_, { run }) => {
      const child = await run.child(Jobs.go, { n: -1 });
      return child.result().or((error) => (error as { code: string }).code);
    });
    expect(result).toMatchObject({ end: "No", children: ["failed"] });
  });

  it("can be waited for side by side with others, and given up for a time", async () => {
    const result = await told(async (_, { run }) => {
      const children = await run.all([1, 2, 3], (n, { run }) => run.child(Jobs.go, { n }));
      const results = await run.all(children, (child) => child.result());
      const late = await run.race({ late: (await run.child(Jobs.go, { n: 9 })).result(), time: run.sleep("1 hour") });
      return [results, late.winner];
    });
    expect(result).toMatchObject({ end: [[2, 4, 6], "time"], children: ["done", "done", "done", "done"] });
  });

  it("is not undone with its parent, unless its undo says how", async () => {
    const result = await told(async (_, { run, shop }) => {
      await run.child(Jobs.go, { n: 1 }).undo(({ result }) => shop.giveBack({ id: String(result?.run.length) }));
      throw new Error("The parent fails.");
    });
    expect(result).toMatchObject({
      end: "The parent fails.",
      children: ["done"],
      took: [{ id: "36" }, { id: "child 1" }],
    });
  });

  it("has a deadline where its step has one", async () => {
    const result = await told(async (_, { run }) => {
      const child = await run.child(Jobs.go, { n: 1 });
      return child.result({ deadline: "1 hour" }).or(() => "too late");
    });
    expect(result).toMatchObject({ end: "too late", children: ["done"] });
  });

  it("is refused for a command that the workflow does not use, and for one that is no workflow", async () => {
    const lonely = workflow(Parents.go, { version: 1 }, async (_, { run }) =>
      run.child(Jobs.go as never, { n: 1 } as never),
    );
    await expect(workflowBench(lonely, []).run({ n: 1 })).rejects.toThrow(/does not use the contract of jobs.go/);
    const wrong = parentOf(async (_, { run }) => run.child(Shop.take, { id: "x" }));
    await expect(workflowBench(wrong, [shop()]).run({ n: 1 })).rejects.toThrow(/shop.take is no workflow/);
  });
});

describe("run.continueAsNew", () => {
  const counting: Body = async ({ n }, { run, shop, fail }) => {
    const id = run.uuid();
    await shop.take({ id }).undo(() => shop.giveBack({ id }));
    await run.sleep("1 day");
    if (n < 4) throw run.continueAsNew({ n: n + 1 });
    if (n === 9) throw fail.No();
    return n;
  };

  it("goes on with an empty journal under the same id, and gives whoever waits the last result", async () => {
    const result = await everywhere(async (options) => {
      const bench = benchOf(jobOf(counting), options);
      const { end, calls, state } = await tell(bench);
      return { bench, told: { end, calls: new Set(calls).size, state, runs: bench.rows.length } };
    }, same);
    expect(result).toEqual({ end: 4, calls: 4, state: "done", runs: 1 });
  });

  it("replays nothing of what came before", async () => {
    let steps = 0;
    const bench = benchOf(
      jobOf(async ({ n }, { run }) => {
        for (let at = 0; at < 5; at++) {
          steps++;
          await run.step("s", () => at);
        }
        await run.sleep("1 day");
        if (n < 20) throw run.continueAsNew({ n: n + 1 });
        return n;
      }),
    );
    expect(await bench.run({ n: 1 })).toBe(20);
    expect(steps).toBe(20 * 5 * 2);
    expect(bench.row?.from).toBe(bench.entries.findLastIndex(({ type }) => type === "Continued"));
  });

  it("hands on the signals that were not taken, and those only", async () => {
    const result = await everywhere(async (options) => {
      const bench = benchOf(
        jobOf(async ({ n }, { run, shop }) => {
          const { id } = await run.signal.yes;
          await shop.take({ id });
          if (n < 4) throw run.continueAsNew({ n: n + 1 });
          return (await run.signal.no).id;
        }),
        options,
      );
      await bench.begin({ n: 1 });
      await bench.signal("no", { id: "left" });
      for (const id of ["a", "b", "c"]) await bench.signal("yes", { id });
      await bench.pass("1 minute");
      await bench.signal("yes", { id: "d" });
      const end = await bench.end();
      return { bench, told: { end, took: bench.calls.map(({ input }) => input) } };
    }, same);
    expect(result).toEqual({ end: "left", took: [{ id: "a" }, { id: "b" }, { id: "c" }, { id: "d" }] });
  });

  it("leaves what was done as it is: only the last stretch is undone", async () => {
    const told = await outcome(async ({ n }, { run, shop, fail }) => {
      await shop.take({ id: String(n) }).undo(() => shop.giveBack({ id: String(n) }));
      if (n < 3) throw run.continueAsNew({ n: n + 1 });
      throw fail.No();
    });
    expect(told).toMatchObject({
      end: "No",
      calls: ["shop.take 1", "shop.take 2", "shop.take 3", "shop.giveBack 3"],
    });
  });

  it("fails and undoes the run where the input is not what the contract says", async () => {
    const told = await outcome(async (_, { run, shop }) => {
      await shop.take({ id: "x" }).undo(() => shop.giveBack({ id: "x" }));
      throw run.continueAsNew({ n: "one" as never });
    });
    expect(told.end).toContain("cannot continue with this input: /n");
    expect(told.calls).toEqual(["shop.take x", "shop.giveBack x"]);
  });

  it("is an error where the code catches it and goes on", async () => {
    const told = await outcome(async (_, { run }) => {
      await run.sleep("1 day");
      try {
        run.continueAsNew({ n: 2 });
      } catch {}
      return 1;
    });
    expect(told.end).toContain("called run.continueAsNew and went on");
  });

  it("goes on in the newest version of the workflow", async () => {
    const newer = jobOf(async ({ n }) => `newer ${n}`, 2);
    const bench = benchOf(jobOf(counting), { beside: [newer] });
    await bench.begin({ n: 1 });
    expect(await bench.end()).toBe("newer 1");
  });

  it("settles branches that are under way before it goes on", async () => {
    const told = await outcome(async ({ n }, { run, shop }) => {
      await run.all({
        loop: async ({ run }) => {
          await run.sleep("1 hour");
          if (n < 3) throw run.continueAsNew({ n: n + 1 });
        },
        other: async ({ run }) => {
          await run.sleep("2 hours");
          await shop.take({ id: String(n) });
        },
      });
      return n;
    });
    expect(told).toMatchObject({ end: 3, calls: ["shop.take 3"] });
  });
});
