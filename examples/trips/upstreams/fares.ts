import { type FlightRecord, flightId, loadFlights } from "../data/flights.ts";
import { BadRequest, json, problem } from "./http.ts";
import { hash } from "./random.ts";
import { serve } from "./serve.ts";

const flights = new Map(loadFlights().map((record) => [flightId(record), record]));

await serve({
  name: "fares",
  behaviour: { latency: "10..80", errors: 0.08, faults: ["unavailable", "slow"] },
  routes: {
    "POST /quote": async (call) => {
      const { flight } = ((await call.json()) ?? {}) as { flight?: unknown };
      if (typeof flight !== "string") throw new BadRequest('"flight" must be text, like "ABQ-DAL-20010227-1430".');
      const record = flights.get(flight);
      return record
        ? json(fareOf(record))
        : problem(404, "unknown-flight", "Unknown flight", `There is no flight "${flight}".`);
    },
  },
});

/**
 * Dollars and cents. Grows with the distance, more slowly than it; each flight sells a little under or over that.
 * Over the data: 73 to 754, half below 243, one in forty-seven above 500.
 */
function fareOf(record: FlightRecord): number {
  const base = 40 + 6.5 * record.distance ** 0.55;
  const demand = 0.85 + 0.27 * (hash(flightId(record)) / 2 ** 32);
  return Math.round(base * demand * 100) / 100;
}
