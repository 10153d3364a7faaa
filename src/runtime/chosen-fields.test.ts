// Chosen fields of answers about many things, over REST and GraphQL: real upstreams, a real backend, real sockets.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { json, list, many, nested, prefer, source, union, view } from "../aggregation/index.ts";
import { contract, failure, query } from "../contracts/index.ts";
import { backend, type Running } from "./index.ts";

const City = z.object({ name: z.string(), people: z.int(), tide: z.string().optional() });
const More = z.object({ tide: z.string().optional(), people: z.int().optional() });
const Row = z.object({ id: z.string(), more: More.optional() });
const Cities = contract("cities", "1.0.0", {
  page: query({
    input: z.object({ city: z.string() }),
    output: City,
    failures: { NotFound: failure(404, "No such city.") },
    http: "GET /cities/{city}",
    access: "public",
  }),
  pages: query({
    input: z.object({ city: z.array(z.string()).max(50) }),
    output: z.object({
      items: z.array(
        z.object({
          key: z.string(),
          state: z.enum(["found", "missing", "unavailable", "invalid"]),
          value: City.optional(),
          problem: z.string().optional(),
        }),
      ),
    }),
    http: "GET /cities",
    access: "public",
  }),
  list: query({
    input: z.object({ after: z.string().optional() }),
    output: z.object({ items: z.array(Row), complete: z.boolean(), next: z.string().optional() }),
    http: "GET /list",
    access: "public",
  }),
  board: query({
    input: z.object({ city: z.string() }),
    output: z.object({ rows: z.array(Row).optional(), title: z.string().optional() }),
    http: "GET /board/{city}",
    access: "public",
  }),
});
const names = source("names", {
  batch: json("https://c.test/names?id={city}", z.array(z.object({ id: z.string(), name: z.string() }))),
  match: "id",
  attempts: 1,
});
const census = source("census", {
  batch: json("https://c.test/census?id={city}", z.array(z.object({ id: z.string(), people: z.int() }))),
  match: "id",
  attempts: 1,
});
const tides = source("tides", {
  get: json("https://c.test/tide?id={city}", z.object({ tide: z.string() })),
  attempts: 1,
  breaker: false,
});
const gauges = source("gauges", {
  get: json("https://c.test/tide?id={id}", z.object({ tide: z.string() })),
  attempts: 1,
  breaker: false,
});
const counts = source("counts", {
  batch: json("https://c.test/census?id={id}", z.array(z.object({ id: z.string(), people: z.int() }))),
  match: "id",
});
const rows = source("rows", { get: json("https://c.test/rows", z.array(z.object({ id: z.string() }))) });
const title = source("title", { get: json("https://c.test/title", z.object({ title: z.string() })) });
const page = view(Cities.page, {
  budget: "2s",
  require: [names, census],
  fields: { name: prefer(names), people: prefer(census), tide: prefer(tides) },
});
const more = nested({ tide: prefer(gauges), people: prefer(counts) });

/** Others may keep the machine busy. */
const patient = { timeout: 60_000 };
let data: string;
let upstream: Server;
let running: Running;
const asked: string[] = [];
let censusIsDown = false;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "trilith-fields-"));
  upstream = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://x");
    asked.push(url.pathname);
    response.setHeader("content-type", "application/json");
    const ids = (url.searchParams.get("id") ?? "").split(",").filter((id) => id !== "atlantis");
    const isDown = url.pathname === "/tide" ? ids[0] !== "oslo" : url.pathname === "/census" && censusIsDown;
    if (isDown) response.writeHead(503).end();
    else if (url.pathname === "/tide") response.end('{"tide":"high"}');
    else if (url.pathname === "/rows") response.end('[{"id":"oslo"},{"id":"rome"}]');
    else if (url.pathname === "/title") response.end('{"title":"Departures"}');
    else response.end(JSON.stringify(ids.map((id) => ({ id, name: id.toUpperCase(), people: id.length }))));
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const address = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const sources = ["NAMES", "CENSUS", "TIDES", "GAUGES", "COUNTS", "ROWS", "TITLE"];
  const urls = Object.fromEntries(sources.map((name) => [`TRILITH_SOURCE_${name}_URL`, address]));
  running = await backend("cities", {
    aggregation: [
      page,
      many(Cities.pages, page, { keys: "city", as: "city" }),
      list(Cities.list, { budget: "2s", same: "id", fields: { id: prefer(rows), more } }),
      view(Cities.board, { budget: "2s", fields: { rows: union(rows).with({ more }), title: prefer(title) } }),
    ],
    graphql: true,
  }).start({ environment: { PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "fatal", ...urls } });
});
afterAll(async () => {
  await running.stop();
  upstream.closeAllConnections();
  upstream.close();
  await rm(data, { recursive: true });
});
beforeEach(() => {
  asked.length = 0;
  censusIsDown = false;
});

const get = async (path: string): Promise<any> => (await fetch(`${running.url}${path}`)).json(); // whatever was asked for
const ask = async (text: string): Promise<any> => get(`/graphql?query=${encodeURIComponent(text)}`);
const problems = (answer: any): unknown =>
  // as above
  answer.errors?.map(({ path, extensions }: any) => [path.join("."), extensions.code, extensions.source]);

describe("chosen fields of many keys", () => {
  it("are found for each key, from the sources that they and the state need", patient, async () => {
    const answer = await get("/cities?city=oslo&city=atlantis&fields=items.key,items.state,items.value.name");
    expect(answer).toEqual({
      items: [
        { key: "oslo", state: "found", value: { name: "OSLO" } },
        { key: "atlantis", state: "missing" },
      ],
    });
    expect([...asked].sort()).toEqual(["/census", "/names"]);
  });

  it("do not change how it stands with a key", patient, async () => {
    censusIsDown = true;
    for (const fields of ["items.state", "items.state,items.value.name", "items.state,items.value.tide", "items"]) {
      const { items } = await get(`/cities?city=oslo&city=atlantis&fields=${fields}`);
      expect(items.map(({ state }: { state: string }) => state)).toEqual(["unavailable", "missing"]);
    }
    censusIsDown = false;
    asked.length = 0;
    expect(await get("/cities?city=oslo&fields=items.state")).toEqual({ items: [{ state: "found" }] });
    expect([...asked].sort()).toEqual(["/census", "/names"]);
  });

  it("are answered over GraphQL as they are over REST", patient, async () => {
    const answer = await ask('{ citiesPages(city: ["oslo", "atlantis"]) { items { key state value { name } } } }');
    expect(answer).toEqual({
      data: {
        citiesPages: {
          items: [
            { key: "oslo", state: "found", value: { name: "OSLO" } },
            { key: "atlantis", state: "missing", value: null },
          ],
        },
      },
    });
    expect([...asked].sort()).toEqual(["/census", "/names"]);
  });
});

describe("chosen fields of lists", () => {
  it.each(["/list?fields=items.id,complete", "/board/x?fields=rows.id"])(
    "ask for nothing of what is nested where nobody wants it: %s",
    patient,
    async (path) => {
      const answer = await get(path);
      expect(answer.items ?? answer.rows).toEqual([{ id: "oslo" }, { id: "rome" }]);
      expect(asked).toEqual(["/rows"]);
    },
  );

  it.each(["/list?fields=items.more.people", "/board/x?fields=rows.more.people"])(
    "ask for as much of what is nested as is wanted: %s",
    patient,
    async (path) => {
      const answer = await get(path);
      expect(answer.items ?? answer.rows).toEqual([{ more: { people: 4 } }, { more: { people: 4 } }]);
      expect([...asked].sort()).toEqual(["/census", "/rows"]);
    },
  );

  it("over GraphQL do so as well, through fragments and aliases", patient, async () => {
    const answer = await ask(
      '{ citiesBoard(city: "x") { all: rows { ...Row } } } fragment Row on CitiesBoardRows { inside: more { people } }',
    );
    expect(answer).toEqual({
      data: { citiesBoard: { all: [{ inside: { people: 4 } }, { inside: { people: 4 } }] } },
    });
    expect([...asked].sort()).toEqual(["/census", "/rows"]);
  });
});

describe("a degraded field is null, with an error that names its source", () => {
  it("in the values of many keys", patient, async () => {
    const answer = await ask('{ citiesPages(city: ["oslo", "rome"]) { items { key value { name tide } } } }');
    expect(answer.data.citiesPages.items).toEqual([
      { key: "oslo", value: { name: "OSLO", tide: "high" } },
      { key: "rome", value: { name: "ROME", tide: null } },
    ]);
    expect(problems(answer)).toEqual([["citiesPages.items.1.value.tide", "Degraded", "tides"]]);
    expect(answer.errors[0].message).toBe('The source "tides" answered 503.');
  });

  it("where a key has no value for want of a required source, and not where there is none", patient, async () => {
    censusIsDown = true;
    const answer = await ask('{ citiesPages(city: ["oslo", "atlantis"]) { items { state value { name } } } }');
    expect(answer.data.citiesPages.items).toEqual([
      { state: "unavailable", value: null },
      { state: "missing", value: null },
    ]);
    expect(problems(answer)).toEqual([["citiesPages.items.0.value", "Degraded", "census"]]);
  });

  it.each([
    ["citiesList { items { id more { tide people } } }", "citiesList.items"],
    ['citiesBoard(city: "x") { rows { id more { tide people } } }', "citiesBoard.rows"],
  ])("in what is nested in items: %s", patient, async (text, place) => {
    const answer = await ask(`{ ${text} }`);
    const { items, rows } = Object.values(answer.data)[0] as any; // one of the two
    expect(items ?? rows).toEqual([
      { id: "oslo", more: { tide: "high", people: 4 } },
      { id: "rome", more: { tide: null, people: 4 } },
    ]);
    expect(problems(answer)).toEqual([[`${place}.1.more.tide`, "Degraded", "gauges"]]);
  });

  it("where all of what is nested could not be said", patient, async () => {
    const answer = await ask("{ citiesList { items { id more { tide } } } }");
    expect(answer.data.citiesList.items).toEqual([
      { id: "oslo", more: { tide: "high" } },
      { id: "rome", more: null },
    ]);
    expect(problems(answer)).toEqual([["citiesList.items.1.more", "Degraded", "gauges"]]);
  });

  it("and the meta of a plain answer says where", patient, async () => {
    const { meta } = await get("/board/x?meta=true");
    expect(meta.degraded).toEqual([
      {
        path: "/rows/1/more/tide",
        state: "down",
        sources: [{ source: "gauges", state: "down", problem: 'The source "gauges" answered 503.' }],
      },
    ]);
  });
});
