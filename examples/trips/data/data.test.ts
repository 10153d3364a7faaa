import { describe, expect, test } from "vitest";
import { departedAt, flightId, loadFlights } from "./flights.ts";
import { loadOpenFlights } from "./openflights.ts";

describe("the flight records", () => {
  const flights = loadFlights();

  test("each have an id of their own, which reads", () => {
    const ids = new Set(flights.map(flightId));
    expect(ids.size).toBe(flights.length);
    expect([...ids].every((id) => /^[A-Z]{3}-[A-Z]{3}-2001\d{4}-\d{4}$/.test(id))).toBe(true);
  });

  test("are in order of departure", () => {
    expect(flights.map(({ date }) => date)).toEqual(flights.map(({ date }) => date).toSorted());
  });

  test("have instants that agree with the time zone database, without any use of it", () => {
    const airports = loadOpenFlights();
    for (const flight of flights.filter((_, index) => index % 20 === 0)) {
      const airport = airports.get(flight.origin);
      if (!airport?.tz || airport.timezone === null) continue;
      const instant = new Date(departedAt(flight, airport.timezone));
      const local = instant.toLocaleString("sv-SE", { timeZone: airport.tz }).slice(0, 16).replaceAll("-", "/");
      expect(local).toBe(flight.date);
    }
  });
});
