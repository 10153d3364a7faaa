import { loadOpenFlights } from "../data/openflights.ts";
import { json } from "./http.ts";
import { toOpenFlights } from "./registry-words.ts";
import { serve } from "./serve.ts";

const airports = loadOpenFlights();

await serve({
  name: "openflights",
  behaviour: { latency: "5..40", errors: 0.02 },
  routes: {
    "GET /airports.json": () => json([...airports.values()].map(toOpenFlights)),
    "GET /airports/{iata}": ({ params: { iata = "" } }) => {
      const airport = airports.get(iata.toUpperCase());
      if (!airport) return json({ error: `No airport has the IATA code ${iata}.` }, 404);
      return json(toOpenFlights(airport));
    },
  },
});
