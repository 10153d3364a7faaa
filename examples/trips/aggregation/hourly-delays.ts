// Streams: departures and arrival delays come as two feeds, each out of order, and hourly statistics of an airport come out.
import { type Aggregate, type Feed, feed, type Input, tumbling, type WindowStage, windowed } from "trilith/aggregation";
import { Punctuality } from "../contracts.ts";

/** A flight has left. */
export interface Departure {
  readonly kind: "departure";
  readonly flight: string;
  readonly airport: string;
  /** When, in ms since 1970. */
  readonly at: number;
}
/** How late it arrived, reported when it had; `at` is still when it left, so that both fall into the same hour. */
export interface Delay {
  readonly kind: "delay";
  readonly flight: string;
  readonly airport: string;
  readonly at: number;
  readonly minutes: number;
}
export type Report = Departure | Delay;

export interface HourlyDelays {
  readonly departures: number;
  /** Flights whose delay is known. */
  readonly reported: number;
  /** More than a quarter of an hour late. */
  readonly late: number;
  readonly averageMinutes: number | null;
  readonly worstMinutes: number | null;
}
interface Tally {
  departures: number;
  reported: number;
  late: number;
  minutes: number;
  worst: number;
}

const hour: Aggregate<Report, Tally, HourlyDelays> = {
  initial: () => ({ departures: 0, reported: 0, late: 0, minutes: 0, worst: Number.MIN_SAFE_INTEGER }),
  add(tally, report) {
    if (report.kind === "departure") tally.departures += 1;
    else {
      tally.reported += 1;
      tally.minutes += report.minutes; // whole minutes, so that the order of adding makes no difference
      if (report.minutes > 15) tally.late += 1;
      tally.worst = Math.max(tally.worst, report.minutes);
    }
    return tally;
  },
  result: ({ departures, reported, late, minutes, worst }) => ({
    departures,
    reported,
    late,
    averageMinutes: reported === 0 ? null : minutes / reported,
    worstMinutes: reported === 0 ? null : worst,
  }),
};

/** By airport and hour. What comes up to a day after its hour is still counted, and the hour is told of again. */
export const hourlyDelays = (onLate?: (late: { readonly record: Report }) => void): WindowStage<Report, HourlyDelays> =>
  windowed({
    windows: tumbling("1h"),
    key: ({ airport }: Report) => airport,
    aggregate: hour,
    allowedLateness: "1d",
    ...(onLate && { onLate }),
  });

/** One of the two feeds: reports in batches, up to six hours out of order. */
export const toInput = (name: string, batches: Input<Report>["read"]): Input<Report> => ({
  name,
  read: batches,
  at: ({ at }) => at,
  outOfOrder: "6h",
  idle: "10s",
});

/** Both feeds into the store of hours. Each hour, and each time that it is told of again, takes effect once. */
export const hourlyDelaysFeed = (departures: Input<Report>["read"], delays: Input<Report>["read"]): Feed =>
  feed("hourly-delays", {
    inputs: [toInput("departures", departures), toInput("delays", delays)],
    stage: () => hourlyDelays(),
    into: Punctuality.record,
    input: ({ key, start, revision, value }) => ({
      iata: key,
      hour: new Date(start).toISOString(),
      revision,
      ...value,
    }),
    key: ({ key, start, revision }) => `${key}/${start}/${revision}`,
    ahead: "2 days",
    keepEvery: 10,
  });
