import { departedAt, flightId, loadFlights } from "../data/flights.ts";
import { loadOpenFlights } from "../data/openflights.ts";
import { toReports } from "../data/reports.ts";
import { BadRequest, json } from "./http.ts";
import { serve } from "./serve.ts";

const reportsAtOnce = 100;

const pageSize = 40;
const boards = Map.groupBy(loadFlights(), ({ origin }) => origin);
const airports = loadOpenFlights();
const reports = toReports();

await serve({
  name: "flights",
  behaviour: { mode: "flaky", latency: "10..120", errors: 0.03, faults: ["unavailable", "garbage"] },
  routes: {
    "GET /departures/{iata}": ({ params, query }) => {
      const iata = params.iata?.toUpperCase() ?? "";
      const records = boards.get(iata) ?? [];
      // The records are in order of departure, a board shows the latest first.
      return json(
        records
          .slice(-limitOf(query))
          .reverse()
          .map((record) => ({
            flight: flightId(record),
            to: record.destination,
            minutes: record.delay,
            at: departedAt(record, hoursEastOfUtc(iata)),
          })),
      );
    },
    // In the order in which they came in, from a position on.
    "GET /reports/{kind}": ({ params, query }) => {
      const all = params.kind === "departures" ? reports.departures : params.kind === "delays" ? reports.delays : [];
      const after = query.get("after") ?? "0";
      if (!/^\d{1,9}$/.test(after)) throw new BadRequest("after is a position: a whole number from 0 on.");
      const records = all.slice(Number(after), Number(after) + reportsAtOnce);
      return json({ records, position: Number(after) + records.length });
    },
  },
});

function limitOf(query: URLSearchParams): number {
  const limit = query.get("limit") ?? `${pageSize}`;
  if (!/^[1-9]\d{0,5}$/.test(limit)) throw new BadRequest(`limit is a whole number from 1 to ${pageSize}.`);
  return Math.min(Number(limit), pageSize);
}

function hoursEastOfUtc(iata: string): number {
  // Killeen's flights moved to another airport, and OpenFlights no longer knows the code of the old one, in Texas.
  return airports.get(iata)?.timezone ?? -6;
}
