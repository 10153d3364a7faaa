import { parse } from "csv-parse/sync";
import { packageFile } from "./package-file.ts";

/** One row of the FAA's list. Every column is text, coordinates included. */
export interface FaaAirport {
  readonly iata: string;
  readonly name: string;
  readonly city: string;
  readonly state: string;
  readonly country: string;
  readonly latitude: string;
  readonly longitude: string;
}

/** By code. The United States and their territories only, small fields such as `00M` included. */
export function loadFaa(): ReadonlyMap<string, FaaAirport> {
  const rows: FaaAirport[] = parse(packageFile("vega-datasets", "../data/airports.csv"), { columns: true });
  return new Map(rows.map((row) => [row.iata, row]));
}
