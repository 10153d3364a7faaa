// Shapes: three registries and a departure board become one page.
import { csv, json, latest, linked, prefer, source, union, view, xml } from "trilith/aggregation";
import { z } from "zod";
import { Airports, Delay } from "../contracts.ts";

const OpenFlights = z.object({
  name: z.string(),
  city: z.string(),
  country: z.string(),
  lat: z.number(),
  lon: z.number(),
  updated: z.iso.date(),
});
const openflights = source("openflights", {
  get: json("https://openflights.test/airports/{iata}", OpenFlights),
  shape: ({ name, city, country, lat, lon }) => ({ name, city, country, position: { latitude: lat, longitude: lon } }),
  asOf: "updated",
  timeout: "300ms",
  attempts: 2,
});

const Degrees = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .transform(Number); // an empty cell is not the equator
const OurAirport = z.object({
  iata_code: z.string(),
  title: z.string().min(1),
  seen: z.iso.date(),
  lat: Degrees,
  lon: Degrees,
});
const ourairports = source("ourairports", {
  batch: csv("https://ourairports.test/airports.csv?iata={iata}", OurAirport),
  match: "iata_code",
  shape: ({ title, lat, lon }) => ({ name: title, position: { latitude: lat, longitude: lon } }),
  asOf: "seen",
  timeout: "300ms",
  attempts: 2,
});

const FaaAirport = z.object({ iata: z.string(), name: z.string(), city: z.string(), country: z.string() });
const faa = source("faa", {
  batch: xml("https://faa.test/airports/{iata}.xml", "airports.airport", FaaAirport),
  match: "iata",
  shape: ({ name, city, country }) => ({ name, city, country }),
  timeout: "300ms",
  attempts: 2,
});

const delays = source("delays", {
  get: json("https://flights.test/departures/{iata}", z.array(Delay)),
  timeout: "300ms",
  staleIfError: "10m",
});

export const airportPage = view(Airports.page, {
  budget: "1s",
  require: [openflights], // only a required source can fail the answer
  fields: {
    name: prefer(ourairports, openflights, faa),
    ...linked(prefer(openflights, faa), "city", "country"), // never a city from one and a country from the other
    position: latest(ourairports, openflights),
    delays: union(delays).dedupeBy("flight").orderBy("-minutes").limit(20),
  },
});
