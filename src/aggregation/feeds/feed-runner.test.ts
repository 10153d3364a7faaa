// Feeds as a backend runs them: what they hand over, what happens where that fails, and whose they are.
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type Call,
  command,
  contract,
  Fault,
  failure,
  personal,
  silentTracing,
  subject,
} from "../../contracts/index.ts";
import { feed, type Input, tumbling, type Windowed, windowed } from "../index.ts";
import { ManualClock, nobody } from "../test-kit.test-d.ts";
import type { Feed } from "./feed.ts";
import type { FeedKeeping } from "./feed-keeping.ts";
import { FeedRunner } from "./feed-runner.ts";

interface Reading {
  readonly at: number;
}
const second = 1_000;
const Hours = contract("hours", "1.0.0", {
  record: command({
    input: z.object({ start: z.int(), count: z.int() }),
    failures: { Full: failure(409, "There is no room.") },
  }),
  miss: command({ input: z.object({ at: z.int() }) }),
});
/** Brings what it is told at each start, and then nothing. */
const toInput = (batches: readonly (readonly number[])[]): Input<Reading> => ({
  name: "one",
  at: ({ at }) => at,
  outOfOrder: "1s",
  async *read(after) {
    for (let from = Number(after ?? 0); from < batches.length; from += 1)
      yield { records: (batches[from] ?? []).map((seconds) => ({ at: seconds * second })), position: from + 1 };
    await new Promise(() => {});
  },
});
const toFeed = (batches: readonly (readonly number[])[], key = "window"): Feed =>
  feed("hours", {
    inputs: [toInput(batches)],
    stage: () =>
      windowed({
        windows: tumbling("10s"),
        key: (_: Reading) => "all",
        aggregate: { initial: () => 0, add: (count: number) => count + 1, result: (count) => count },
      }),
    into: Hours.record,
    input: ({ start, value }: Windowed<number>) => ({ start: start / second, count: value }),
    key: ({ start }) => `${key} ${start / second}`,
    late: {
      into: Hours.miss,
      input: ({ record }) => ({ at: record.at / second }),
      key: ({ record }) => `late ${record.at / second}`,
    },
  });

/** Keeps states in memory; a feed is had by whoever is allowed to. */
class Shelf implements FeedKeeping {
  readonly texts = new Map<string, string>();
  owner: string | undefined;
  of(node: string): FeedKeeping {
    return {
      node,
      holder: async () => this.owner,
      renewEveryMs: 1_000,
      take: async (feed) => {
        if (this.owner !== undefined && this.owner !== node) return undefined;
        this.owner = node;
        return {
          state: {
            load: async () => this.texts.get(feed),
            save: async (_, text) => {
              if (this.owner !== node) throw new Error("It is another's.");
              this.texts.set(feed, text);
            },
          },
          renew: async () => this.owner === node,
          release: async () => {
            if (this.owner === node) this.owner = undefined;
          },
        };
      },
    };
  }
  readonly node = "only";
  readonly renewEveryMs = 1_000;
  holder = this.of("only").holder;
  take = this.of("only").take;
}

interface Told {
  readonly operation: string;
  readonly key: string | undefined;
  readonly input: unknown;
}
function start(
  feeds: readonly Feed[],
  answer: (told: Told) => void = () => {},
  { clock = new ManualClock(), keeping = new Shelf() as FeedKeeping } = {},
) {
  const told: Told[] = [];
  const times: number[] = [];
  const runner = new FeedRunner(feeds, {
    clock,
    keeping,
    tracing: silentTracing,
    warn: () => {},
    dispatch: {
      ...nobody,
      call: async (operation: string, input: unknown, { key }: Call) => {
        const one = { operation, key, input };
        times.push(clock.monotonic());
        answer(one);
        told.push(one);
        return { wire: undefined, value: undefined };
      },
    },
  });
  runner.start();
  return { clock, keeping, runner, told, times, health: () => runner.health()[0] };
}

describe("a feed hands over", () => {
  test("its results and its late records, each to its command with a key of its own", async () => {
    const { clock, runner, told, health } = start([toFeed([[1, 2], [15], [3], [31]])]);
    await clock.advance(200);
    expect(told).toEqual([
      { operation: "hours.record", key: "window 0", input: { start: 0, count: 2 } },
      { operation: "hours.miss", key: "late 3", input: { at: 3 } },
      { operation: "hours.record", key: "window 10", input: { start: 10, count: 1 } },
    ]);
    expect(health()).toEqual({
      feed: "hours",
      state: "running",
      node: "only",
      watermark: 30 * second,
      inputs: [{ input: "one", state: "active", records: 5, watermark: 30 * second, outOfOrderMs: second }],
      allowedLatenessMs: 0,
      late: 1,
      handedOver: 3,
      owed: 0,
    });
    await runner.stop();
    expect(clock.timers).toBe(0);
  });

  test("nothing that somebody marked as personal", () => {
    const Guests = contract("guests", "1.0.0", {
      note: command({ input: z.object({ guest: subject(z.string()), name: personal(z.string()) }) }),
    });
    const { inputs, stage } = toFeed([]);
    const parts = { inputs, stage, into: Guests.note, input: () => ({ guest: "g", name: "Ada" }), key: () => "k" };
    expect(() => feed("guests", parts)).toThrow(
      'The feed "guests" would keep on disk what it hands to guests.note, and that is personal.',
    );
  });
});

describe("where a call fails", () => {
  test("it is made again after a pause that grows to half a minute, though others before it were taken", async () => {
    let isOpen = false;
    const { clock, runner, told, times, health } = start([toFeed([[1], [15], [31]])], ({ key }) => {
      if (key === "window 10" && !isOpen) throw new Fault("Unavailable", "The shelf is being painted.");
    });
    await clock.advance(120_000);
    expect(new Set(told.map(({ key }) => key))).toEqual(new Set(["window 0"]));
    const gaps = times.map((at, index) => at - (times[index - 1] ?? at)).filter((gap) => gap > 50);
    expect(gaps.slice(0, 9)).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600]);
    expect(gaps.at(-1)).toBe(30_000);
    expect(health()).toMatchObject({
      state: "stuck",
      owed: 1,
      stuck: { code: "Unavailable", reason: "The shelf is being painted.", since: clock.now() - 120_000 + 100 },
    });
    expect(health()?.stuck?.attempts).toBeGreaterThan(9);
    isOpen = true;
    await clock.advance(30_000);
    expect(told.at(-1)).toEqual({ operation: "hours.record", key: "window 10", input: { start: 10, count: 1 } });
    expect(health()).toMatchObject({ state: "running", owed: 0 });
    expect(health()).not.toHaveProperty("stuck");
    await runner.stop();
  });

  test("what was refused for good is said in the words of corrected code, and what was taken is not", async () => {
    const shelf = new Shelf();
    const taken = new Map<string | undefined, string>();
    const answer = ({ key, input }: Told): void => {
      if (key === "wrong 10") throw new Fault("KeyReused", "The key was used before with another input.");
      const text = JSON.stringify(input);
      if ((taken.get(key) ?? text) !== text) throw new Fault("KeyReused", "The key was used before.");
      taken.set(key, text);
    };
    const before = start([toFeed([[1], [15], [31]], "wrong")], answer, { keeping: shelf });
    await before.clock.advance(1_000);
    expect(before.health()).toMatchObject({ state: "stuck", stuck: { code: "KeyReused" } });
    await before.runner.stop();
    const after = start([toFeed([[1], [15], [31]], "right")], answer, { keeping: shelf });
    await after.clock.advance(1_000);
    expect([...taken.keys()]).toEqual(["wrong 0", "right 10"]);
    expect(after.health()).toMatchObject({ state: "running", owed: 0 });
    await after.runner.stop();
  });
});

describe("of two nodes", () => {
  test("one runs a feed, and the other goes on when that has stopped, with nothing twice", async () => {
    const shelf = new Shelf();
    const clock = new ManualClock();
    const batches = [[1], [15]];
    const one = start([toFeed(batches)], undefined, { clock, keeping: shelf.of("one") });
    const two = start([toFeed(batches)], undefined, { clock, keeping: shelf.of("two") });
    await clock.advance(500);
    expect([one.health()?.state, two.health()?.state]).toEqual(["running", "elsewhere"]);
    expect([one.health()?.node, two.health()?.node]).toEqual(["one", "one"]);
    await one.runner.stop();
    batches.push([31]);
    await clock.advance(2_000);
    expect([one.health()?.state, two.health()?.state]).toEqual(["elsewhere", "running"]);
    expect(two.health()?.node).toBe("two");
    expect([...one.told, ...two.told].map(({ key }) => key)).toEqual(["window 0", "window 10"]);
    await two.runner.stop();
  });

  test("one that finds that another has its feed leaves it, and writes nothing", async () => {
    const shelf = new Shelf();
    const { clock, runner, health } = start([toFeed([[1], [15]])], undefined, { keeping: shelf.of("one") });
    await clock.advance(500);
    const kept = shelf.texts.get("hours");
    shelf.owner = "two";
    await clock.advance(1_000);
    expect(health()?.state).toBe("elsewhere");
    expect(shelf.texts.get("hours")).toBe(kept);
    await runner.stop();
    expect(shelf.owner).toBe("two");
  });
});
