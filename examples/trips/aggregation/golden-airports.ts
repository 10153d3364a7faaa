// Shapes: three registries as one list. What it says and why: docs/golden-airports.md.
import {
  csv,
  exactly,
  jaroWinkler,
  json,
  latest,
  list,
  majority,
  matching,
  nearby,
  prefer,
  source,
  xml,
} from "trilith/aggregation";
import { plain, text } from "trilith/normalise";
import { type Coordinates, coordinates } from "trilith/normalise/coordinates";
import { countryCode } from "trilith/normalise/countries";
import { z } from "zod";
import { Airports } from "../contracts.ts";

// What the registries call by another name than ISO 3166 does. The Netherlands Antilles are no country any more.
const country = countryCode({
  also: {
    "British Virgin Islands": "VG",
    Brunei: "BN",
    Burma: "MM",
    "Congo (Brazzaville)": "CG",
    "Congo (Kinshasa)": "CD",
    "East Timor": "TL",
    "Falkland Islands": "FK",
    "Federated States of Micronesia": "FM",
    "Johnston Atoll": "UM",
    Laos: "LA",
    Macau: "MO",
    Macedonia: "MK",
    Micronesia: "FM",
    "Midway Islands": "UM",
    Moldova: "MD",
    "N Mariana Islands": "MP",
    Swaziland: "SZ",
    Syria: "SY",
    "Virgin Islands": "VI",
    "Wake Island": "UM",
  },
});
const position = coordinates();

/** A registry as a whole changes by the day at most, and is large: it is read once an hour. */
const whole = { timeout: "10s", attempts: 3, cacheFor: "1h" } as const;

const openflights = source("openflights-list", {
  get: json(
    "https://openflights.test/airports.json",
    z.array(
      z.object({
        iata: z.string(),
        name: z.string(),
        city: z.string().nullable(),
        country: z.string(),
        lat: z.number(),
        lon: z.number(),
        updated: z.iso.date(),
      }),
    ),
  ),
  shape: (airports) =>
    airports.map(({ iata, name, city, country: where, lat, lon, updated }) => ({
      iata,
      name: text(name),
      city: text(city),
      country: country(where),
      position: position({ lat, lon }),
      seen: updated,
    })),
  ...whole,
});

const ourairports = source("ourairports-list", {
  get: csv(
    "https://ourairports.test/all.csv",
    z.object({
      iata_code: z.string(),
      title: z.string(),
      lat: z.string(),
      lon: z.string(),
      seen: z.iso.date(),
      iso_country: z.string(),
    }),
  ),
  shape: (airports) =>
    airports.map(({ iata_code, title, lat, lon, seen, iso_country }) => ({
      iata: iata_code,
      name: text(title),
      country: country(iso_country),
      position: lat === "" ? undefined : position({ lat, lon }), // an empty cell is not the equator
      seen,
    })),
  ...whole,
});

const faa = source("faa-list", {
  get: xml(
    "https://faa.test/airports.xml",
    "airports.airport",
    z.object({
      iata: z.string(),
      name: z.string(),
      city: z.string(),
      country: z.string(),
      latitude: z.string(),
      longitude: z.string(),
    }),
  ),
  shape: (airports) =>
    airports.map(({ iata, name, city, country: where, latitude, longitude }) => ({
      iata,
      name: text(name),
      city: text(city),
      country: country(where),
      position: position({ latitude, longitude }),
    })),
  ...whole,
});

interface Listed {
  readonly iata: string;
  readonly name?: unknown;
  readonly country?: unknown;
  readonly position?: unknown;
}
/** What every airport is called says nothing of which one it is. */
const named = ({ name }: Listed): string =>
  String(plain(name) ?? "")
    .split(" ")
    .filter((word) => !generic.has(word))
    .join(" ");
const generic = new Set(["airport", "airfield", "field", "intl", "international", "municipal", "muni", "regional"]);

/** About a kilometre: registries that differ by less mean the same place. */
const roughly = coordinates({ digits: 2 });

export const goldenAirports = list(Airports.list, {
  budget: "20s",
  require: [openflights],
  // A code alone does not do: the FAA gives three letters to fields that IATA has given to others.
  same: matching<Listed>({
    blocks: [({ iata }) => iata],
    compare: [
      { of: named, by: jaroWinkler },
      { of: ({ country }) => country, by: exactly },
      { of: ({ position }) => position, by: nearby(100_000), weight: 2 },
    ],
    match: 0.75,
    review: 0.5,
  }),
  asOf: "seen",
  fields: {
    iata: prefer(openflights, ourairports, faa),
    name: majority(openflights, ourairports, faa).comparing(plain),
    city: prefer(openflights, faa).comparing(plain),
    country: majority(openflights, ourairports, faa),
    position: latest(openflights, ourairports, faa).comparing((at: Coordinates) => roughly(at)),
  },
  where: { country: (airport, wanted) => airport.country === wanted },
  orderBy: ["iata"],
  size: { usual: 50, most: 1_000 },
});
