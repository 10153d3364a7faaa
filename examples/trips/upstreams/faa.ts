import { loadFaa } from "../data/faa.ts";
import { toXml } from "./registry-words.ts";
import { serve } from "./serve.ts";

const airports = loadFaa();
const type = "application/xml; charset=utf-8";

await serve({
  name: "faa",
  behaviour: { latency: "15..80", errors: 0.02 },
  routes: {
    "GET /airports/{iata}.xml": ({ params: { iata = "" } }) => {
      const airport = airports.get(iata.toUpperCase());
      return { status: 200, type, body: toXml(airport ? [airport] : []) };
    },
    "GET /airports.xml": () => ({ status: 200, type, body: toXml([...airports.values()]) }),
  },
});
