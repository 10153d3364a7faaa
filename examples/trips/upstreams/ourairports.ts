import { loadOurAirports } from "../data/ourairports.ts";
import { commandLine } from "./command-line.ts";
import { BadRequest } from "./http.ts";
import { seeded, shuffled } from "./random.ts";
import { toCsv } from "./registry-words.ts";
import { serve } from "./serve.ts";

const airports = loadOurAirports();
const type = "text/csv; charset=utf-8; header=present";
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
      return { status: 200, type, body: toCsv(rows) };
    },
    "GET /all.csv": () => ({ status: 200, type, body: toCsv(shuffled([...airports.values()].flat(), random)) }),
  },
});
