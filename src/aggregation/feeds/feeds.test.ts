import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../contracts/index.ts";
import {
  type Batch,
  chain,
  type FeedParts,
  type FeedState,
  filledForward,
  type Input,
  joinedAsOf,
  type Late,
  reordered,
  runFeed,
  type Stage,
  session,
  sliding,
  tumbling,
  type Windowed,
  windowed,
} from "../index.ts";
import { ManualClock } from "../test-kit.test-d.ts";

interface Reading {
  readonly at: number;
  readonly key: string;
  readonly value: number;
}
const at = ({ at }: Reading): number => at;
const second = 1_000;
const sum = {
  initial: () => ({ count: 0, sum: 0 }),
  add: (all: { count: number; sum: number }, { value }: Reading) => ({ count: all.count + 1, sum: all.sum + value }),
  merge: (a: { count: number; sum: number }, b: { count: number; sum: number }) => ({
    count: a.count + b.count,
    sum: a.sum + b.sum,
  }),
  result: (all: { count: number; sum: number }) => all,
};
const key = ({ key }: Reading): string => key;

const toInput = (
  name: string,
  records: readonly Reading[],
  size = 1,
  outOfOrder: `${number}s` = "0.001s",
): Input<Reading> => ({
  name,
  at,
  outOfOrder,
  async *read(after) {
    for (let from = Number(after ?? 0); from < records.length; from += size) {
      await nextTurn();
      yield { records: records.slice(from, from + size), position: from + size };
    }
  },
});
async function collect<T, O>(parts: Omit<FeedParts<T, O>, "name" | "clock">): Promise<O[]> {
  const all: O[] = [];
  for await (const { records } of runFeed({ name: "test", clock: systemClock, ...parts })) all.push(...records);
  return all;
}
/** The last revision of each window. */
const lastOf = <R>(windows: readonly Windowed<R>[]): readonly unknown[] => {
  const last = new Map(windows.map((one) => [`${one.key} ${one.start} ${one.end}`, one.value]));
  return [...last].sort(([a], [b]) => (a < b ? -1 : 1));
};

const reading = fc.record({ at: fc.nat(60 * second), key: fc.constantFrom("a", "b"), value: fc.nat(9) });
/** Records in an order in which none comes more than `most` ms of event time later than it should. */
const disordered = (
  most: number,
): fc.Arbitrary<{ readonly sent: readonly Reading[]; readonly all: readonly Reading[] }> =>
  fc.array(fc.tuple(reading, fc.nat(most)), { maxLength: 60 }).map((delayed) => ({
    all: delayed.map(([one]) => one),
    sent: [...delayed].sort(([a, lateA], [b, lateB]) => a.at + lateA - (b.at + lateB)).map(([one]) => one),
  }));

describe("windows", () => {
  const inBatch = (all: readonly Reading[], size: number, every: number): readonly unknown[] => {
    const windows = new Map<string, { count: number; sum: number }>();
    for (const { at, key, value } of all)
      for (let start = Math.floor(at / every) * every; start > at - size; start -= every) {
        const name = `${key} ${start} ${start + size}`;
        const { count, sum } = windows.get(name) ?? { count: 0, sum: 0 };
        windows.set(name, { count: count + 1, sum: sum + value });
      }
    return [...windows].sort(([a], [b]) => (a < b ? -1 : 1));
  };

  test.each([
    ["tumbling", tumbling("10s"), 10, 10],
    ["sliding", sliding("10s", "4s"), 10, 4],
  ] as const)(
    "that are %s are what the batch gives, whatever the order within the bound",
    async (_, windows, size, every) => {
      await fc.assert(
        fc.asyncProperty(
          disordered(5 * second),
          fc.integer({ min: 1, max: 7 }),
          fc.nat(60),
          async ({ sent, all }, size_, cut) => {
            const stage = windowed({ windows, key, aggregate: sum });
            const halves = [sent.slice(0, cut), sent.slice(cut)] as const;
            // Each input has its own disorder; the second begins where the first ends, so only the bound counts.
            const one = await collect({ inputs: [toInput("one", sent, size_, "5.1s")], stage });
            expect(lastOf(one)).toEqual(inBatch(all, size * second, every * second));
            expect(stage.late).toBe(0);
            expect(one.every(({ revision }) => revision === 0)).toBe(true);
            const both = await collect({
              inputs: [toInput("first", halves[0], size_, "5.1s"), toInput("second", halves[1], 2, "5.1s")],
              stage: windowed({ windows, key, aggregate: sum }),
            });
            expect(lastOf(both)).toEqual(lastOf(one));
          },
        ),
        { numRuns: 40 },
      );
    },
  );

  test("take late records within the allowed lateness, and are given out again", async () => {
    await fc.assert(
      fc.asyncProperty(disordered(20 * second), async ({ sent, all }) => {
        const stage = windowed({ windows: tumbling("10s"), key, aggregate: sum, allowedLateness: "21s" });
        const given = await collect({ inputs: [toInput("one", sent)], stage });
        expect(lastOf(given)).toEqual(inBatch(all, 10 * second, 10 * second));
        expect(stage.late).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  test("send what is later than that to the side, and count it", async () => {
    const late: Late<Reading>[] = [];
    const onLate = (one: Late<Reading>) => late.push(one);
    const stage = windowed({ windows: tumbling("10s"), key, aggregate: sum, allowedLateness: "5s", onLate });
    const records = [1, 12, 3, 16, 4, 30].map((seconds) => ({ at: seconds * second, key: "a", value: 1 }));
    const given = await collect({ inputs: [toInput("one", records)], stage });
    expect(given).toMatchObject([
      { start: 0, value: { count: 1 }, revision: 0 },
      { start: 0, value: { count: 2 }, revision: 1 },
      { start: 10 * second, value: { count: 2 }, revision: 0 },
      { start: 30 * second, value: { count: 1 }, revision: 0 },
    ]);
    expect(late.map(({ record }) => record.at)).toEqual([4 * second]);
    expect(stage.late).toBe(1);
  });

  test("of sessions hold what has no gap in it, whatever the order", async () => {
    await fc.assert(
      fc.asyncProperty(disordered(5 * second), async ({ sent, all }) => {
        const stage = windowed({ windows: session("3s"), key, aggregate: sum });
        const given = await collect({ inputs: [toInput("one", sent, 3, "5.1s")], stage });
        const expected: [string, { count: number; sum: number }][] = [];
        for (const name of ["a", "b"]) {
          const own = all.filter(({ key }) => key === name).sort((a, b) => a.at - b.at);
          let open: { start: number; end: number; count: number; sum: number } | undefined;
          const close = (): void => {
            if (open) expected.push([`${name} ${open.start} ${open.end}`, { count: open.count, sum: open.sum }]);
          };
          for (const { at, value } of own) {
            if (open && at < open.end)
              open = { ...open, end: at + 3 * second, count: open.count + 1, sum: open.sum + value };
            else {
              close();
              open = { start: at, end: at + 3 * second, count: 1, sum: value };
            }
          }
          close();
        }
        expect(lastOf(given)).toEqual(expected.sort(([a], [b]) => (a < b ? -1 : 1)));
      }),
      { numRuns: 40 },
    );
  });

  test("of sessions want a merge, and those with gaps are refused", () => {
    const { merge: _merge, ...without } = sum;
    expect(() => windowed({ windows: session("3s"), key, aggregate: without })).toThrow("give the aggregate a `merge`");
    expect(() => sliding("1s", "2s")).toThrow("leaves gaps");
  });
});

test("reordering gives every record out in order, and what comes too late to the side", async () => {
  await fc.assert(
    fc.asyncProperty(disordered(5 * second), async ({ sent, all }) => {
      const stage = reordered<Reading>({ ties: (a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1) });
      const given = await collect({ inputs: [toInput("one", sent, 4, "5.1s")], stage });
      const sorted = [...all].sort((a, b) => a.at - b.at || (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
      expect(given).toEqual(sorted);
    }),
    { numRuns: 40 },
  );
  const late: number[] = [];
  const stage = reordered<Reading>({ onLate: ({ record }) => late.push(record.at) });
  const records = [5, 9, 2, 12].map((seconds) => ({ at: seconds * second, key: "a", value: 1 }));
  const given = await collect({ inputs: [toInput("one", records)], stage });
  expect(given.map(({ at }) => at / second)).toEqual([5, 9, 12]);
  expect(late).toEqual([2 * second]);
});

test("of two stages in a row both have a side output", async () => {
  const stage = chain(reordered<Reading>(), windowed({ windows: tumbling("10s"), key, aggregate: sum }));
  const records = [5, 31, 2, 33].map((seconds) => ({ at: seconds * second, key: "a", value: 1 }));
  const late: Reading[] = [];
  const parts = { name: "test", clock: systemClock, inputs: [toInput("one", records)] as const, stage };
  for await (const slice of runFeed(parts)) late.push(...(slice.late ?? []).map(({ record }) => record));
  expect(late.map(({ at }) => at / second)).toEqual([2]);
  const strict = chain(windowed({ windows: tumbling("10s"), key, aggregate: sum }), reordered());
  const sides: unknown[] = [];
  for await (const slice of runFeed({ ...parts, stage: strict }))
    sides.push(...(slice.late ?? []).map(({ record }) => record));
  expect(sides).toEqual([records[2]]);
});

test("an as-of join is what the batch gives: the latest of before, within the tolerance", async () => {
  await fc.assert(
    fc.asyncProperty(disordered(5 * second), disordered(5 * second), async (lefts, rights) => {
      const stage = joinedAsOf<Reading, Reading>({ keys: [key, key], tolerance: "8s" });
      const given = await collect({
        inputs: [toInput("left", lefts.sent, 2, "5.1s"), toInput("right", rights.sent, 3, "5.1s")],
        stage,
      });
      const text = (value: unknown): string => JSON.stringify(value) ?? "";
      const expected = lefts.all.map((left) => {
        const known = rights.all
          .filter((right) => right.key === left.key && right.at <= left.at && right.at >= left.at - 8 * second)
          .sort((a, b) => b.at - a.at || (text(a) > text(b) ? -1 : 1));
        const [right] = known;
        return right ? { left, right, ageMs: left.at - right.at } : { left };
      });
      expect(given.map(text).sort()).toEqual(expected.map(text).sort());
      expect(given.map(({ left }) => left.at)).toEqual(lefts.all.map(({ at }) => at).sort((a, b) => a - b));
      expect(stage.late).toBe(0);
    }),
    { numRuns: 40 },
  );
});

test("filling forward tells at each instant the last value, for as long as it is carried", async () => {
  await fc.assert(
    fc.asyncProperty(disordered(5 * second), async ({ sent, all }) => {
      const ties = (a: Reading, b: Reading) => a.value - b.value;
      const stage = chain(reordered<Reading>({ ties }), filledForward({ key, every: "2s", limit: "7s" }));
      const given = await collect({ inputs: [toInput("one", sent, 3, "5.1s")], stage });
      const latest = Math.max(...all.map(({ at }) => at));
      const expected: unknown[] = [];
      for (let tick = 0; tick <= latest; tick += 2 * second)
        for (const name of ["a", "b"]) {
          const known = all.filter(({ key, at }) => key === name && at <= tick && at >= tick - 7 * second);
          const [value] = known.sort((a, b) => b.at - a.at || b.value - a.value);
          if (value) expected.push({ key: name, at: tick, value, ageMs: tick - value.at });
        }
      expect(given).toEqual(expected);
    }),
    { numRuns: 40 },
  );
});

/** What a stage was given, in few words. */
const watching = (): Stage<Reading, string> & { readonly seen: string[] } => {
  const seen: string[] = [];
  return {
    seen,
    take: (slice) => {
      seen.push(`${slice.input}:${slice.records.length}@${slice.watermark}`);
      return { ...slice, records: [], times: [] };
    },
    snapshot: () => null,
    restore: () => {},
  };
};
const toReading = (ms: number): Reading => ({ at: ms, key: "a", value: 1 });
const pushable = () => {
  const waiting: ((result: IteratorResult<Batch<Reading>>) => void)[] = [];
  const queued: Batch<Reading>[] = [];
  let asked = 0;
  return {
    get asked() {
      return asked;
    },
    push(...records: Reading[]) {
      const next = waiting.shift();
      if (next) next({ done: false, value: { records } });
      else queued.push({ records });
    },
    read: () => ({
      [Symbol.asyncIterator]: () => ({
        next: () => {
          asked += 1;
          const value = queued.shift();
          if (value) return Promise.resolve({ done: false as const, value });
          return new Promise<IteratorResult<Batch<Reading>>>((resolve) => waiting.push(resolve));
        },
      }),
    }),
  };
};
const drain = async (feed: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of feed);
};

describe("the watermark", () => {
  test("is that of the slowest input, unless it is idle, and never goes back", async () => {
    const clock = new ManualClock();
    const [fast, slow] = [pushable(), pushable()];
    const stage = watching();
    const stop = new AbortController();
    const common = { at, outOfOrder: "0.01s" as const };
    const running = drain(
      runFeed({
        name: "x",
        clock,
        stage,
        aborted: stop.signal,
        inputs: [
          { name: "fast", read: fast.read, ...common },
          { name: "slow", read: slow.read, ...common, idle: "5s" },
        ],
      }),
    );
    fast.push(toReading(1_000));
    await clock.advance(0);
    slow.push(toReading(500));
    await clock.advance(0);
    fast.push(toReading(2_000));
    await clock.advance(4_999);
    expect(stage.seen).toEqual(["0:1@-Infinity", "1:1@490", "0:1@490"]);
    await clock.advance(1);
    expect(stage.seen.at(-1)).toBe("0:0@1990");
    slow.push(toReading(600));
    await clock.advance(0);
    expect(stage.seen.at(-1)).toBe("1:1@1990");
    stop.abort();
    await running;
    expect(clock.timers).toBe(0);
  });

  test("does not take an input for idle whose batch waits for a slow consumer", async () => {
    const clock = new ManualClock();
    const [first, second, third] = [pushable(), pushable(), pushable()];
    const common = { at, outOfOrder: "0.001s", idle: "5s" } as const;
    const stage = windowed({ windows: tumbling("10s"), key, aggregate: sum });
    const feed = runFeed({
      name: "x",
      clock,
      stage,
      inputs: [
        { name: "first", read: first.read, ...common },
        { name: "second", read: second.read, ...common },
        { name: "third", read: third.read, ...common },
      ],
    });
    first.push(toReading(50_000));
    second.push(toReading(40_000));
    third.push(toReading(1_000));
    const given = [await feed.next()];
    await clock.advance(6_000); // the consumer takes its time, and what the others brought waits
    for (let pull = 0; pull < 2; pull++) given.push(await feed.next());
    expect(stage.late).toBe(0);
    expect(given.at(-1)?.value?.watermark).toBe(999);
    const idle = feed.next();
    await clock.advance(6_000); // now they are: all of them, and time stands still
    first.push(toReading(60_000));
    expect((await idle).value?.watermark).toBe(60_000 - 1);
    await feed.return();
    expect(clock.timers).toBe(0);
  });

  test("does not take an input for idle that was not heard because the process was busy", async () => {
    const clock = new ManualClock();
    const [local, wire] = [pushable(), pushable()];
    // Whoever was busy comes to its timers first, and then to what has been waiting on its sockets.
    const busy: Clock = {
      ...clock,
      after: (ms, wake) =>
        clock.after(ms, () => {
          wake();
          if (ms === 5_000) wire.push(toReading(1_000));
        }),
    };
    const common = { at, outOfOrder: "0.001s" } as const;
    const feed = runFeed({
      name: "x",
      clock: busy,
      stage: watching(),
      inputs: [
        { name: "local", read: local.read, ...common },
        { name: "wire", read: wire.read, ...common, idle: "5s" },
      ],
    });
    local.push(toReading(50_000));
    await feed.next();
    const next = feed.next();
    await clock.advance(5_000);
    expect((await next).value?.watermark).toBe(999); // and not that of the other one
    await feed.return();
  });

  test("holds an input back that is too far ahead", async () => {
    const [fast, slow] = [pushable(), pushable()];
    const stop = new AbortController();
    const common = { at, outOfOrder: "0.01s" as const };
    const running = drain(
      runFeed({
        name: "x",
        clock: new ManualClock(),
        stage: watching(),
        aborted: stop.signal,
        ahead: "1s",
        inputs: [
          { name: "fast", read: fast.read, ...common },
          { name: "slow", read: slow.read, ...common },
        ],
      }),
    );
    slow.push(toReading(1_000));
    fast.push(toReading(5_000));
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    expect([fast.asked, slow.asked]).toEqual([1, 2]);
    slow.push(toReading(4_500));
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    expect([fast.asked, slow.asked]).toEqual([2, 3]);
    stop.abort();
    await running;
  });
});

describe("a feed", () => {
  test("reads no further than somebody asks for", async () => {
    let read = 0;
    const input: Input<Reading> = {
      name: "endless",
      at,
      outOfOrder: "1s",
      async *read() {
        for (;;) yield { records: [toReading(read++)] };
      },
    };
    const feed = runFeed({ name: "x", clock: systemClock, stage: reordered<Reading>(), inputs: [input] });
    for (let pull = 0; pull < 3; pull++) await feed.next();
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(read).toBeLessThanOrEqual(4);
    await feed.return();
  });

  test("goes on after a crash where it was kept: nothing is lost, and what is given out again is the same", async () => {
    const stages = [
      () => windowed({ windows: tumbling("10s"), key, aggregate: sum }),
      () => chain(reordered<Reading>(), filledForward({ key, every: "2s", limit: "7s" })),
    ] as readonly (() => Stage<Reading, unknown>)[];
    const crashes = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        disordered(5 * second),
        crashes,
        fc.integer({ min: 1, max: 4 }),
        async ({ sent }, after, keepEvery) => {
          for (const toStage of stages) {
            const kept = new Map<string, string>();
            const state: FeedState = {
              load: async (feed) => kept.get(feed),
              save: async (feed, text) => void kept.set(feed, text),
            };
            const inputs = [toInput("one", sent, 3, "5.1s")] as const;
            const given = new Set<string>();
            for (const slices of after) {
              const feed = runFeed({ name: "f", clock: systemClock, inputs, stage: toStage(), state, keepEvery });
              for (let slice = 0; slice < slices; slice++) {
                const { done, value } = await feed.next();
                if (done) break;
                for (const record of value.records) given.add(JSON.stringify(record));
              }
              await feed.return(); // the process is gone: what came since the state was kept comes again
            }
            for (const record of await collect({ inputs, stage: toStage(), state, keepEvery }))
              given.add(JSON.stringify(record));
            const whole = await collect({ inputs, stage: toStage() });
            // A feed that had come to its end before is not run again from there.
            expect([...given].sort()).toEqual(whole.map((record) => JSON.stringify(record)).sort());
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test("ends with what an input fails with, and lets the others go", async () => {
    let returned = false;
    const broken: Input<Reading> = {
      name: "broken",
      at,
      outOfOrder: "1s",
      // biome-ignore lint/correctness/useYield: it breaks before it says anything
      async *read() {
        throw new Error("The wire is cut.");
      },
    };
    const other: Input<Reading> = {
      ...toInput("other", []),
      async *read() {
        try {
          for (;;) {
            await nextTurn();
            yield { records: [] };
          }
        } finally {
          returned = true;
        }
      },
    };
    const stage = reordered<Reading>();
    await expect(collect({ inputs: [other, broken], stage })).rejects.toThrow("The wire is cut.");
    await expect.poll(() => returned).toBe(true);
  });

  test("refuses a record without an event time", async () => {
    const input = { ...toInput("one", [toReading(1)]), at: () => Number.NaN };
    await expect(collect({ inputs: [input], stage: reordered<Reading>() })).rejects.toThrow(
      'A record of the input "one" has no event time: `at` gave NaN.',
    );
  });
});
