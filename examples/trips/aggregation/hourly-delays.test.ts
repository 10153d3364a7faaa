import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { type FeedState, type Input, runFeed, type Windowed } from "trilith/aggregation";
import { systemClock } from "trilith/contracts";
import { expect, test } from "vitest";
import { departedAt, flightId, loadFlights } from "../data/flights.ts";
import { loadOpenFlights } from "../data/openflights.ts";
import { type HourlyDelays, hourlyDelays, type Report, toInput } from "./hourly-delays.ts";

const hourMs = 3_600_000;
const airports = loadOpenFlights();
const flights = loadFlights().flatMap((record) => {
  const { timezone } = airports.get(record.origin) ?? {};
  if (typeof timezone !== "number") return []; // an airport that the registry does not know has no time zone either
  return [{ ...record, flight: flightId(record), at: Date.parse(departedAt(record, timezone)) }];
});
const departures = flights.map(
  ({ flight, origin, at }): Report => ({ kind: "departure", flight, airport: origin, at }),
);
const delays = flights.map(
  ({ flight, origin, at, delay }): Report => ({ kind: "delay", flight, airport: origin, at, minutes: delay }),
);

/** The batch: every hour from all of its flights at once. */
function inBatch(): ReadonlyMap<string, HourlyDelays> {
  const hours = new Map<string, number[]>();
  for (const { origin, at, delay } of flights) {
    const name = `${origin} ${Math.floor(at / hourMs)}`;
    hours.set(name, [...(hours.get(name) ?? []), delay]);
  }
  return new Map(
    [...hours].map(([name, minutes]) => [
      name,
      {
        departures: minutes.length,
        reported: minutes.length,
        late: minutes.filter((one) => one > 15).length,
        averageMinutes: minutes.reduce((sum, one) => sum + one, 0) / minutes.length,
        worstMinutes: Math.max(...minutes),
      },
    ]),
  );
}

/** A feed in which each report comes up to `most` ms of event time later than it should. */
function disordered(reports: readonly Report[], seed: number, most: number): readonly Report[] {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return reports
    .map((report) => ({ report, when: report.at + next() * most }))
    .sort((a, b) => a.when - b.when)
    .map(({ report }) => report);
}

async function run(feeds: readonly (readonly Report[])[], size: number) {
  const late: Report[] = [];
  const stage = hourlyDelays(({ record }) => late.push(record));
  const [first, second] = feeds.map((reports, at) =>
    toInput(`feed-${at}`, async function* (after) {
      for (let from = Number(after ?? 0); from < reports.length; from += size)
        yield { records: reports.slice(from, from + size), position: from + size };
    }),
  );
  if (!first || !second) throw new TypeError("There are two feeds.");
  const last = new Map<string, Windowed<HourlyDelays>>();
  let given = 0;
  for await (const { records } of runFeed({ name: "hours", inputs: [first, second], stage, clock: systemClock })) {
    given += records.length;
    for (const window of records) last.set(`${window.key} ${window.start / hourMs}`, window);
  }
  return { late, given, hours: new Map([...last].map(([name, { value }]) => [name, value])) };
}

test("hours of the real flights are what the batch gives, whatever the order within the lateness", async () => {
  expect(flights.length).toBeGreaterThan(9_900);
  const expected = inBatch();
  // Up to six hours is within the bound; up to thirty more within the allowed lateness of a day.
  const disorder = fc.constantFrom(0, 1, 5, 6, 20, 30);
  await fc.assert(
    fc.asyncProperty(fc.nat(), disorder, disorder, fc.integer({ min: 1, max: 900 }), async (seed, one, other, size) => {
      const feeds = [disordered(departures, seed, one * hourMs), disordered(delays, seed + 1, other * hourMs)];
      const { late, hours } = await run(feeds, size);
      expect(late).toEqual([]);
      expect(hours).toEqual(expected);
    }),
    { numRuns: 15 },
  );
});

test("an hour that late reports change is told of again, and what comes too late is put aside", async () => {
  const feeds = [departures, disordered(delays, 7, 20 * hourMs)];
  const within = await run(feeds, 50);
  expect(within.given).toBeGreaterThan(inBatch().size);
  const beyond = await run([departures, disordered(delays, 7, 20 * 24 * hourMs)], 50);
  expect(beyond.late.length).toBeGreaterThan(100);
  const counted = [...beyond.hours.values()].reduce((sum, { reported }) => sum + reported, 0);
  expect(counted + beyond.late.length).toBe(flights.length);
});

test("a feed of the real flights that is killed at random places says each revision of an hour in the same words", async () => {
  const expected = inBatch();
  const life = fc.record({
    seed: fc.nat(),
    size: fc.integer({ min: 50, max: 400 }),
    keepEvery: fc.integer({ min: 1, max: 30 }),
    // After how many hours that were told each process ends.
    ends: fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(life, async ({ seed, size, keepEvery, ends }) => {
      const reports = [
        disordered(departures, seed, 20 * hourMs),
        disordered(delays, seed + 1, 30 * 24 * hourMs),
      ] as const;
      const texts = new Map<string, string>();
      const state: FeedState = {
        load: async (feed) => texts.get(feed),
        save: async (feed, text) => void texts.set(feed, text),
      };
      const words = new Map<string, string>();
      const hours = new Map<string, Windowed<HourlyDelays>>();
      const late = new Set<string>();
      for (const [life, end] of [...ends, Number.POSITIVE_INFINITY].entries()) {
        let told = 0;
        // Which of the two comes first is another one in each life.
        const inputs = reports.map((own, at) =>
          toInput(`feed-${at}`, async function* (after) {
            for (let from = Number(after ?? 0); from < own.length; from += size) {
              if ((life + at) % 2 === 0) for (let turn = 0; turn < 3; turn++) await nextTurn();
              yield { records: own.slice(from, from + size), position: from + size };
            }
          }),
        ) as [Input<Report>, Input<Report>]; // there are two
        const feed = runFeed({ name: "hours", inputs, stage: hourlyDelays(), clock: systemClock, state, keepEvery });
        for await (const slice of feed) {
          for (const window of slice.records) {
            const name = `${window.key} ${window.start / hourMs}`;
            const word = JSON.stringify(window);
            expect(words.get(`${name} ${window.revision}`) ?? word).toBe(word);
            words.set(`${name} ${window.revision}`, word);
            if ((hours.get(name)?.revision ?? -1) <= window.revision) hours.set(name, window);
            told += 1;
          }
          for (const { record } of slice.late ?? []) late.add(JSON.stringify(record));
          if (told >= end) break;
        }
      }
      const reported = [...hours.values()].reduce((sum, { value }) => sum + value.reported, 0);
      expect(reported + late.size).toBe(flights.length);
      expect([...hours.values()].reduce((sum, { value }) => sum + value.departures, 0)).toBe(flights.length);
      expect([...hours.keys()].every((name) => expected.has(name))).toBe(true);
    }),
    { numRuns: 4 },
  );
});
