import { describe, expect, it } from "vitest";
import type { FakeHandlers } from "../../testing/index.ts";
import type { Entry } from "../journal/journal.ts";
import { benchOf, everywhere, jobOf, type Shop, said, type Told, tell } from "./language.test-d.ts";

type Body = Parameters<typeof jobOf>[0];
const same = (told: unknown, undisturbed: unknown, where: string) => expect(told, where).toEqual(undisturbed);
/** What comes of it, whatever crashes. */
const outcome = (body: Body, handlers: FakeHandlers<typeof Shop> = {}): Promise<Told> =>
  everywhere(async (options) => {
    const bench = benchOf(jobOf(body), options, handlers);
    return { bench, told: await tell(bench) };
  }, same) as Promise<Told>;
const pathsOf = (entries: readonly Entry[], type: string) =>
  entries.flatMap((entry) => (entry.type === type && "path" in entry ? [entry.path] : []));

describe("run.race", () => {
  it("gives the value of the first, and what it does next is done after the losers have settled", async () => {
    const told = await outcome(async (_, { run, shop }) => {
      const first = await run.race([
        async ({ run }) => {
          await run.sleep("5 seconds");
          await shop.take({ id: "slow" });
          return "slow";
        },
        async ({ run }) => {
          await run.sleep("2 seconds");
          return "fast";
        },
      ]);
      await run.sleep("10 seconds");
      await shop.take({ id: "after" });
      return first;
    });
    expect(told).toMatchObject({ end: "fast", calls: ["shop.take after"], state: "done" });
  });

  it("between a signal and a time is decided by which comes first", async () => {
    const job = jobOf((_, { run }) => run.race({ said: run.signal.yes, over: run.sleep("1 day") }));
    for (const [when, winner] of [
      ["1 hour", "said"],
      ["2 days", "over"],
    ] as const) {
      await everywhere(async (options) => {
        const bench = benchOf(job, options);
        await bench.begin({ n: 1 });
        await bench.pass(when);
        if (winner === "said") await bench.signal("yes", { id: "x" });
        const end = (await bench.end()) as { winner: string };
        expect(end.winner).toBe(winner);
        return { bench, told: end };
      }, same);
    }
  });

  it("fails where the first to end fails", async () => {
    const told = await outcome((_, { run, shop }) => run.race([run.sleep("1 hour"), shop.take({ id: "x" })]), {
      take: (_, { fail }) => fail.Full(),
    });
    expect(told.end).toContain("Full");
  });

  it("leaves what a loser has done on the undo stack, and takes off what it has not done", async () => {
    const body: Body = async (_, { run, shop, fail }) => {
      await run.race([
        async () => {
          await shop.take({ id: "loser" }).undo(() => shop.giveBack({ id: "loser" }));
          await run.sleep("1 hour");
          await shop.take({ id: "never" }).undo(() => shop.giveBack({ id: "never" }));
        },
        async () => {
          await run.sleep("1 minute");
          await shop.take({ id: "winner" }).undo(() => shop.giveBack({ id: "winner" }));
        },
      ]);
      throw fail.No();
    };
    const told = await outcome(body);
    expect(told.end).toBe("No");
    expect(told.calls).toEqual(["shop.take loser", "shop.take winner", "shop.giveBack winner", "shop.giveBack loser"]);
  });

  it("aborts an action that loses, and undoes it with an unknown outcome where it may have been done", async () => {
    let aborted = 0;
    const outcomes: string[] = [];
    const bench = benchOf(
      jobOf(async (_, { run, fail }) => {
        await run.race([
          run
            .step(
              "hangs",
              ({ aborted: signal }) => new Promise<never>(() => signal.addEventListener("abort", () => aborted++)),
            )
            .undo(({ outcome }) => void outcomes.push(outcome)),
          run.sleep("3 seconds"),
        ]);
        throw fail.No();
      }),
    );
    expect(await bench.run({ n: 1 }).catch(said)).toBe("No");
    expect([aborted, outcomes]).toEqual([1, ["unknown"]]);
    const types = bench.entries.map(({ type }) => type);
    expect(types.indexOf("StepFailed")).toBeLessThan(types.indexOf("UndoBegan"));
  });

  it("does not undo in the store what never took effect there, whatever crashes before anybody knows", async () => {
    const body: Body = async (_, { run, shop, fail }) => {
      await shop.take({ id: "kept" }).undo(() => shop.giveBack({ id: "kept" }));
      await run.race([
        shop.take({ id: "lost" }).undo(({ outcome }) => shop.giveBack({ id: outcome })),
        run.sleep("3 seconds"),
      ]);
      throw fail.No();
    };
    const take = ({ id }: { readonly id: string }) => (id === "lost" ? new Promise<never>(() => {}) : id);
    const told = await outcome(body, { take });
    expect(told).toMatchObject({ end: "No", calls: ["shop.take kept", "shop.giveBack kept"] });
  });

  it("inside an undo takes back its losers like any other", async () => {
    const told = await outcome(async (_, { run, shop, fail }) => {
      await shop.take({ id: "a" }).undo(() =>
        run.race([
          run.step("hangs", () => new Promise<never>(() => {})),
          async ({ run, shop }) => {
            await run.sleep("3 seconds");
            await shop.giveBack({ id: "a" });
          },
        ]),
      );
      throw fail.No();
    });
    expect(told).toMatchObject({ end: "No", state: "failed", calls: ["shop.take a", "shop.giveBack a"] });
  });

  it("over items gives each branch a scope of its own", async () => {
    const told = await outcome((_, { run }) =>
      run.race([3, 1, 2], async (seconds, { run }) => {
        await run.sleep(`${seconds} seconds`);
        return run.step("name", () => `after ${seconds}`);
      }),
    );
    expect(told.end).toBe("after 1");
  });

  it("of races and alls takes back what is inside a loser", async () => {
    const body: Body = async (_, { run, shop }) => {
      const won = await run.race({
        all: run.all([run.sleep("1 hour"), run.signal.yes, run.race([run.sleep("1 hour"), run.signal.no])]),
        time: run.sleep("1 minute"),
      });
      await shop.take({ id: "after" });
      return won.winner;
    };
    expect(await outcome(body)).toMatchObject({ end: "time", calls: ["shop.take after"] });
  });

  it("of nothing is refused", async () => {
    expect((await tell(benchOf(jobOf((_, { run }) => run.race([]))))).end).toContain("run.race of nothing");
    expect((await tell(benchOf(jobOf((_, { run }) => run.any({}))))).end).toContain("run.any of nothing");
  });

  it("can be run again and again in one run without its parts adding up", async () => {
    const bench = benchOf(
      jobOf(async (_, { run }) => {
        for (let at = 0; at < 300; at++) await run.race([run.step("one", () => at), run.sleep("1 hour")]);
        return "done";
      }),
    );
    expect(await bench.run({ n: 1 })).toBe("done");
    expect(pathsOf(bench.entries, "StepStarted").at(-1)).toBe("one#300");
  });
});

describe("run.any", () => {
  it("goes on with the first that succeeds, whatever fails before it", async () => {
    const told = await outcome(
      (_, { run, shop }) =>
        run.any({
          refused: shop.take({ id: "a" }),
          late: async ({ run }) => {
            await run.sleep("3 seconds");
            return "late";
          },
          never: run.sleep("1 hour"),
        }),
      { take: (_, { fail }) => fail.Full() },
    );
    expect(told.end).toEqual({ winner: "late", value: "late" });
  });

  it("fails where none succeeds, and says why each did not", async () => {
    const told = await outcome(
      (_, { run }) =>
        run.any(["one", "two"], async (name, { run }) =>
          run.step(name, () => Promise.reject(new Error(`No ${name}.`)), { attempts: 1 }),
        ),
      {},
    );
    expect(told.end).toContain("None of 2 parts succeeded: No one. No two.");
  });
});

describe("run.all", () => {
  it("over a record gives a record", async () => {
    const told = await outcome((_, { run, shop }) =>
      run.all({ price: shop.price({ id: "four" }), waited: run.sleep("2 seconds"), name: async () => "x" }),
    );
    expect(told.end).toEqual({ price: 4, name: "x" });
  });
});

describe("run.within", () => {
  it("gives what the part gives, where it comes to its end in time", async () => {
    const told = await outcome((_, { run, shop }) => run.within("1 minute", shop.take({ id: "x" })));
    expect(told).toMatchObject({ end: "took x", calls: ["shop.take x"] });
  });

  it("aborts the part when the time is over, and fails when that has settled", async () => {
    const body: Body = async (_, { run, shop }) => {
      const over = await run
        .within("1 minute", async ({ run }) => {
          await shop.take({ id: "before" });
          await run.sleep("2 minutes");
          await shop.take({ id: "never" });
        })
        .catch((error: { code: string }) => error.code);
      await run.sleep("10 minutes");
      return over;
    };
    expect(await outcome(body)).toMatchObject({ end: "DeadlineExceeded", calls: ["shop.take before"] });
  });

  it("holds over all the attempts of a step", async () => {
    let attempts = 0;
    const bench = benchOf(
      jobOf((_, { run }) =>
        run.within(
          "10 seconds",
          run.step(
            "fails",
            () => {
              attempts++;
              throw new Error("no");
            },
            { attempts: Number.POSITIVE_INFINITY, retry: { backoff: "3 seconds", factor: 1, jitter: false } },
          ),
        ),
      ),
    );
    expect(await bench.run({ n: 1 }).catch(said)).toBe("Unavailable");
    expect(attempts).toBe(4);
  });
});

describe("run.until", () => {
  it("waits until an instant, and not at all for one that has passed", async () => {
    const told = await outcome(async (_, { run }) => {
      const began = run.now().getTime();
      await run.until(new Date(began + 3_600_000));
      await run.until(new Date(began));
      return run.now().getTime() - began;
    });
    expect(told.end).toBe(3_600_000);
  });

  it("refuses what is no instant", async () => {
    const { end } = await tell(benchOf(jobOf((_, { run }) => run.until(new Date("never")))));
    expect(end).toContain("invalid date");
  });
});

describe("a step that is made and never awaited", () => {
  const forgets =
    (wait: (run: Parameters<Body>[1]["run"]) => PromiseLike<unknown>): Body =>
    async (_, { run, shop }) => {
      await shop.take({ id: "a" }).undo(() => shop.giveBack({ id: "a" }));
      shop.price({ id: "forgotten" });
      await wait(run);
      return "never";
    };

  it.each([
    ["a sleep", (run) => run.sleep("1 day")],
    ["a signal", (run) => run.signal.yes],
    ["a race", (run) => run.race([run.sleep("1 day"), run.signal.no])],
    ["a branch", (run) => run.all([1, 2], (_, { run }) => run.sleep("1 day"))],
  ] satisfies readonly (readonly [string, Parameters<typeof forgets>[0]])[])(
    "is an error that names it when the run waits in %s, and the run is undone",
    async (_, wait) => {
      const told = await outcome(forgets(wait));
      expect(told.end).toContain('its step "shop.price" was never awaited');
      expect(told.calls).toEqual(["shop.take a", "shop.giveBack a"]);
    },
  );

  it.each(["run.sleep", "run.race", "run.all", "run.within", "run.signal.yes"])(
    "is an error when the run ends, and it was a %s",
    async (name) => {
      const body: Body = async (_, { run }) => {
        if (name === "run.sleep") void run.sleep("1 day");
        if (name === "run.race") void run.race([run.signal.no]);
        if (name === "run.all") void run.all([]);
        if (name === "run.within") void run.within("1 day", run.signal.no);
        if (name === "run.signal.yes") void run.signal.yes.within("1 day");
        return 1;
      };
      expect((await tell(benchOf(jobOf(body)))).end).toContain(`its step "${name}" was never awaited`);
    },
  );

  it("is none where its part has lost a race", async () => {
    const told = await outcome(async (_, { run, shop }) => {
      await run.race([
        async ({ run, shop }) => {
          const later = shop.price({ id: "x" });
          await run.step("hangs", () => new Promise<never>(() => {}));
          return later;
        },
        run.sleep("3 seconds"),
      ]);
      await run.sleep("1 day");
      return (await shop.take({ id: "y" })).length;
    });
    expect(told.end).toBe(6);
  });
});
