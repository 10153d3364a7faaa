import { loadOurAirports, OURAIRPORTS_SEEN, type OurAirportsAirport } from "../data/ourairports.ts";
import { commandLine } from "./command-line.ts";
import { BadRequest } from "./http.ts";
import { seeded, shuffled } from "./random.ts";
import { serve } from "./serve.ts";

const airports = loadOurAirports();
const random = seeded(commandLine().seed);

await serve({
  name: "ourairports",
  behaviour: { latency: "10..60", errors: 0.02 },
  routes: {
    "GET /airports.csv": ({ query }) => {
      const codes = query.get("iata")?.split(",").filter(Boolean);
      if (!codes?.length) throw new BadRequest("Say which airports, as in /airports.csv?iata=ABQ,DAL.");
      // A code asked for twice is answered once; a code that two airports have is answered twice.
      const wanted = [...new Set(codes.map((code) => code.trim().toUpperCase()))];
      const rows = shuffled(
        wanted.flatMap((code) => airports.get(code) ?? []),
        random,
      );
      return { status: 200, type: "text/csv; charset=utf-8; header=present", body: toCsv(rows) };
    },
  },
});

function toCsv(rows: readonly OurAirportsAirport[]): string {
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
