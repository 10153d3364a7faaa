// How the registries write their airports down: JSON, CSV and XML.
import type { FaaAirport } from "../data/faa.ts";
import { OPENFLIGHTS_UPDATED, type OpenFlightsAirport } from "../data/openflights.ts";
import { OURAIRPORTS_SEEN, type OurAirportsAirport } from "../data/ourairports.ts";

export const toOpenFlights = ({ iata, name, city, country, latitude, longitude, tz }: OpenFlightsAirport): object => ({
  iata,
  name,
  city,
  country,
  lat: latitude,
  lon: longitude,
  ...(tz && { tz }),
  updated: OPENFLIGHTS_UPDATED,
});

/** CSV: a header, and a line for each airport. */
export function toCsv(rows: readonly OurAirportsAirport[]): string {
  const header = ["iata_code", "title", "lat", "lon", "seen", "iso_country", "continent", "type", "size", "status"];
  const lines = rows.map(({ iata, name, lat, lon, iso, continent, type, size, status }) =>
    [iata, name, lat, lon, OURAIRPORTS_SEEN, iso, continent, type, size, status].map(cell).join(","),
  );
  return [header.join(","), ...lines, ""].join("\r\n");
}

/** RFC 4180. What the data does not know is an empty cell. */
function cell(value: string | number | null | undefined): string {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** XML: a list of airports, which may be empty. */
export function toXml(airports: readonly FaaAirport[]): string {
  const list = airports.length > 0 ? `<airports>${airports.map(element).join("")}</airports>` : "<airports/>";
  return `<?xml version="1.0" encoding="UTF-8"?>\n${list}\n`;
}

function element(airport: FaaAirport): string {
  const names = ["iata", "name", "city", "state", "country", "latitude", "longitude"] as const;
  return `<airport>${names.map((name) => `<${name}>${escaped(airport[name])}</${name}>`).join("")}</airport>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
