import { packageFile } from "./package-file.ts";

/** One flight of January to March 2001, as reported to the U.S. Bureau of Transportation Statistics. */
export interface FlightRecord {
  /** When it really left, in the origin's local time: `2001/01/10 18:50`. The data does not say when it should have. */
  readonly date: string;
  /** How late it arrived, in minutes; negative is early. */
  readonly delay: number;
  /** In miles. */
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

/** 10,000 records in order of departure. */
export function loadFlights(): readonly FlightRecord[] {
  return JSON.parse(packageFile("vega-datasets", "../data/flights-10k.json"));
}

/** The data has no flight numbers. Where from, where to and when is unique in it: `ABQ-DAL-20010227-1430`. */
export function flightId({ origin, destination, date }: FlightRecord): string {
  const [day = "", time = ""] = date.split(" ");
  return `${origin}-${destination}-${day.replaceAll("/", "")}-${time.replace(":", "")}`;
}

/**
 * The instant of departure. A fixed offset is exact here: the records end on 31 March 2001, the day before daylight
 * saving time began in the United States.
 */
export function departedAt({ date }: FlightRecord, hoursEastOfUtc: number): string {
  const local = Date.parse(`${date.replaceAll("/", "-").replace(" ", "T")}:00Z`);
  return new Date(local - hoursEastOfUtc * 3_600_000).toISOString();
}
