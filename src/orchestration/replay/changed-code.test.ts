import { describe, expect, it } from "vitest";
import { silent, silentTracing } from "../../contracts/index.ts";
import { type History, replays } from "../../testing/index.ts";
import { memoryJournal } from "../../testing/memory-journal.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { benchOf, Jobs, jobOf, said } from "../language/language.test-d.ts";
import type { Workflow } from "../language/workflow.ts";
import { Runner } from "../node/runner.ts";

type Body = Parameters<typeof jobOf>[0];

const old: Body = async ({ n }, { run, shop }) => {
  await shop.take({ id: `a${n}` }).undo(() => shop.giveBack({ id: "a" }));
  await run.step("note", () => 1);
  await run.sleep("1 day");
  await run.step("last", () => 2);
  return "old";
};

/** A run of the old code that waits, and then goes on with other code. */
async function goOn(before: Body, after: Body, more: (bench: Meeting) => Promise<void> = async () => {}) {
  const meeting = new Meeting(before);
  await meeting.begin();
  await meeting.with(after);
  await more(meeting);
  return { state: meeting.row?.state, reason: meeting.row?.reason ?? "", end: meeting.end };
}

/** One journal, and one deployment of code after the other. */
class Meeting {
  readonly journal = memoryJournal();
  readonly clock = virtualClock();
  end: unknown;
  #runner: Runner;
  #nodes = 0;
  constructor(body: Body) {
    this.#runner = this.#start(jobOf(body));
  }
  get row() {
    return this.journal.rows()[0];
  }
  async begin(): Promise<void> {
    const call = {
      principal: { id: "ann", kind: "key", scopes: [] },
      trace: silent,
      aborted: new AbortController().signal,
      patienceMs: 1,
    } as const;
    void this.#runner.providers[0]?.handle({ n: 1 }, call, { n: 1 });
    await this.clock.advance(10);
  }
  async with(body: Body): Promise<void> {
    await this.#runner.drain(0);
    this.#runner = this.#start(jobOf(body));
    await this.#runner.start();
    await this.clock.advance(2 * 86_400_000);
    const { run = "" } = this.row ?? {};
    const { output, error } = (await this.#runner.status(run)) ?? {};
    this.end = error ? said(error) : output;
  }
  async resume(): Promise<void> {
    await this.#runner.resume(this.row?.run ?? "");
    await this.clock.advance(2 * 86_400_000);
    this.end = (await this.#runner.status(this.row?.run ?? ""))?.output;
  }
  #start(workflow: Workflow): Runner {
    return new Runner([workflow], {
      ...{ journal: this.journal, clock: this.clock, tracing: silentTracing, node: `n${++this.#nodes}` },
      dispatch: { call: async () => ({ wire: "x", value: "x" }), void: async () => ({ took: "unknown" }) },
    });
  }
}

describe("code that does something else than the journal says", () => {
  const differing: readonly (readonly [string, Body, readonly [string, string], string])[] = [
    [
      "with a step added before",
      async (input, context) => {
        await context.run.step("new", () => 0);
        return old(input, context);
      },
      ['operation step "shop.take", with an undo, input', 'local step "new"'],
      "added, taken out, renamed or moved",
    ],
    [
      "with a step taken out",
      async ({ n }, { run, shop }) => {
        await shop.take({ id: `a${n}` }).undo(() => shop.giveBack({ id: "a" }));
        await run.sleep("1 day");
        return "new";
      },
      ['local step "note"', 'timer "sleep"'],
      "added, taken out, renamed or moved",
    ],
    [
      "with another input",
      async ({ n }, { shop }) => shop.take({ id: `b${n}` }).undo(() => shop.giveBack({ id: "a" })),
      ["input ", "input "],
      "the same step with another input",
    ],
    [
      "with an undo taken out",
      async ({ n }, { shop }) => shop.take({ id: `a${n}` }),
      ['"shop.take", with an undo', '"shop.take", input'],
      "no undo any more",
    ],
    [
      "with a step of another kind",
      async (_, { run }) => run.step("shop.take", () => 1).undo(() => {}),
      ['operation step "shop.take"', 'local step "shop.take"'],
      "another kind",
    ],
    [
      "with a step twice",
      async ({ n }, { run, shop }) => {
        await shop.take({ id: `a${n}` }).undo(() => shop.giveBack({ id: "a" }));
        await run.all([run.step("note", () => 1), run.step("note", () => 1)]);
        await run.sleep("1 day");
      },
      ['done "note"', 'local step "note" (number 2 of that name)'],
      "added, taken out",
    ],
    [
      "with an earlier end",
      async ({ n }, { shop }) => {
        await shop.take({ id: `a${n}` }).undo(() => shop.giveBack({ id: "a" }));
        return "new";
      },
      ['local step "note"', "nothing more, it has come to its end"],
      "A step was taken out",
    ],
    [
      "with a wait for something of its own",
      async ({ n }, { shop }) => {
        await shop.take({ id: `a${n}` }).undo(() => shop.giveBack({ id: "a" }));
        await new Promise(() => {});
      },
      ['local step "note"', "nothing, it waits for something else"],
      "waits for something that is no step",
    ],
    [
      "with a failure of its own",
      async ({ n }, { shop, fail }) => {
        await shop.take({ id: `a${n}` }).undo(() => shop.giveBack({ id: "a" }));
        throw fail.No();
      },
      ['local step "note"', "beginning of the undo"],
      "added, taken out",
    ],
    [
      "in a branch",
      async ({ n }, { run, shop }) => {
        await shop.take({ id: `a${n}` }).undo(() => shop.giveBack({ id: "a" }));
        await run.all(["x"], (_, { run }) => run.step("note", () => 1));
      },
      ['local step "note"', 'local step "note", in all/0'],
      "added, taken out",
    ],
  ];

  it.each(differing)("%s pauses the run, with both lines one under the other", async (_, body, lines, hint) => {
    const { state, reason } = await goOn(old, body);
    expect(state).toBe("paused");
    const [what, journal, code, why, way] = reason.split("\n");
    expect(what).toBe("The code does not do what the journal says this run did.");
    expect(journal).toMatch(/^ {2}entry \d+, the journal says: \w/);
    expect(journal).toContain(lines[0]);
    expect(code).toMatch(/^ {2}here, the code asks for: {3}\w/);
    expect(code).toContain(lines[1]);
    expect(why).toContain(hint);
    expect(way).toContain("run.changed");
  });

  it("goes on once the code is mended, and has done nothing meanwhile", async () => {
    const meeting = new Meeting(old);
    await meeting.begin();
    const entries = meeting.journal.entries(meeting.row?.run ?? "").length;
    await meeting.with(async () => "new");
    expect(meeting.row?.state).toBe("paused");
    expect(
      meeting.journal
        .entries(meeting.row?.run ?? "")
        .slice(entries)
        .map(({ type }) => type),
    ).toEqual(["Claimed", "Paused"]);
    await meeting.with(old);
    await meeting.resume();
    expect(meeting.end).toBe("old");
  });
});

describe("code that has changed where no run has been", () => {
  it.each([
    [
      "has a step more at the end",
      async (input, context) => {
        await old(input, context);
        return context.run.step("more", () => "new");
      },
    ],
    [
      "has a step less at the end",
      async ({ n }, { run, shop }) => {
        await shop.take({ id: `a${n}` }).undo(() => shop.giveBack({ id: "a" }));
        await run.step("note", () => 1);
        await run.sleep("1 day");
        return "new";
      },
    ],
    [
      "has other attempts, times and undo actions",
      async ({ n }, { run, shop }) => {
        await shop.take({ id: `a${n}` }, { attempts: 9, timeout: "1s" }).undo(() => shop.giveBack({ id: "other" }));
        await run.step("note", () => 99);
        await run.sleep("9 days");
        await run.step("last", () => 99);
        return "new";
      },
    ],
  ] satisfies readonly (readonly [string, Body])[])("goes on: it %s", async (_, body) => {
    expect(await goOn(old, body)).toMatchObject({ state: "done", end: "new" });
  });
});

describe("run.changed", () => {
  const changed: Body = async ({ n }, { run, shop }) => {
    if (run.changed("greet first")) await run.step("greet", () => 0);
    await shop.take({ id: `a${n}` }).undo(() => shop.giveBack({ id: "a" }));
    await run.step("note", () => 1);
    await run.sleep("1 day");
    return run.changed("greet first") ? "with a greeting" : "without";
  };

  it("leads runs that are past it the old way, and new ones the new way, for good", async () => {
    expect(await goOn(old, changed)).toMatchObject({ state: "done", end: "without" });
    expect(await goOn(changed, changed)).toMatchObject({ state: "done", end: "with a greeting" });
  });

  it("leads a run that comes to it after the change the new way", async () => {
    const later: Body = async (input, context) => {
      await old(input, context);
      return context.run.changed("later") ? context.run.step("more", () => "new") : "never";
    };
    expect(await goOn(old, later)).toMatchObject({ state: "done", end: "new" });
  });

  it("may be taken out, with the old way, when the last run that was past it has ended", async () => {
    const clean: Body = async ({ n }, { run, shop }) => {
      await run.step("greet", () => 0);
      await shop.take({ id: `a${n}` }).undo(() => shop.giveBack({ id: "a" }));
      await run.step("note", () => 1);
      await run.sleep("1 day");
      return "clean";
    };
    expect(await goOn(changed, clean)).toMatchObject({ state: "done", end: "clean" });
  });

  it("says the same at each crash and in each replay", async () => {
    for (const alwaysSuspend of [false, true]) {
      const bench = benchOf(jobOf(changed), { alwaysSuspend });
      expect(await bench.run({ n: 1 })).toBe("with a greeting");
      expect(bench.entries.filter(({ type }) => type === "Changed")).toHaveLength(1);
    }
  });
});

describe("a history", () => {
  const saga: Body = async ({ n }, { run, shop, fail }) => {
    await shop.take({ id: "x" }).undo(() => shop.giveBack({ id: "x" }));
    run.progress({ done: 1 });
    await run.race({ said: run.signal.yes, over: run.sleep("1 hour") });
    await run.emit(Jobs.Gone, { n });
    if (n === 2) throw fail.No();
    if (n < 0) throw run.continueAsNew({ n: n + 1 });
    return n;
  };
  /** As it is kept in a file. */
  const historyOf = async (body: Body, n: number, end = true): Promise<History> => {
    const bench = benchOf(jobOf(body));
    await bench.begin({ n });
    if (end) await bench.end().catch(() => {});
    return JSON.parse(JSON.stringify(bench.history)) as History;
  };

  it.each([
    ["that is done", 1, true],
    ["that was undone", 2, true],
    ["that is under way", 1, false],
    ["of several stretches", -2, true],
  ])("of a run %s replays with the code that it was made with, which does nothing", async (_, n, end) => {
    let called = 0;
    const counting: Body = async (input, context) => {
      await context.run.step("count", () => called++);
      return saga(input, context);
    };
    const history = await historyOf(counting, n, end);
    const before = called;
    await replays(jobOf(counting), history);
    expect(called).toBe(before);
  });

  it("of a run under way replays with code that has changed where it has not been", async () => {
    await replays(
      jobOf(async (input, context) => {
        await saga(input, context);
        return context.run.step("more", () => 3);
      }),
      await historyOf(saga, 1, false),
    );
  });

  it.each([
    [
      "a step more",
      async (input, context) => {
        await context.run.step("new", () => 0);
        return saga(input, context);
      },
      1,
      'local step "new"',
    ],
    [
      "a step more at the end",
      async (input, context) => {
        await saga(input, context);
        return context.run.step("new", () => 0);
      },
      1,
      "nothing more: the run ended here",
    ],
    [
      "another output",
      async (input, context) => {
        await saga(input, context);
        return "other";
      },
      1,
      '"output":"other"',
    ],
    [
      "a failure",
      async (input, context) => {
        await saga(input, context);
        return context.fail.No();
      },
      1,
      "beginning of the undo",
    ],
    [
      "another undo",
      async ({ n }, { run, shop, fail }) => {
        await shop.take({ id: "x" }).undo(() => shop.giveBack({ id: "y" }));
        await run.race({ said: run.signal.yes, over: run.sleep("1 hour") });
        await run.emit(Jobs.Gone, { n });
        throw fail.No();
      },
      2,
      "the same step with another input",
    ],
    [
      "no further stretch",
      async (input, context) => (input.n < 0 ? saga({ n: 7 }, context) : saga(input, context)),
      -1,
      "another input",
    ],
  ] satisfies readonly (readonly [string, Body, number, string])[])(
    "of a run that ended does not replay with %s, and says the first difference",
    async (_, body, n, difference) => {
      const check = replays(jobOf(body), await historyOf(saga, n));
      await expect(check).rejects.toThrow(/^Run .* does not replay with this code of jobs.go/);
      await expect(check).rejects.toThrow(difference);
    },
  );

  it("of something else is refused", async () => {
    const history = await historyOf(saga, 1);
    await expect(replays(jobOf(saga), { ...history, entries: history.entries.slice(1) })).rejects.toThrow(
      "no beginning",
    );
    const [started, ...entries] = history.entries;
    const other = { ...history, entries: [{ ...started, operation: "other.go" }, ...entries] } as History;
    await expect(replays(jobOf(saga), other)).rejects.toThrow("is one of other.go");
    const wrong = { ...history, entries: [{ ...started, input: { n: "x" } }, ...entries] } as History;
    await expect(replays(jobOf(saga), wrong)).rejects.toThrow("does not fit its contract any more");
  });
});
