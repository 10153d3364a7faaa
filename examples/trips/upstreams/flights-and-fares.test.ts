import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { flightId, loadFlights } from "../data/flights.ts";
import { launchUpstreams, type Upstreams } from "./launch.ts";
import { everyTwentyFourSeconds } from "./schedule.ts";
import { wellBehaved } from "./settings.ts";

let upstreams: Upstreams<"flights" | "fares">;

beforeAll(async () => {
  const only = ["flights", "fares"] as const;
  upstreams = await launchUpstreams({ data: "unused", only, behaviour: { all: wellBehaved } });
});
afterAll(() => upstreams.stop());

interface Departure {
  readonly flight: string;
  readonly to: string;
  readonly minutes: number;
  readonly at: string;
}

const departures = (path: string) => fetch(`${upstreams.urls.flights}/departures/${path}`);
const board = async (path: string) => (await (await departures(path)).json()) as Departure[];
const quote = (flight: unknown) =>
  fetch(`${upstreams.urls.fares}/quote`, { method: "POST", body: JSON.stringify({ flight }) });

describe("flights", () => {
  test("lists departures, the latest first, each as an instant", async () => {
    expect((await board("ABQ"))[0]).toEqual({
      flight: "ABQ-PHX-20010331-1456",
      to: "PHX",
      minutes: -2,
      at: "2001-03-31T21:56:00.000Z",
    });
    const instants = (await board("ORD")).map(({ at }) => Date.parse(at));
    expect(instants).toEqual(instants.toSorted((a, b) => b - a));
  });

  test("gives at most 40 a page, fewer on request", async () => {
    expect(await board("ABQ")).toHaveLength(40);
    expect(await board("ABQ?limit=3")).toHaveLength(3);
    expect(await board("ABQ?limit=500")).toHaveLength(40);
    expect((await departures("ABQ?limit=none")).status).toBe(400);
  });

  test("has an empty board where nothing departs", async () => {
    expect(await board("LHR")).toEqual([]);
  });

  test("fails on its schedule, which its health shows", async () => {
    const always = [0, 24_000] as const;
    const never = [0, 0] as const;
    await upstreams.control("flights", {
      mode: "flaky",
      schedule: { periodMs: 24_000, garbage: never, unavailable: always },
    });
    expect((await departures("ABQ")).status).toBe(503);

    await upstreams.control("flights", { schedule: { periodMs: 24_000, garbage: always, unavailable: never } });
    const garbage = await departures("ABQ");
    expect(garbage.status).toBe(200);
    expect(await garbage.text()).toMatch(/^<!doctype html>/);

    const health: unknown = await (await fetch(`${upstreams.urls.flights}/health`)).json();
    expect(health).toMatchObject({
      service: "flights",
      mode: "flaky",
      slice: "garbage",
      schedule: { garbage: always },
    });

    await upstreams.control("flights", { mode: "up", schedule: everyTwentyFourSeconds });
    expect((await departures("ABQ")).status).toBe(200);
  });
});

describe("fares", () => {
  test("quotes a bare number of dollars and cents, the same each time", async () => {
    const quotes = await Promise.all([1, 2].map(async () => (await quote("ABQ-DAL-20010227-1430")).text()));
    expect(quotes).toEqual(["237.62", "237.62"]);
  });

  test("asks for more than 500 dollars on a minority of flights", async () => {
    const sample = loadFlights()
      .filter((_, index) => index % 100 === 0)
      .map(flightId);
    const fares = await Promise.all(sample.map(async (flight) => Number(await (await quote(flight)).text())));
    expect(Math.min(...fares)).toBeGreaterThan(60);
    expect(fares.filter((fare) => fare > 500).length).toBeLessThan(10);
    expect(await (await quote("JFK-SFO-20010131-1800")).status).toBe(404);
  });

  test("answers a problem for an unknown flight, and another for a question that is none", async () => {
    const unknown = await quote("ABQ-ABQ-20010101-0000");
    expect(unknown.status).toBe(404);
    expect(unknown.headers.get("content-type")).toMatch("application/problem+json");
    expect(await unknown.json()).toMatchObject({ type: "/problems/unknown-flight", status: 404 });
    expect((await quote(7)).status).toBe(400);
  });

  test("can be late by more than a second", async () => {
    await upstreams.control("fares", { next: ["slow"] });
    const patience = { signal: AbortSignal.timeout(1_000), method: "POST", body: '{"flight":"ABQ-DAL-20010227-1430"}' };
    await expect(fetch(`${upstreams.urls.fares}/quote`, patience)).rejects.toThrow("timeout");
    expect((await quote("ABQ-DAL-20010227-1430")).status).toBe(200);
  });
});
