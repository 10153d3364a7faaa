import { type FaaAirport, loadFaa } from "../data/faa.ts";
import { serve } from "./serve.ts";

const airports = loadFaa();

await serve({
  name: "faa",
  behaviour: { latency: "15..80", errors: 0.02 },
  routes: {
    "GET /airports/{iata}.xml": ({ params: { iata = "" } }) => {
      const airport = airports.get(iata.toUpperCase());
      const found = airport ? `<airports>${toXml(airport)}</airports>` : "<airports/>";
      const body = `<?xml version="1.0" encoding="UTF-8"?>\n${found}\n`;
      return { status: 200, type: "application/xml; charset=utf-8", body };
    },
  },
});

function toXml(airport: FaaAirport): string {
  const names = ["iata", "name", "city", "state", "country", "latitude", "longitude"] as const;
  return `<airport>${names.map((name) => `<${name}>${escaped(airport[name])}</${name}>`).join("")}</airport>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
