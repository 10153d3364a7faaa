import { parse } from "csv-parse/sync";
import { XMLParser } from "fast-xml-parser";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchUpstreams, type Upstreams } from "./launch.ts";
import { wellBehaved } from "./settings.ts";

let upstreams: Upstreams<"openflights" | "ourairports" | "faa">;

beforeAll(async () => {
  const only = ["openflights", "ourairports", "faa"] as const;
  upstreams = await launchUpstreams({ data: "unused", only, behaviour: { all: wellBehaved } });
});
afterAll(() => upstreams.stop());

const openflights = (iata: string) => fetch(`${upstreams.urls.openflights}/airports/${iata}`);
const ourairports = async (codes: string): Promise<Record<string, string>[]> => {
  const response = await fetch(`${upstreams.urls.ourairports}/airports.csv?iata=${codes}`);
  expect(response.headers.get("content-type")).toMatch("text/csv");
  return parse(await response.text(), { columns: true });
};
const faa = async (iata: string) => {
  const response = await fetch(`${upstreams.urls.faa}/airports/${iata}.xml`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch("application/xml");
  return new XMLParser({ parseTagValue: false }).parse(await response.text()).airports;
};

describe("openflights", () => {
  test("answers with JSON in which numbers are numbers", async () => {
    const response = await openflights("ABQ");
    expect(response.headers.get("content-type")).toMatch("application/json");
    expect(await response.json()).toEqual({
      iata: "ABQ",
      name: "Albuquerque International Sunport Airport",
      city: "Albuquerque",
      country: "United States",
      lat: 35.040199279785156,
      lon: -106.60900115966797,
      tz: "America/Denver",
      updated: "2024-12-13",
    });
  });

  test("answers 404 in JSON for a code that no airport has", async () => {
    const response = await openflights("ZZZ");
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: "No airport has the IATA code ZZZ." });
  });

  test("answers a HEAD, and a route that it does not have, as HTTP wants it", async () => {
    const url = upstreams.urls.openflights;
    expect((await fetch(`${url}/airports/ABQ`, { method: "HEAD" })).status).toBe(200);
    expect((await fetch(`${url}/airports/ABQ`, { method: "DELETE" })).status).toBe(404);
    expect((await fetch(`${url}/airports/%zz`)).status).toBe(400);
  });
});

describe("ourairports", () => {
  test("answers many codes with one CSV, from which unknown codes are missing", async () => {
    const rows = await ourairports("ABQ,DAL,ZZZ,abq");
    expect(rows.map((row) => row.iata_code).sort()).toEqual(["ABQ", "DAL"]);
    expect(rows.find((row) => row.iata_code === "ABQ")).toMatchObject({
      title: "Albuquerque International Sunport Airport",
      lat: "35.049625",
      lon: "-106.617195",
      seen: "2014-10-01",
    });
  });

  test("quotes the commas of a name, and leaves empty what it does not know", async () => {
    expect((await ourairports("BTR"))[0]?.title).toBe("Baton Rouge Metropolitan, Ryan Field");
    const heliport = (await ourairports("SAV")).find((row) => row.iso_country === "GL");
    expect(heliport).toMatchObject({ title: "Savissivik Heliport", lat: "", lon: "" });
  });

  test("does not keep to the order of the question", async () => {
    const codes = "ABQ,ATL,BOS,DAL,DEN,JFK,LAX,ORD,SFO";
    const rows = await ourairports(codes);
    expect(rows.map((row) => row.iata_code).join()).not.toBe(codes);
    expect(rows).toHaveLength(9);
  });

  test("refuses to be asked for nothing", async () => {
    expect((await fetch(`${upstreams.urls.ourairports}/airports.csv`)).status).toBe(400);
  });
});

describe("faa", () => {
  test("answers with XML", async () => {
    expect((await faa("ORD")).airport).toEqual({
      iata: "ORD",
      name: "Chicago O'Hare International",
      city: "Chicago",
      state: "IL",
      country: "USA",
      latitude: "41.979595",
      longitude: "-87.90446417",
    });
  });

  test("escapes what XML would take for markup", async () => {
    expect((await faa("W05")).airport.city).toBe("Gettysburg");
    expect((await faa("W05")).airport.name).toMatch("& Travel Center");
  });

  test("answers a code that it does not know with an empty list", async () => {
    expect(await faa("LHR")).toBe("");
  });
});

test("each registry gives all of its airports at once, in its own words", async () => {
  const asked = async (url: string): Promise<string> => (await fetch(url)).text();
  const { openflights, ourairports, faa } = upstreams.urls;
  const all: readonly object[] = JSON.parse(await asked(`${openflights}/airports.json`));
  const rows: readonly object[] = parse(await asked(`${ourairports}/all.csv`), { columns: true });
  const { airports } = new XMLParser({ parseTagValue: false }).parse(await asked(`${faa}/airports.xml`));
  expect([all.length, rows.length, airports.airport.length]).toEqual([5_653, 6_726, 3_376]);
  expect(all).toContainEqual(await (await fetch(`${openflights}/airports/ABQ`)).json());
  expect(rows).toContainEqual((await parse(await asked(`${ourairports}/airports.csv?iata=ABQ`), { columns: true }))[0]);
});

test("the registries disagree, as in the world outside", async () => {
  const { name }: { name: string } = await (await openflights("ATL")).json().then((body) => body as { name: string });
  expect(name).toBe("Hartsfield Jackson Atlanta International Airport");
  expect((await faa("ATL")).airport.name).toBe("William B Hartsfield-Atlanta Intl");
});
