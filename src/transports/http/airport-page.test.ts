// The page as a user writes it: contracts, sources, a view; then real services, two of which have a bad day.
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { provideViews } from "../../aggregation/host.ts";
import { csv, json, latest, prefer, source, union, type ViewMeta, view } from "../../aggregation/index.ts";
import { type CallerOutput, contract, query, systemClock } from "../../contracts/index.ts";
import { createHttp } from "./client.ts";
import { eventually, nobody, serve, toCall } from "./test-kit.test-d.ts";
import { toUpstream } from "./upstream.ts";

const Delay = z.object({ flight: z.string(), minutes: z.int(), at: z.iso.datetime() });
const Position = z.object({ latitude: z.number(), longitude: z.number() });

const Airports = contract("airports", "1.0.0", {
  page: query({
    input: z.object({ iata: z.string().length(3) }),
    output: z.object({ name: z.string(), position: Position.optional(), delays: z.array(Delay).optional() }),
    http: "GET /airports/{iata}",
    access: "public",
  }),
});

const OpenFlights = z.object({ name: z.string(), lat: z.number(), lon: z.number(), updated: z.iso.date() });
const openflights = source("openflights", {
  get: json("https://openflights.test/airports/{iata}", OpenFlights),
  shape: ({ name, lat, lon }) => ({ name, position: { latitude: lat, longitude: lon } }),
  asOf: "updated",
  timeout: "900ms", // a machine that runs other tests as well needs some of it
});

const OurAirport = z.object({
  iata_code: z.string(),
  title: z.string(),
  seen: z.iso.date(),
  lat: z.coerce.number(),
  lon: z.coerce.number(), // a CSV column is text: z.number() would not compile
});
const ourairports = source("ourairports", {
  batch: csv("https://ourairports.test/airports.csv?iata={iata}", OurAirport),
  match: "iata_code",
  shape: ({ title, lat, lon }) => ({ name: title, position: { latitude: lat, longitude: lon } }),
  asOf: "seen",
});

const delays = source("delays", {
  get: json("https://delays.test/{iata}", z.array(Delay)),
  staleIfError: "10m",
  hedge: "p95",
});

const airportPage = view(Airports.page, {
  budget: "1s",
  require: [openflights], // only a required source can fail the answer
  fields: {
    name: prefer(ourairports, openflights),
    position: latest(ourairports, openflights), // never a latitude from one and a longitude from the other
    delays: union(delays).dedupeBy("flight").orderBy("-at").limit(20),
  },
});

type Mood = "good" | "down" | "slow" | "garbage";

async function world() {
  const moods: { [service: string]: Mood } = { openflights: "good", ourairports: "good", delays: "good" };
  const bodies: { readonly [service: string]: [type: string, body: string] } = {
    openflights: [
      "application/json",
      '{"name":"Dallas Love Field","lat":32.84,"lon":-96.85,"updated":"2017-04-12","tz":"x"}',
    ],
    ourairports: [
      "text/csv; charset=utf-8; header=present",
      'iata_code,title,lat,lon,seen\r\nABQ,Sunport,35,-106,2020-01-01\r\nDAL,"Love Field, Dallas",32.847,-96.852,2016-01-01\r\n',
    ],
    delays: [
      "application/json",
      JSON.stringify([
        { flight: "WN1", minutes: 10, at: "2001-02-27T14:30:00Z" },
        { flight: "WN1", minutes: 25, at: "2001-02-27T15:30:00Z" },
        { flight: "WN2", minutes: 5, at: "2001-02-27T15:00:00Z" },
      ]),
    ],
  };
  const http = createHttp();
  const services = Object.fromEntries(
    await Promise.all(
      Object.entries(bodies).map(async ([name, [type, body]]) => {
        const server = await serve((_, response) => {
          const mood = moods[name];
          if (mood === "down") return void response.socket?.resetAndDestroy();
          if (mood === "slow") return;
          if (mood === "garbage")
            return void response.writeHead(200, { "content-type": "text/html" }).end("<h1>Error</h1>");
          response.writeHead(200, { "content-type": type }).end(body);
        });
        return [name, server] as const;
      }),
    ),
  );
  const origins = Object.fromEntries(Object.entries(services).map(([name, { url }]) => [name, url]));
  const views = provideViews([airportPage], {
    upstream: toUpstream(http),
    dispatch: nobody,
    clock: systemClock,
    random: Math.random,
    origins,
  });
  return {
    moods,
    views,
    async page() {
      const reply = await views.providers[0]?.handle({ iata: "DAL" }, toCall(), { iata: "DAL" });
      return reply as { readonly output: CallerOutput<typeof Airports.page>; readonly meta: ViewMeta };
    },
    async [Symbol.asyncDispose]() {
      await views.close();
      await http.close();
      await eventually(() => Object.values(services).every(({ sockets }) => sockets.size === 0));
      await Promise.all(Object.values(services).map((service) => service[Symbol.asyncDispose]()));
    },
  };
}

describe("the airport page", () => {
  test("fuses three services that disagree, and says where everything comes from", async () => {
    await using trip = await world();
    const { output, meta } = await trip.page();
    expect(output).toEqual({
      name: "Love Field, Dallas",
      position: { latitude: 32.84, longitude: -96.85 },
      delays: [
        { flight: "WN1", minutes: 25, at: "2001-02-27T15:30:00Z" },
        { flight: "WN2", minutes: 5, at: "2001-02-27T15:00:00Z" },
      ],
    });
    expect(meta.fields.position).toMatchObject({
      source: "openflights",
      conflict: true,
      asOf: "2017-04-12T00:00:00.000Z",
    });
  });

  test("a registry that is down and one that answers garbage cost their fields, not the answer", async () => {
    await using trip = await world();
    await trip.page();
    trip.moods.ourairports = "garbage";
    trip.moods.delays = "down";
    const { output, meta } = await trip.page();
    expect(output.name).toBe("Dallas Love Field");
    expect(output.delays).toHaveLength(2);
    expect(meta.sources).toMatchObject({
      ourairports: { state: "invalid" },
      delays: { state: "stale" },
      openflights: { state: "fresh" },
    });
    expect(meta.fields.delays?.state).toBe("stale");
    expect(trip.views.sources().find(({ source: name }) => name === "ourairports")).toMatchObject({
      answers: { fresh: 1, invalid: 1 },
      lastProblem: { state: "invalid" },
    });
  });

  test("a registry that hangs costs the budget and no more", async () => {
    await using trip = await world();
    trip.moods.ourairports = "slow";
    const began = performance.now();
    const { output, meta } = await trip.page();
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(output.name).toBe("Dallas Love Field");
    expect(meta.sources.ourairports?.state).toBe("slow");
  });

  test("without its required registry there is no page, and the reason names it", async () => {
    await using trip = await world();
    trip.moods.openflights = "down";
    await expect(trip.page()).rejects.toMatchObject({
      code: "Unavailable",
      status: 503,
      message: expect.stringContaining('"openflights"'),
    });
  });
});
