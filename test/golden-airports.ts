// All airports of the three registries of examples/trips as one list: what docs/golden-airports.md speaks of.
import { z } from "zod";
import { loadFaa } from "../examples/trips/data/faa.ts";
import { loadOpenFlights, OPENFLIGHTS_UPDATED } from "../examples/trips/data/openflights.ts";
import { loadOurAirports, OURAIRPORTS_SEEN } from "../examples/trips/data/ourairports.ts";
import {
  custom,
  exactly,
  jaroWinkler,
  latest,
  list,
  majority,
  matching,
  nearby,
  prefer,
  source,
} from "../src/aggregation/index.ts";
import { type Coordinates, coordinates } from "../src/aggregation/normalise/coordinates.ts";
import { countryCode } from "../src/aggregation/normalise/countries.ts";
import { plain, text } from "../src/aggregation/normalise/index.ts";
import { contract, query } from "../src/contracts/index.ts";

const Airport = z.object({
  iata: z.string(),
  name: z.string(),
  city: z.string().optional(),
  country: z.string().length(2).optional(),
  position: z.object({ latitude: z.number(), longitude: z.number() }).optional(),
});
export const Golden = contract("golden", "1.0.0", {
  airports: query({
    input: z.object({
      country: z.string().optional(),
      after: z.string().optional(),
      limit: z.int().optional(),
    }),
    output: z.object({
      items: z.array(Airport),
      complete: z.boolean(),
      next: z.string().optional(),
      found: z.int().optional(),
    }),
  }),
});

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

type Order = <T>(records: readonly T[]) => readonly T[];

const toOpenflights = (order: Order) =>
  source("openflights", {
    get: custom(
      [],
      z.array(
        z.object({
          iata: z.string(),
          name: z.string(),
          city: z.string().nullable(),
          country: z.string(),
          latitude: z.number(),
          longitude: z.number(),
        }),
      ),
      async () => order([...loadOpenFlights().values()]),
    ),
    cacheFor: "1h",
    shape: (airports) =>
      airports.map(({ iata, name, city, country: where, ...place }) => ({
        iata,
        name: text(name),
        city: text(city),
        country: country(where),
        position: position(place),
        seen: OPENFLIGHTS_UPDATED,
      })),
  });
const toOurairports = (order: Order) =>
  source("ourairports", {
    get: custom(
      [],
      z.array(
        z.object({
          iata: z.string(),
          name: z.string().nullable(),
          iso: z.string(),
          lat: z.string().optional(),
          lon: z.string().optional(),
        }),
      ),
      async () => order([...loadOurAirports().values()].flat()),
    ),
    cacheFor: "1h",
    shape: (airports) =>
      airports.map(({ iata, name, iso, lat, lon }) => ({
        iata,
        name: text(name),
        country: country(iso),
        position: lat === undefined ? undefined : position({ lat, lon }),
        seen: OURAIRPORTS_SEEN,
      })),
  });
const toFaa = (order: Order) =>
  source("faa", {
    get: custom(
      [],
      z.array(
        z.object({
          iata: z.string(),
          name: z.string(),
          city: z.string(),
          country: z.string(),
          latitude: z.string(),
          longitude: z.string(),
        }),
      ),
      async () => order([...loadFaa().values()]),
    ),
    cacheFor: "1h",
    shape: (airports) =>
      airports.map(({ iata, name, city, country: where, latitude, longitude }) => ({
        iata,
        name: text(name),
        city: text(city),
        country: country(where),
        position: position({ latitude, longitude }),
      })),
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

/** `order` is the one in which the registries name their airports, which makes no difference. */
export function toGoldenAirports(order: Order) {
  const [openflights, ourairports, faa] = [toOpenflights(order), toOurairports(order), toFaa(order)];
  return list(Golden.airports, {
    budget: "30s",
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
    size: { usual: 50, most: 2_000 },
  });
}
