import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Call, command, contract, Fault, silentTracing } from "../../contracts/index.ts";
import { type VirtualClock, virtualClock } from "../../testing/index.ts";
import { decide, schedule, toCalendar } from "./schedule.ts";
import { Scheduler } from "./scheduler.ts";
import type { Slot, Timetable } from "./timetable.ts";

const Reports = contract("reports", "1.0.0", { make: command({ input: z.object({ day: z.string() }) }) });
const input = (at: Date) => ({ day: at.toISOString() });
const berlin = (cron: string) => toCalendar({ cron, zone: "Europe/Berlin" });
const instants = (cron: string, from: string, count: number): readonly string[] => {
  const found: string[] = [];
  for (let at = Date.parse(from); found.length < count; ) {
    at = berlin(cron).after(at) ?? 0;
    found.push(new Date(at).toISOString());
  }
  return found;
};

describe("the times of a schedule", () => {
  test("are those of its zone, in summer and in winter", () => {
    expect(instants("0 6 * * 1-5", "2026-03-26T12:00:00Z", 3)).toEqual([
      "2026-03-27T05:00:00.000Z",
      "2026-03-30T04:00:00.000Z",
      "2026-03-31T04:00:00.000Z",
    ]);
  });
  test("that a change of clocks skips come when the clocks go on, and steps in a skipped hour do not", () => {
    expect(instants("30 2 * * *", "2026-03-28T12:00:00Z", 2)).toEqual([
      "2026-03-29T01:00:00.000Z", // 3:00, where 2:30 is not
      "2026-03-30T00:30:00.000Z",
    ]);
    expect(instants("*/30 2 * * *", "2026-03-28T12:00:00Z", 1)).toEqual(["2026-03-30T00:00:00.000Z"]);
    expect(instants("*/30 * * * *", "2026-03-29T00:20:00Z", 3)).toEqual([
      "2026-03-29T00:30:00.000Z",
      "2026-03-29T01:00:00.000Z",
      "2026-03-29T01:30:00.000Z",
    ]);
  });
  test("that a change of clocks repeats come once, the first time, and steps go on through both hours", () => {
    expect(instants("30 2 * * *", "2026-10-24T12:00:00Z", 2)).toEqual([
      "2026-10-25T00:30:00.000Z",
      "2026-10-26T01:30:00.000Z",
    ]);
    expect(instants("*/30 * * * *", "2026-10-25T00:10:00Z", 4)).toEqual([
      "2026-10-25T00:30:00.000Z",
      "2026-10-25T01:00:00.000Z",
      "2026-10-25T01:30:00.000Z",
      "2026-10-25T02:00:00.000Z",
    ]);
  });
  test("never stand still, wherever one begins", () => {
    const at = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2028, 0, 1) });
    fc.assert(
      fc.property(at, fc.constantFrom("*/7 * * * *", "30 2 * * *", "0 0 29 2 *", "15 1,2,3 * * 0"), (at, cron) => {
        expect(berlin(cron).after(at)).toBeGreaterThan(at);
      }),
    );
  });
  test("up to an instant are those that lead there, through changes of clocks as well", () => {
    const at = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2028, 0, 1) });
    const zones = fc.constantFrom("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC");
    const crons = fc.constantFrom(
      "*/7 * * * *",
      "30 2 * * *",
      "*/30 1-3 * * *",
      "0 0 29 2 *",
      "15 1,2,3 * * 0",
      "5 * * * * *",
    );
    fc.assert(
      fc.property(at, zones, crons, fc.integer({ min: 0, max: 30 }), (from, zone, cron, count) => {
        const calendar = toCalendar({ cron, zone });
        const walked: number[] = [];
        for (let next = calendar.after(from); next !== undefined && walked.length < count; next = calendar.after(next))
          walked.push(next);
        const to = walked.at(-1);
        // They are whole seconds, so half of one after the last there is no other; where there is none, there may be.
        for (const end of to === undefined ? [from] : [to, to + 500])
          expect(calendar.upTo(end, 50).filter((one) => one > from)).toEqual(walked);
      }),
    );
    expect(toCalendar({ cron: "* * * * *", zone: "UTC" }).upTo(Date.UTC(2026, 0, 1), 3)).toHaveLength(3);
  });
  test("that are none, or in no zone, are refused with a sentence", () => {
    const of = (cron: string, zone: string) => () => schedule(Reports.make, { cron, zone, input });
    const none =
      'The schedule "reports.make" has the times "0 6 * *", which are none: it has 4 parts, and takes five (minute,';
    expect(of("0 6 * *", "UTC")).toThrow(none);
    expect(of("0 6 * *", "UTC")).toThrow('At six on working days is "0 6 * * 1-5"');
    expect(of("61 * * * *", "UTC")).toThrow("which are none: invalid value for minute: 61. At six");
    expect(of("0 6 * * * * 2020", "UTC")).toThrow("it has 7 parts");
    expect(of("0 0 31 2 *", "UTC")).toThrow("no day is like that");
    expect(of("@daily", "UTC")).not.toThrow();
    expect(of("0 0 29 2 *", "UTC")).not.toThrow();
    expect(of("0 6 * * *", undefined as unknown as string)).toThrow("no time zone"); // as JavaScript may call it
    expect(of("0 6 * * *", "Mars/Base")).toThrow('in the zone "Mars/Base", which is no time zone');
  });
});

describe("what becomes of instants", () => {
  const every = toCalendar({ cron: "* * * * *", zone: "UTC" });
  const from = Date.UTC(2026, 0, 1, 12);
  const later = (minutes: number) => from + minutes * 60_000 + 1_000;
  const owedOf = (catchUp: "none" | "last" | "all", overlap: "skip" | "queue" | "allow", now: number, isBusy = false) =>
    decide({ catchUp, overlap }, every, from, now, isBusy).owed.map((at) => (at - from) / 60_000);

  test("that were missed: none, the last or all", () => {
    expect(owedOf("all", "allow", later(3))).toEqual([0, 1, 2, 3]);
    expect(owedOf("last", "allow", later(3))).toEqual([3]);
    expect(owedOf("none", "allow", later(3))).toEqual([3]); // a second ago: that one was not missed
    const daily = toCalendar({ cron: "0 12 * * *", zone: "UTC" });
    expect(decide({ catchUp: "none", overlap: "allow" }, daily, from, later(5), false)).toEqual({
      owed: [],
      next: from + 86_400_000,
      passedOver: 1,
    });
  });
  test("all of them are a hundred at the most, the newest", () => {
    const owed = owedOf("all", "queue", later(1_000));
    expect([owed.length, owed[0], owed.at(-1)]).toEqual([100, 901, 1_000]);
  });
  test("by the second over months of absence are not walked through one by one", () => {
    const { after, upTo } = toCalendar({ cron: "* * * * * *", zone: "UTC" });
    let steps = 0;
    const counting = { upTo, after: (at: number) => after(at + 0 * ++steps) };
    const now = from + 180 * 86_400_000;
    const { owed, next, passedOver, more } = decide({ catchUp: "all", overlap: "allow" }, counting, from, now, false);
    expect([owed.length, owed[0], owed.at(-1), next]).toEqual([100, now - 99_000, now, now + 1_000]);
    expect([passedOver, more, steps]).toEqual([1, true, 1]);
  });
  test("whose run would overlap: passed over", () => {
    expect(owedOf("last", "skip", later(0), true)).toEqual([]);
    expect(owedOf("last", "queue", later(0), true)).toEqual([0]);
    expect(owedOf("all", "skip", later(3))).toEqual([3]);
  });
});

/** Runs that begin when they are called for, and end when they are told to; the same key is one run. */
function world(clock: VirtualClock) {
  const rows = new Map<string, Slot>();
  const runs = new Map<string, { readonly at: number; readonly input: unknown; ended: boolean }>();
  const said: string[] = [];
  /** Fails the n-th write, before or after it is done: where a process ends. */
  let crash: { at: number; after: boolean } | undefined;
  let writes = 0;
  const put = async (name: string, plan: Omit<Slot, "turn">, was: Slot | undefined): Promise<boolean> => {
    if (rows.get(name)?.turn !== was?.turn) return false;
    rows.set(name, JSON.parse(JSON.stringify({ ...plan, turn: (was?.turn ?? -1) + 1 })) as Slot);
    return true;
  };
  const node = (made = schedule(Reports.make, { cron: "0 * * * *", zone: "UTC", input }), alone = false) => {
    let dead = false;
    const hang = () => new Promise<never>(() => {});
    const mortal = async <T>(work: () => Promise<T>): Promise<T> => {
      if (dead) return hang();
      const dies = crash && ++writes === crash.at;
      if (dies && !crash?.after) dead = true;
      if (dead) return hang();
      const done = await work();
      if (dies) dead = true;
      return dead ? hang() : done;
    };
    const timetable: Timetable = {
      find: async (name) => (dead ? hang() : rows.get(name)),
      put: (name, plan, was) => mortal(() => put(name, plan, was)),
    };
    const scheduler = new Scheduler([made], {
      timetable,
      alone,
      clock,
      tracing: silentTracing,
      isUnderWay: async (run) => runs.get(run)?.ended === false,
      warn: (sentence) => said.push(sentence),
      dispatch: {
        call: (_id: string, given: unknown, { key = "" }: Call) =>
          mortal(async () => {
            if (!runs.has(key)) runs.set(key, { at: clock.now(), input: given, ended: false });
            return { accepted: true as const, run: key };
          }),
        void: async () => ({ took: "unknown" as const }),
      },
    });
    return { scheduler, isDead: () => dead };
  };
  return {
    node,
    runs,
    rows,
    said,
    keys: () => [...runs.keys()].map((key) => key.slice(11, 16)),
    end() {
      for (const run of runs.values()) run.ended = true;
    },
    crashAt(at: number, after: boolean) {
      writes = 0;
      crash = { at, after };
    },
  };
}
const at = (hour: number, minute = 0) => Date.UTC(2026, 0, 1, hour, minute);

describe("a schedule", () => {
  test("begins one run an instant, over however many nodes, and is listed", async () => {
    const clock = virtualClock(at(5, 30));
    const { node, runs, keys, end } = world(clock);
    const nodes = [node(), node(), node()];
    for (const { scheduler } of nodes) await scheduler.start();
    for (let hour = 0; hour < 3; hour++) {
      await clock.advance(3_600_000);
      end();
    }
    expect(keys()).toEqual(["06:00", "07:00", "08:00"]);
    expect([...runs.values()][0]).toMatchObject({ at: at(6), input: { day: "2026-01-01T06:00:00.000Z" } });
    expect(await nodes[1]?.scheduler.list()).toEqual([
      {
        ...{
          name: "reports.make",
          operation: "reports.make",
          cron: "0 * * * *",
          zone: "UTC",
          waiting: 0,
          paused: false,
        },
        ...{ next: new Date(at(9)), last: new Date(at(8)), lastRun: "2026-01-01T08:00:00.000Z" },
      },
    ]);
  });

  test("has one run for each instant, whichever write its process ends at", async () => {
    for (const after of [false, true]) {
      for (let write = 1; write < 9; write++) {
        const clock = virtualClock(at(5, 30));
        const { node, keys, end, crashAt } = world(clock);
        crashAt(write, after);
        let alive = node();
        const begin = async (): Promise<void> => {
          void alive.scheduler.start();
          await clock.advance(0);
        };
        await begin();
        for (let minute = 0; minute < 140; minute += 10) {
          await clock.advance(600_000);
          end();
          if (!alive.isDead()) continue;
          alive = node();
          await begin();
        }
        expect(keys(), `write ${write}`).toEqual(["06:00", "07:00"]);
      }
    }
  });

  test("whose run has not ended passes over an instant, waits with it, or does not mind, as it says", async () => {
    const begun = async (overlap: "skip" | "queue" | "allow") => {
      const clock = virtualClock(at(5, 30));
      const { node, keys, end } = world(clock);
      const { scheduler } = node(
        schedule(Reports.make, { cron: "0 * * * *", zone: "UTC", input, overlap, catchUp: "all" }),
      );
      await scheduler.start();
      await clock.advance(2 * 3_600_000);
      const before = keys();
      end();
      await clock.advance(2_000);
      return [before, keys()];
    };
    expect(await begun("skip")).toEqual([["06:00"], ["06:00"]]);
    expect(await begun("queue")).toEqual([["06:00"], ["06:00", "07:00"]]);
    expect(await begun("allow")).toEqual([
      ["06:00", "07:00"],
      ["06:00", "07:00"],
    ]);
  });

  test("that is paused begins nothing on any node, and goes on with what comes after it is resumed", async () => {
    const clock = virtualClock(at(5, 30));
    const { node, keys } = world(clock);
    const [one, two] = [node(), node()];
    await one.scheduler.start();
    await two.scheduler.start();
    await one.scheduler.pause("reports.make", { by: "ada", reason: "stocktaking" });
    await one.scheduler.pause("reports.make", { by: "late" });
    await clock.advance(3 * 3_600_000);
    expect(keys()).toEqual([]);
    expect(await two.scheduler.list()).toMatchObject([
      { paused: true, next: undefined, pause: { by: "ada", reason: "stocktaking", at: new Date(at(5, 30)) } },
    ]);
    await two.scheduler.resume("reports.make");
    expect((await one.scheduler.list())[0]).not.toHaveProperty("pause");
    await clock.advance(3_600_000);
    expect(keys()).toEqual(["09:00"]);
    await expect(one.scheduler.pause("reports.other")).rejects.toThrow("There are: reports.make.");
  });

  test("makes up for what nobody was there for, and says what it passed over", async () => {
    const clock = virtualClock(at(5, 30));
    const { node, keys, said } = world(clock);
    const first = node();
    await first.scheduler.start();
    await first.scheduler.stop();
    await clock.advance(5 * 3_600_000);
    await node().scheduler.start();
    await clock.advance(0);
    expect(keys()).toEqual(["10:00"]);
    expect(said).toEqual(['The schedule "reports.make" has passed over 4 instants: nobody was there when they came.']);
  });

  test("with new times is acted on by the newer code alone", async () => {
    const clock = virtualClock(at(5, 30));
    const { node, keys, end } = world(clock);
    const old = node();
    await old.scheduler.start();
    await node(schedule(Reports.make, { cron: "15 * * * *", zone: "UTC", input })).scheduler.start();
    await clock.advance(3_600_000);
    end();
    await clock.advance(3_600_000);
    expect(keys()).toEqual(["06:15", "07:15"]);
  });

  test("whose times an older node has taken over goes by the newer code's again once that node is gone", async () => {
    const clock = virtualClock(at(5, 30));
    const { node, keys, end, said } = world(clock);
    const pass = async (minutes: number) => {
      for (let minute = 0; minute < minutes; minute++) {
        await clock.advance(60_000);
        end();
      }
    };
    const fresh = () => node(schedule(Reports.make, { cron: "30 * * * *", zone: "UTC", input }));
    const [one, two] = [fresh().scheduler, fresh().scheduler];
    await one.start();
    await two.start();
    const old = node().scheduler; // an old container is restarted while the deployment is under way
    await old.start();
    await pass(120);
    expect(keys()).toEqual(["06:00", "07:00"]);
    expect((await two.list())[0]).toMatchObject({ otherTimes: "0 * * * * | UTC", next: new Date(at(8)) });
    expect(said).toEqual([]);
    await old.stop();
    await pass(4);
    expect(said).toEqual([
      'The schedule "reports.make" went by the times of other code ("0 * * * * | UTC"), on which no node acts any more. It goes by "30 * * * * | UTC" again.',
    ]);
    expect((await two.list())[0]).toMatchObject({ next: new Date(at(8, 30)) });
    expect((await two.list())[0]).not.toHaveProperty("otherTimes");
    await pass(120);
    expect(keys()).toEqual(["06:00", "07:00", "08:30", "09:30"].slice(0, keys().length));
    expect(keys()).toContain("08:30");
    for (const scheduler of [one, two]) await scheduler.stop();
  });

  test("makes up for the instant that comes while it is asked whether anybody is there", async () => {
    const clock = virtualClock(at(5, 59));
    const { node, keys } = world(clock);
    const fresh = node(schedule(Reports.make, { cron: "0 * * * *", zone: "UTC", input })).scheduler;
    await fresh.start();
    const old = node(schedule(Reports.make, { cron: "45 * * * *", zone: "UTC", input })).scheduler;
    await old.start();
    await clock.advance(20_000);
    await old.stop();
    await clock.advance(180_000);
    expect(keys()).toEqual(["06:00"]);
    await fresh.stop();
  });

  test("whose input cannot be made passes over that instant and says so", async () => {
    const clock = virtualClock(at(5, 30));
    const { node, keys, said } = world(clock);
    const odd = (at: Date) => {
      if (at.getUTCHours() === 6) throw new Error("No report at six.");
      return input(at);
    };
    const { scheduler } = node(schedule(Reports.make, { cron: "0 * * * *", zone: "UTC", input: odd }));
    await scheduler.start();
    await clock.advance(2 * 3_600_000);
    expect(keys()).toEqual(["07:00"]);
    expect(said).toEqual([
      'The schedule "reports.make" could not begin the run of 2026-01-01T06:00:00.000Z: No report at six. This instant has no run.',
    ]);
  });

  test("tries again where the backend cannot take the run at present", async () => {
    const clock = virtualClock(at(5, 59));
    const begun: string[] = [];
    let fails = 2;
    const rows = new Map<string, Slot>();
    const scheduler = new Scheduler([schedule(Reports.make, { cron: "0 * * * *", zone: "UTC", input })], {
      timetable: {
        find: async (name) => rows.get(name),
        put: async (name, plan, was) => Boolean(rows.set(name, { ...plan, turn: (was?.turn ?? -1) + 1 })),
      },
      ...{ alone: true, clock, tracing: silentTracing, isUnderWay: async () => false, warn: () => {} },
      dispatch: {
        async call(_id, _input, { key = "" }) {
          if (fails-- > 0) throw new Fault("Unavailable", "Busy.");
          begun.push(key);
          return { accepted: true, run: key };
        },
        void: async () => ({ took: "unknown" }),
      },
    });
    await scheduler.start();
    await clock.advance(120_000);
    expect(begun).toEqual(["2026-01-01T06:00:00.000Z"]);
  });
});
