import { packageFile } from "./package-file.ts";

/** One entry of the package `airports`. Coordinates are text in the data, and about one entry in twenty has none. */
export interface OurAirportsAirport {
  readonly iata: string;
  readonly name: string | null;
  readonly lat?: string;
  readonly lon?: string;
  readonly iso: string;
  readonly continent: string;
  readonly type: string;
  readonly size: string | null;
  /** 1 is open, 0 is closed. */
  readonly status: 0 | 1;
}

/**
 * The entries carry no date. This one is an estimate, one constant for the registry as a whole: the package's readme
 * wears a Gittip badge (a name given up in October 2014) and its airport names are of that age.
 */
export const OURAIRPORTS_SEEN = "2014-10-01";

/** By IATA code; some 90 codes have two entries (SAV is Savannah, and a heliport in Greenland). */
export function loadOurAirports(): ReadonlyMap<string, readonly OurAirportsAirport[]> {
  const airports: OurAirportsAirport[] = JSON.parse(packageFile("airports", "airports.json"));
  return Map.groupBy(airports, ({ iata }) => iata);
}
