// Feeds whose state is kept: what they tell after a crash is what they told before, whatever the inputs bring then.
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../contracts/index.ts";
import {
  chain,
  type FeedParts,
  type FeedState,
  filledForward,
  type Input,
  joinedAsOf,
  reordered,
  runFeed,
  type Stage,
  session,
  sliding,
  tumbling,
  windowed,
} from "../index.ts";
import { ManualClock } from "../test-kit.test-d.ts";

interface Reading {
  readonly id: number;
  readonly at: number;
  readonly key: string;
}
const second = 1_000;
const key = ({ key }: Reading): string => key;
/** The records of a window by their numbers, so that two of one size are not the same. */
const ids = {
  initial: (): number[] => [],
  add: (all: number[], { id }: Reading) => [...all, id],
  merge: (one: number[], other: number[]) => [...one, ...other],
  result: (all: number[]) => [...all].sort((a, b) => a - b),
};
const windowsOf = (windows: Parameters<typeof windowed>[0]["windows"]) => () =>
  windowed({ windows, key, aggregate: ids, allowedLateness: "8s" });

/** An input that brings its batches after as many turns as it is told, anew at each start. */
const toInput = (name: string, records: readonly Reading[], turns: () => number, size = 1): Input<Reading> => ({
  name,
  at: ({ at }) => at,
  outOfOrder: "1s",
  async *read(after) {
    for (let from = Number(after ?? 0); from < records.length; from += size) {
      for (let left = turns(); left > 0; left--) await nextTurn();
      yield { records: records.slice(from, from + size), position: from + size };
    }
  },
});
const inMemory = (): FeedState & { readonly texts: Map<string, string> } => {
  const texts = new Map<string, string>();
  return {
    texts,
    load: async (feed) => texts.get(feed),
    save: async (feed, text) => {
      await nextTurn();
      texts.set(feed, text);
    },
  };
};
const toReading = (ms: number): Reading => ({ id: ms, at: ms, key: "a" });

/** What somebody is told who knows what he was told before: one word for each key, and never another one. */
class Told {
  readonly #words = new Map<string, string>();
  readonly late: number[] = [];
  take(key: string, word: unknown): void {
    const text = JSON.stringify(word);
    const known = this.#words.get(key);
    if (known !== undefined) expect(text, `of ${key}`).toBe(known);
    this.#words.set(key, text);
  }
  get words(): ReadonlyMap<string, string> {
    return this.#words;
  }
}

describe("after a crash", () => {
  const record = fc.record({ at: fc.nat(60 * second), key: fc.constantFrom("a", "b") });
  const inputs = fc
    .array(fc.array(fc.tuple(record, fc.nat(14 * second)), { minLength: 1, maxLength: 25 }), {
      minLength: 2,
      maxLength: 3,
    })
    .map((all) => {
      let id = 0;
      return all.map((delayed) =>
        [...delayed]
          .sort(([a, lateA], [b, lateB]) => a.at + lateA - (b.at + lateB))
          .map(([one]): Reading => ({ ...one, id: id++ })),
      );
    });
  /** When each process ends, counted in what it saves and hands over, and whether what it saves last is on disk. */
  const crashes = fc.array(fc.record({ after: fc.integer({ min: 1, max: 25 }), written: fc.boolean() }), {
    maxLength: 6,
  });

  class Crash extends Error {}

  /** Runs a feed through its crashes to its end. Each result and each late record is told under a key of its own. */
  async function live<O>(
    toStage: () => Stage<Reading, O, Reading>,
    keyOf: (record: O) => string,
    [records, ends, seed, keepEvery]: [
      readonly (readonly Reading[])[],
      readonly { readonly after: number; readonly written: boolean }[],
      number,
      number,
    ],
  ): Promise<Told> {
    let random = seed;
    const turns = (): number => {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
      return random >>> 30;
    };
    const told = new Told();
    const disk = inMemory();
    for (const end of [...ends, undefined]) {
      let left = end?.after ?? Number.POSITIVE_INFINITY;
      const step = (): void => {
        left -= 1;
        if (left === 0) throw new Crash();
      };
      const state: FeedState = {
        load: disk.load,
        async save(feed, text) {
          if (left === 1 && end?.written === true) await disk.save(feed, text);
          step();
          await disk.save(feed, text);
        },
      };
      const sources = records.map((own, at) => toInput(`input-${at}`, own, turns));
      const parts: FeedParts<Reading, O, Reading> = {
        ...{ name: "f", clock: systemClock, stage: toStage(), state, keepEvery },
        inputs: sources as [Input<Reading>, ...Input<Reading>[]], // there are two or three
      };
      try {
        for await (const { records, late = [] } of runFeed(parts)) {
          for (const record of records) {
            told.take(keyOf(record), record);
            step();
          }
          for (const { record } of late) {
            told.take(`late ${record.id}`, record);
            step();
          }
        }
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
    }
    return told;
  }
  const lives = fc.tuple(inputs, crashes, fc.nat(), fc.integer({ min: 1, max: 6 }));

  test.each([
    ["tumbling", windowsOf(tumbling("10s")), true],
    ["session", windowsOf(session("3s")), false],
  ] as const)(
    "each revision of %s windows of several inputs says what it said, and every record is in one or late",
    async (_, toStage, isFixed) => {
      await fc.assert(
        fc.asyncProperty(lives, async (life) => {
          const told = await live(toStage, ({ key, start, revision }) => `${key}/${start}/${revision}`, life);
          const all = life[0].flat();
          // The batch: all records in their windows, less those that were said to be late.
          const isLate = ({ id }: Reading): boolean => told.words.has(`late ${id}`);
          const last = new Map<string, { readonly revision: number; readonly value: number[]; readonly end: number }>();
          const revisions = new Map<string, number[]>();
          for (const [key, word] of told.words) {
            if (key.startsWith("late")) continue;
            const window = JSON.parse(word) as { key: string; start: number; end: number } & {
              revision: number;
              value: number[];
            };
            const name = `${window.key}/${window.start}`;
            revisions.set(name, [...(revisions.get(name) ?? []), window.revision]);
            if ((last.get(name)?.revision ?? -1) < window.revision) last.set(name, window);
          }
          if (isFixed) {
            const batch = new Map<string, number[]>();
            for (const one of all) {
              if (isLate(one)) continue;
              const name = `${one.key}/${Math.floor(one.at / (10 * second)) * 10 * second}`;
              batch.set(
                name,
                [...(batch.get(name) ?? []), one.id].sort((a, b) => a - b),
              );
            }
            expect(new Map([...last].map(([name, { value }]) => [name, value]))).toEqual(batch);
            for (const own of revisions.values())
              expect(own.sort((a, b) => a - b)).toEqual(own.map((_, revision) => revision));
          } else {
            const covered = new Set([...last.values()].flatMap(({ value }) => value));
            for (const one of all) expect(covered.has(one.id) || isLate(one), `record ${one.id}`).toBe(true);
          }
        }),
        { numRuns: 250 },
      );
    },
  );

  test("sliding windows, an order, a join and a grid say what they said as well", async () => {
    const text = (one: unknown): string => JSON.stringify(one);
    const stages: readonly [() => Stage<Reading, unknown, Reading>, (record: any) => string][] = [
      [windowsOf(sliding("10s", "5s")), ({ key, start, revision }) => `${key}/${start}/${revision}`],
      [() => reordered<Reading>(), ({ id }) => `${id}`],
      [() => joinedAsOf<Reading, Reading>({ keys: [key, key], tolerance: "8s" }), ({ left }) => `${left.id}`],
      [
        () => chain(reordered<Reading>(), filledForward({ key, every: "2s", limit: "7s" })),
        ({ key, at }) => `${key}/${at}`,
      ],
    ];
    await fc.assert(
      fc.asyncProperty(lives, fc.constantFrom(...stages), async (life, [toStage, keyOf]) => {
        const told = await live(toStage, keyOf, life);
        expect([...told.words.values()].every((word) => word === text(JSON.parse(word)))).toBe(true);
      }),
      { numRuns: 250 },
    );
  });
});

describe("a feed that is kept", () => {
  test("is kept before anything that it led to is given out, and again when that was taken", async () => {
    const clock = new ManualClock();
    const state = inMemory();
    const hanging: Input<Reading> = {
      name: "one",
      at: ({ at }) => at,
      outOfOrder: "1s",
      async *read() {
        yield { records: [1, 12, 25].map((seconds) => toReading(seconds * second)), position: 3 };
        await new Promise(() => {});
      },
    };
    const feed = runFeed({ name: "f", clock, inputs: [hanging], stage: windowsOf(tumbling("10s"))(), state });
    const given = feed.next();
    await clock.advance(99);
    expect(state.texts.size).toBe(0); // it waits for more, but not long
    await clock.advance(1);
    const { value } = await given;
    expect(value?.records).toMatchObject([{ start: 0 }, { start: 10 * second }]);
    const owed = (): unknown[] => (JSON.parse(state.texts.get("f") ?? "") as { owed: unknown[] }).owed;
    expect(owed()).toHaveLength(1);
    void feed.next(); // it was taken
    await clock.advance(100);
    expect(owed()).toEqual([]);
  });

  test("refuses an input without positions, and lets one say that nothing comes twice", async () => {
    const toLive = (position: { readonly position?: null }, from: number): Input<Reading> => ({
      name: "live",
      at: ({ at }) => at,
      outOfOrder: "1s",
      async *read() {
        for (let at = from; at < from + 3 * second; at += second) yield { records: [toReading(at)], ...position };
      },
    });
    const state = inMemory();
    const start = async (input: Input<Reading>, most: number) => {
      const windows: unknown[] = [];
      const stage = windowsOf(tumbling("10s"))();
      const stop = new AbortController();
      const counted: Input<Reading> = {
        ...input,
        async *read(after) {
          let batches = 0;
          for await (const batch of input.read(after)) {
            yield batch;
            batches += 1;
            if (batches === most) {
              stop.abort();
              await new Promise(() => {});
            }
          }
        },
      };
      const aborted = stop.signal;
      const parts = { name: "f", clock: systemClock, inputs: [counted], stage, state, keepEvery: 1, aborted } as const;
      for await (const { records } of runFeed(parts)) windows.push(...records);
      return windows;
    };
    await expect(start(toLive({}, 0), 9)).rejects.toThrow(
      'The input "live" of the feed "f" gives records without a position.',
    );
    expect(state.texts.size).toBe(0);
    await start(toLive({ position: null }, 0), 2);
    expect(await start(toLive({ position: null }, 5 * second), 9)).toMatchObject([
      { start: 0, value: [0, second, 5 * second, 6 * second, 7 * second] },
    ]);
  });

  test("is over where its inputs were: what they bring later is late", async () => {
    const state = inMemory();
    const start = async (records: readonly Reading[]) => {
      const told: unknown[] = [];
      const stage = windowsOf(tumbling("10s"))();
      const inputs = [toInput("one", records, () => 0)] as const;
      for await (const slice of runFeed({ name: "f", clock: systemClock, inputs, stage, state }))
        told.push(...slice.records, ...(slice.late ?? []).map(({ record }) => `late ${record.id}`));
      return told;
    };
    const records = [1, 2, 3].map((seconds) => toReading(seconds * second));
    expect(await start(records.slice(0, 2))).toMatchObject([{ start: 0, revision: 0, value: [second, 2 * second] }]);
    expect(await start(records)).toEqual([`late ${3 * second}`]);
    expect(await start(records)).toEqual([]);
  });

  test("that is stopped keeps what it has read, and gives out what that led to when it goes on", async () => {
    const state = inMemory();
    const stop = new AbortController();
    const clock = new ManualClock();
    const reads: unknown[] = [];
    const input: Input<Reading> = {
      name: "one",
      at: ({ at }) => at,
      outOfOrder: "1s",
      async *read(after) {
        reads.push(after);
        if (after === undefined) yield { records: [1, 12].map((seconds) => toReading(seconds * second)), position: 2 };
        await new Promise(() => {});
      },
    };
    const parts = { name: "f", clock, inputs: [input] as const, state };
    const first = runFeed({ ...parts, stage: windowsOf(tumbling("10s"))(), aborted: stop.signal }).next();
    await clock.advance(50);
    stop.abort();
    expect((await first).done).toBe(true);
    const second_ = runFeed({ ...parts, stage: windowsOf(tumbling("10s"))() });
    expect((await second_.next()).value).toMatchObject({ again: true, records: [{ start: 0, value: [second] }] });
    void second_.next();
    await clock.advance(0);
    expect(reads).toEqual([undefined, 2]);
  });
});
