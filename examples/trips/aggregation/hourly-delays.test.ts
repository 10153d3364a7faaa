import fc from "fast-check";
import { runFeed, type Windowed } from "trilith/aggregation";
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
