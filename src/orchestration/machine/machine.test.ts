import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assign, createMachine, initialTransition, transition } from "xstate";
import { z } from "zod";
import { type AnyContract, command, contract, failure, signal } from "../../contracts/index.ts";
import {
  type BenchOptions,
  crashEverywhere,
  fake,
  lostAnswer,
  replays,
  type WorkflowBench,
  workflowBench,
} from "../../testing/index.ts";
import { machine, toMermaid } from "../index.ts";

const Amount = z.object({ amount: z.number() });
const Orders = contract("orders", "1.0.0", {
  follow: command({
    input: z.object({ order: z.string() }),
    output: z.object({ end: z.string() }),
    failures: { Lost: failure(410, "The parcel was lost.") },
    signals: {
      paid: signal(Amount),
      packed: signal(z.object({})),
      invoiced: signal(z.object({})),
      seen: signal(z.object({})),
    },
    progress: z.object({ state: z.unknown(), context: z.unknown() }),
  }),
});
const Warehouse = contract("warehouse", "1.0.0", {
  ship: command({
    input: z.object({ order: z.string() }),
    output: z.object({ parcel: z.string() }),
    failures: { Gone: failure(409, "Gone.") },
  }),
  release: command({ input: z.object({ order: z.string() }) }),
  remind: command({ input: z.object({ order: z.string() }) }),
});

interface Context {
  readonly order: string;
  readonly paid: number;
  readonly parcel: string | null;
  readonly failure: string | null;
}
const declare = (version = 1, stretch = 200, unexpected: "keep" | "drop" = "keep") =>
  machine(Orders.follow, {
    version,
    stretch,
    unexpected,
    uses: [Warehouse],
    context: ({ order }): Context => ({ order, paid: 0, parcel: null, failure: null }),
    guards: {
      enough: ({ context, event }) => event.type === "paid" && context.paid + event.payload.amount >= 100,
    },
    changes: {
      pay: ({ context, event }) => (event.type === "paid" ? { paid: context.paid + event.payload.amount } : {}),
      blame: ({ event }) => (event.type === "$failed" ? { failure: event.error.code } : {}),
    },
    actions: {
      ship: async ({ context, warehouse }) => warehouse.ship({ order: context.order }),
      release: async ({ context, warehouse }) => {
        await warehouse.release({ order: context.order });
      },
      remind: async ({ context, warehouse }) => {
        await warehouse.remind({ order: context.order });
      },
    },
    initial: "open",
    states: {
      open: {
        on: {
          paid: [{ guard: "enough", target: "preparing", set: "pay" }, { set: "pay" }],
        },
        after: { "1 day": { do: "remind" }, "3 days": "expired" },
      },
      preparing: {
        type: "parallel",
        states: {
          parcel: { initial: "loose", states: { loose: { on: { packed: "tied" } }, tied: { type: "final" } } },
          paper: {
            initial: "none",
            states: {
              none: { on: { invoiced: "written" }, after: { "2 hours": "written" } },
              written: { type: "final" },
            },
          },
        },
        onDone: "shipping",
      },
      shipping: { do: "ship", onDone: "underway", onFailure: { target: "failed", set: "blame" } },
      underway: { on: { seen: "arrived" } },
      arrived: { type: "final" },
      failed: { type: "final" },
      expired: { entry: "release", type: "final" },
    },
    output: ({ state }) => ({ end: String(state) }),
  });

const bench = (
  options: BenchOptions = {},
  ship: () => { parcel: string } = () => ({ parcel: "p" }),
  machine = declare(),
) => {
  const warehouse = fake(Warehouse, {
    ship: (_, { fail, nth }) => {
      const given = ship();
      if (given.parcel === "gone") throw fail.Gone();
      if (given.parcel === "lost" && nth === 1) throw lostAnswer({ parcel: "found" });
      return given;
    },
    release: () => {},
    remind: () => {},
  });
  return workflowBench(machine, [warehouse], options);
};
const stateOf = (bench: WorkflowBench): unknown => (bench.progress as { state: unknown }).state;
const contextOf = (bench: WorkflowBench): Context => (bench.progress as { context: Context }).context;
const named = (bench: WorkflowBench): readonly string[] => bench.calls.map(({ operation }) => operation);

/** The whole life, with a wait that an answer was lost in. */
async function tellLife(options: BenchOptions, made = declare()) {
  const one = bench(options, () => ({ parcel: "lost" }), made);
  await one.begin({ order: "o" });
  await one.signal("paid", { amount: 60 });
  await one.pass("1 day");
  await one.signal("paid", { amount: 40 });
  await one.signal("packed", {});
  await one.pass("2 hours");
  await one.signal("seen", {});
  const end = await one.end();
  return { bench: one, told: { end, calls: named(one), context: contextOf(one) } };
}

describe("a machine", () => {
  test("moves by its events, waits in each region, does what its states say, and ends with its output", async () => {
    const { told } = await tellLife({});
    expect(told).toEqual({
      end: { end: "arrived" },
      calls: ["warehouse.remind", "warehouse.ship"],
      context: { order: "o", paid: 100, parcel: "found", failure: null },
    });
  });

  test("lives the same life whatever crashes, and where it leaves memory at every result", async () => {
    const crashes = await crashEverywhere(tellLife, (told, undisturbed, where) =>
      expect(told, where).toEqual(undisturbed),
    );
    expect(crashes).toBeGreaterThan(40);
  }, 120_000);

  test("lives the same life where each move is a stretch of its own", async () => {
    const crashes = await crashEverywhere(
      (options) => tellLife(options, declare(1, 1)),
      (told, undisturbed, where) => expect(told, where).toEqual(undisturbed),
    );
    expect(crashes).toBeGreaterThan(40);
    const { bench } = await tellLife({}, declare(1, 1));
    expect(bench.entries.filter(({ type }) => type === "Continued").length).toBeGreaterThanOrEqual(4);
  }, 120_000);

  test("shows its state and its context to callers", async () => {
    const one = bench();
    await one.begin({ order: "o" });
    expect(stateOf(one)).toBe("open");
    await one.signal("paid", { amount: 100 });
    expect(one.progress).toEqual({
      state: { preparing: { parcel: "loose", paper: "none" } },
      context: { order: "o", paid: 100, parcel: null, failure: null },
    });
  });

  test("takes a timer from when the state was entered, and takes it back when the state is left", async () => {
    const one = bench();
    await one.begin({ order: "o" });
    await one.pass("71 hours");
    expect(named(one)).toEqual(["warehouse.remind"]);
    await one.pass("1 hour");
    expect(await one.end()).toEqual({ end: "expired" });
    expect(named(one)).toEqual(["warehouse.remind", "warehouse.release"]);

    const left = bench();
    await left.begin({ order: "o" });
    await left.signal("paid", { amount: 100 });
    await left.pass("10 days");
    expect(stateOf(left)).toEqual({ preparing: { parcel: "loose", paper: "written" } });
    expect(named(left)).toEqual([]);
  });

  test("an event that came after a timer's instant finds the timer gone off, though nobody was there to see it", async () => {
    const one = bench({ alwaysSuspend: true });
    await one.begin({ order: "o" });
    await one.pass("3 days");
    expect(one.row?.state).toBe("done");
    await expect(one.signal("paid", { amount: 100 })).rejects.toThrow("ended");
  });

  test("an action that fails for good is an event where its state says so", async () => {
    const one = bench({}, () => ({ parcel: "gone" }));
    await one.begin({ order: "o" });
    for (const [name, payload] of [
      ["paid", { amount: 100 }],
      ["packed", {}],
      ["invoiced", {}],
    ] as const)
      await one.signal(name, payload);
    expect(await one.end()).toEqual({ end: "failed" });
    expect(contextOf(one).failure).toBe("Gone");
  });

  test("a signal that the present state has no transition for is kept until one has, or dropped where it says so", async () => {
    const keeps = bench();
    await keeps.begin({ order: "o" });
    await keeps.signal("packed", {});
    await keeps.signal("invoiced", {});
    expect(stateOf(keeps)).toBe("open");
    await keeps.signal("paid", { amount: 100 });
    expect(stateOf(keeps)).toBe("underway");

    const drops = bench({}, undefined, declare(1, 200, "drop"));
    await drops.begin({ order: "o" });
    await drops.signal("packed", {});
    await drops.signal("paid", { amount: 100 });
    expect(stateOf(drops)).toEqual({ preparing: { parcel: "loose", paper: "none" } });
  });

  test("a kept signal is kept over stretches of the journal", async () => {
    const one = bench({}, undefined, declare(1, 1));
    await one.begin({ order: "o" });
    await one.signal("packed", {});
    await one.signal("paid", { amount: 20 });
    await one.signal("paid", { amount: 80 });
    expect(stateOf(one)).toEqual({ preparing: { parcel: "tied", paper: "none" } });
  });

  test("its history is replayed without doing anything", async () => {
    const { bench } = await tellLife({});
    await replays(declare(), JSON.parse(JSON.stringify(bench.history)));
  });
});

describe("what a machine is", () => {
  test("is drawn as data that XState reads, frozen, and as a picture", () => {
    const { drawn } = declare();
    expect(Object.isFrozen(drawn.states.open)).toBe(true);
    expect(drawn.states.shipping).toEqual({
      invoke: { src: "ship", onDone: [{ target: "underway" }], onError: [{ target: "failed", actions: ["blame"] }] },
    });
    expect(drawn.states.open?.after).toEqual({
      "86400000": [{ actions: ["remind"] }],
      "259200000": [{ target: "expired" }],
    });
    const guards = { enough: () => true };
    const chart = createMachine({ ...JSON.parse(JSON.stringify(drawn)), id: "orders" } as never, { guards } as never);
    const [place] = transition(chart, initialTransition(chart)[0], { type: "paid" } as never);
    expect(place.value).toEqual({ preparing: { parcel: "loose", paper: "none" } });
    const picture = toMermaid(declare());
    expect(picture.split("\n")).toEqual(
      expect.arrayContaining([
        "stateDiagram-v2",
        "  [*] --> open",
        "  open --> preparing: paid [enough] / pay",
        "  open --> expired: after 3 days",
        '  state "preparing" as preparing {',
        "  shipping --> failed: failed / blame",
        "  arrived --> [*]",
      ]),
    );
  });

  test("a declaration that makes no machine is refused with a sentence", () => {
    const wrong =
      (states: object, more: object = {}) =>
      () =>
        machine(Orders.follow, { version: 1, initial: "a", states, output: () => ({ end: "" }), ...more } as never);
    expect(wrong({ a: { on: { nothing: "a" } } })).toThrow('in the state "a": "nothing" is no signal of the command');
    expect(wrong({ a: { entry: "x" } })).toThrow('there is no action "x"');
    expect(wrong({ a: { on: { paid: { guard: "x" } } } })).toThrow('there is no guard "x"');
    expect(wrong({ a: { on: { paid: { set: "x" } } } })).toThrow('there is no change "x"');
    expect(wrong({ a: { after: { soon: "a" } } })).toThrow('"soon" is not a duration');
    expect(wrong({ a: { states: { b: {} } } })).toThrow('Say which one is "initial"');
    expect(wrong({ a: { on: { paid: "b" } } })).toThrow("b");
    expect(wrong({ a: {} }, { uses: [{ "~contract": { name: "event", version: "1.0.0" } }] as AnyContract[] })).toThrow(
      "Rename it",
    );
  });
});

// The law: whatever happens and whenever, the machine is where a fold of XState over the same events is.
const Law = contract("law", "1.0.0", {
  live: command({
    input: z.object({}),
    signals: {
      a: signal(z.object({ n: z.int() })),
      b: signal(z.object({ n: z.int() })),
      c: signal(z.object({ n: z.int() })),
    },
    progress: z.object({ state: z.unknown(), context: z.unknown() }),
  }),
});
const law = machine(Law.live, {
  version: 1,
  unexpected: "drop",
  context: () => ({ sum: 0, acted: 0 }),
  guards: {
    odd: ({ event }) => "payload" in event && event.payload.n % 2 === 1,
    many: ({ context }) => context.sum > 12,
  },
  changes: {
    add: ({ context, event }) =>
      "payload" in event ? { sum: context.sum + event.payload.n } : { sum: context.sum + 1 },
  },
  actions: { count: async ({ context, run }) => ({ acted: await run.step("count", () => context.acted + 1) }) },
  stretch: 3,
  initial: "one",
  states: {
    one: {
      on: { a: [{ guard: "odd", target: "two", set: "add" }, { set: "add" }], b: { target: "three", do: "count" } },
      after: { "10s": "two" },
    },
    two: {
      entry: "count",
      initial: "x",
      on: { c: "one" },
      after: { "1 minute": { target: "one", set: "add" } },
      states: {
        x: { on: { b: { target: "y", set: "add" } }, after: { "20s": "y" } },
        y: { on: { a: "#three.left.l2" }, always: { guard: "many", target: "#one" } },
      },
    },
    three: {
      type: "parallel",
      exit: "count",
      onDone: "one",
      states: {
        left: { initial: "l1", states: { l1: { on: { a: "l2" }, after: { "30s": "l2" } }, l2: { type: "final" } } },
        right: {
          initial: "r1",
          states: { r1: { on: { b: { guard: "odd", target: "r2", set: "add" } } }, r2: { type: "final" } },
        },
      },
    },
  },
});

/** The same machine in XState's own words, folded over the same events by hand; its actions are done at once. */
function toFold() {
  const chart = createMachine(
    {
      id: "law",
      context: { sum: 0, acted: 0 },
      initial: "one",
      states: {
        one: {
          on: {
            a: [{ guard: "odd", target: "two", actions: "add" }, { actions: "add" }],
            b: { target: "three", actions: "count" },
          },
          after: { 10000: "two" },
        },
        two: {
          entry: "count",
          initial: "x",
          on: { c: "one" },
          after: { 60000: { target: "one", actions: "add" } },
          states: {
            x: { on: { b: { target: "y", actions: "add" } }, after: { 20000: "y" } },
            y: { on: { a: "#law.three.left.l2" }, always: { guard: "many", target: "#law.one" } },
          },
        },
        three: {
          type: "parallel",
          exit: "count",
          onDone: "one",
          states: {
            left: { initial: "l1", states: { l1: { on: { a: "l2" }, after: { 30000: "l2" } }, l2: { type: "final" } } },
            right: {
              initial: "r1",
              states: { r1: { on: { b: { guard: "odd", target: "r2", actions: "add" } } }, r2: { type: "final" } },
            },
          },
        },
      },
    } as never,
    {
      guards: { odd: ({ event }: any) => event.n % 2 === 1, many: ({ context }: any) => context.sum > 12 },
      actions: {
        add: assign(({ context, event }: any) => ({ sum: context.sum + (event.n ?? 1) })),
        count: assign(({ context }: any) => ({ acted: context.acted + 1 })),
      },
    } as never,
  ); // written as data, so that it is not the declaration under test
  let now = 0;
  let timers: { id: string; at: number }[] = [];
  let place: any;
  const take = ([next, actions]: readonly [any, readonly any[]]): void => {
    place = next;
    for (const { type, params } of actions) {
      if (type === "xstate.raise")
        timers = [...timers.filter(({ id }) => id !== params.id), { id: params.id, at: now + params.delay }];
      if (type === "xstate.cancel") timers = timers.filter(({ id }) => id !== params.sendId);
    }
  };
  take(initialTransition(chart));
  return {
    send: (type: string, n: number) => take(transition(chart, place, { type, n } as never)),
    pass(ms: number) {
      const end = now + ms;
      for (;;) {
        const first = timers.reduce((one: any, other) => (one && one.at <= other.at ? one : other), undefined);
        if (!first || first.at > end) break;
        now = first.at;
        timers = timers.filter((timer) => timer !== first);
        take(transition(chart, place, { type: first.id } as never));
      }
      now = end;
    },
    get now() {
      return { state: place.value, context: place.context };
    },
  };
}

test("a machine is where a pure fold of XState over the same events and times is, suspended or not", async () => {
  const happening = fc.oneof(
    fc.record({ type: fc.constantFrom("a", "b", "c"), n: fc.nat(5) }),
    fc.record({ seconds: fc.integer({ min: 1, max: 45 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 14 }), fc.boolean(), async (happenings, alwaysSuspend) => {
      const one = workflowBench(law, [], { alwaysSuspend });
      const fold = toFold();
      await one.begin({});
      for (const [at, happening] of happenings.entries()) {
        if ("seconds" in happening) {
          await one.pass(`${happening.seconds}s`);
          fold.pass(happening.seconds * 1_000);
        } else {
          await sendOnce(one, happening.type, happening.n, at);
          fold.send(happening.type, happening.n + at * 10);
        }
        expect(one.progress).toEqual(fold.now);
      }
    }),
    { numRuns: 40 },
  );
}, 120_000);

// The bench sends the same signal with the same payload once, so each has a payload of its own.
const sendOnce = (one: WorkflowBench, type: string, n: number, at: number) => one.signal(type, { n: n + at * 10 });
