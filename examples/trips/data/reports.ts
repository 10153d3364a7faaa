import { createHash } from "node:crypto";
import { departedAt, flightId, loadFlights } from "./flights.ts";
import { loadOpenFlights } from "./openflights.ts";

const minuteMs = 60_000;
/** A departure is reported within four hours. */
const slowestMinutes = 240;
const milesAMinute = 8;

/** What is reported of a flight; `at` is when it left, in ms since 1970. */
export interface DepartureReport {
  readonly kind: "departure";
  readonly flight: string;
  readonly airport: string;
  readonly at: number;
}
export interface DelayReport extends Omit<DepartureReport, "kind"> {
  readonly kind: "delay";
  readonly minutes: number;
}

/**
 * The flight records as two streams, each in the order in which its reports came in, which is not the order in which the
 * flights left: a departure is reported sooner or later, and a delay when the flight has landed. Airports without a time
 * zone are left out, for nobody can say when it was there.
 */
export function toReports(): {
  readonly departures: readonly DepartureReport[];
  readonly delays: readonly DelayReport[];
} {
  const airports = loadOpenFlights();
  const flights = loadFlights().flatMap((record) => {
    const { timezone } = airports.get(record.origin) ?? {};
    if (typeof timezone !== "number") return [];
    const of = { flight: flightId(record), airport: record.origin, at: Date.parse(departedAt(record, timezone)) };
    const reportedAt = of.at + minutesFor(of.flight) * minuteMs;
    const landedAt = of.at + (record.distance / milesAMinute + Math.max(0, record.delay)) * minuteMs;
    return [{ of, minutes: record.delay, reportedAt, landedAt }];
  });
  return {
    departures: flights.toSorted((a, b) => a.reportedAt - b.reportedAt).map(({ of }) => ({ kind: "departure", ...of })),
    delays: flights
      .toSorted((a, b) => a.landedAt - b.landedAt)
      .map(({ of, minutes }) => ({ kind: "delay", ...of, minutes })),
  };
}

/** The same for the same flight. */
const minutesFor = (flight: string): number =>
  createHash("sha256").update(flight).digest().readUInt16BE(0) % slowestMinutes;
