import { loadOpenFlights, OPENFLIGHTS_UPDATED } from "../data/openflights.ts";
import { json } from "./http.ts";
import { serve } from "./serve.ts";

const airports = loadOpenFlights();

await serve({
  name: "openflights",
  behaviour: { latency: "5..40", errors: 0.02 },
  routes: {
    "GET /airports/{iata}": ({ params: { iata = "" } }) => {
      const airport = airports.get(iata.toUpperCase());
      if (!airport) return json({ error: `No airport has the IATA code ${iata}.` }, 404);
      const { name, city, country, latitude, longitude, tz } = airport;
      return json({
        iata: airport.iata,
        name,
        city,
        country,
        lat: latitude,
        lon: longitude,
        ...(tz && { tz }),
        updated: OPENFLIGHTS_UPDATED,
      });
    },
  },
});
