import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { contract, failure, query } from "../contracts/index.ts";
import { provideViews, type UpstreamRequest } from "./host.ts";
import {
  type AnyView,
  after,
  asking,
  json,
  many,
  nested,
  paged,
  prefer,
  source,
  union,
  type ViewMeta,
  view,
} from "./index.ts";
import { ManualClock, nobody, type Scripted, ScriptedUpstream, toCall } from "./test-kit.test-d.ts";

const Place = z.object({ iata: z.string(), name: z.string(), station: z.string().optional() });
const registry = source("registry", {
  batch: json("https://registry.test/?iata={iata}", z.array(Place)),
  match: "iata",
  attempts: 1,
});
const meteo = source("meteo", {
  batch: json("https://meteo.test/?at={station}", z.array(z.object({ station: z.string(), sky: z.string() }))),
  match: "station",
  attempts: 1,
});
const board = source("board", {
  get: json("https://board.test/{iata}", z.array(z.object({ flight: z.string(), to: z.string() }))),
  attempts: 1,
});

function backend(script: (request: UpstreamRequest) => Scripted, ...views: readonly AnyView[]) {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock, script);
  const bound = provideViews(views, { upstream, dispatch: nobody, clock, random: () => 0.5, origins: {} });
  const ask = async (input: object, waitMs = 1_000, more = {}) => {
    const reply = bound.providers[0]?.handle(input, toCall(more), input).then(
      (value) => ({ value: value as { output: any; meta: ViewMeta } }), // whatever the view answers
      (error: unknown) => ({ error }),
    );
    await clock.advance(waitMs);
    const settled = await reply;
    if (!settled || "error" in settled) throw settled?.error;
    return settled.value;
  };
  return { ask, upstream, bound, clock };
}
const keysOf = ({ url }: UpstreamRequest): string[] =>
  [...url.searchParams.values()].flatMap((text) => text.split(","));
const world: { readonly [source: string]: (request: UpstreamRequest) => Scripted } = {
  registry: (request) => ({
    body: keysOf(request)
      .filter((iata) => iata !== "XXX")
      .map((iata) => ({ iata, name: `Airport ${iata}`, ...(iata !== "BLD" && { station: `S-${iata}` }) })),
  }),
  meteo: (request) => ({ body: keysOf(request).map((station) => ({ station, sky: `blue over ${station}` })) }),
  board: () => ({
    body: [
      { flight: "1", to: "HOU" },
      { flight: "2", to: "XXX" },
      { flight: "3", to: "HOU" },
    ],
  }),
};
const asUsual = (request: UpstreamRequest): Scripted => world[request.source]?.(request) ?? {};

const Airports = contract("airports", "1.0.0", {
  page: query({
    input: z.object({ iata: z.string() }),
    output: z.object({
      name: z.string(),
      sky: z.string().optional(),
      departures: z
        .array(
          z.object({
            flight: z.string(),
            to: z.string(),
            destination: z.object({ name: z.string().optional(), sky: z.string().optional() }).optional(),
          }),
        )
        .optional(),
    }),
    failures: { NotFound: failure(404, "No such airport.") },
  }),
  pages: query({
    input: z.object({ codes: z.array(z.string()).max(50), lang: z.string().optional() }),
    output: z.object({
      items: z.array(
        z.object({
          key: z.string(),
          state: z.enum(["found", "missing", "unavailable", "invalid"]),
          value: z.object({ name: z.string(), sky: z.string().optional() }).optional(),
          problem: z.string().optional(),
        }),
      ),
    }),
  }),
});
const weather = after(registry, meteo, ({ station }) => (station === undefined ? undefined : { station }));
const target = asking(registry, ({ to }: { to: string }) => ({ iata: to }));
const targetWeather = after(target, meteo, ({ station = "" }) => ({ station }));
const page = view(Airports.page, {
  budget: "400ms",
  require: [registry],
  fields: {
    name: prefer(registry),
    sky: prefer(weather),
    departures: union(board)
      .limit(50)
      .with({ destination: nested({ name: prefer(target), sky: prefer(targetWeather) }) }),
  },
});

describe("a source that needs what another one says", () => {
  test("is asked with it, once that is there", async () => {
    const { ask, upstream } = backend(asUsual, page);
    expect((await ask({ iata: "DAL" })).output).toMatchObject({ name: "Airport DAL", sky: "blue over S-DAL" });
    expect(upstream.requests.find(({ source }) => source === "meteo")?.url.search).toBe("?at=S-DAL");
  });

  test("is not asked where there is nothing to ask it with, and stands as the other one does", async () => {
    const { ask, upstream } = backend(asUsual, page);
    const { output, meta } = await ask({ iata: "BLD" });
    expect(output.sky).toBeUndefined();
    expect(meta.fields.sky).toMatchObject({ state: "missing" });
    expect(upstream.requests.filter(({ source }) => source === "meteo")).toHaveLength(1); // for the destinations

    const Sky = contract("sky", "1.0.0", {
      get: query({ input: z.object({ iata: z.string() }), output: z.object({ sky: z.string().optional() }) }),
    });
    const alone = view(Sky.get, { budget: "1s", fields: { sky: prefer(weather) } });
    const down = backend((request) => (request.source === "registry" ? { status: 503 } : asUsual(request)), alone);
    expect((await down.ask({ iata: "DAL" })).meta.sources).toMatchObject({
      registry: { state: "down" },
      meteo: {
        state: "down",
        attempts: 0,
        problem: 'The source "meteo" was not asked: it needs "registry", which is down.',
      },
    });
  });

  test("has nothing, and the answer goes on, where it cannot be made out what to ask it with", async () => {
    const thrower = after(registry, meteo, () => JSON.parse("{"));
    const odd = view(Airports.page, {
      budget: "1s",
      require: [registry],
      fields: { name: prefer(registry), sky: prefer(thrower) },
    });
    const { output, meta } = await backend(asUsual, odd).ask({ iata: "DAL" });
    expect(output).toEqual({ name: "Airport DAL" });
    expect(meta.sources.meteo).toMatchObject({ state: "invalid", problem: expect.stringContaining("SyntaxError") });
  });

  test("is left an equal share of the budget, as long as nobody knows what it usually takes", async () => {
    const { ask, upstream } = backend(
      (request) => ({ ...asUsual(request), afterMs: request.source === "registry" ? 190 : 150 }),
      page,
    );
    const { output } = await ask({ iata: "DAL" });
    expect(output).toMatchObject({ name: "Airport DAL", sky: "blue over S-DAL" });
    const [first] = upstream.requests.filter(({ source }) => source === "registry");
    expect(first?.remainingMs).toBe(200);
    expect(upstream.requests.find(({ source }) => source === "meteo")?.remainingMs).toBe(210);
  });

  test("is left what it usually takes, once that is known", async () => {
    const Sky = contract("sky", "1.0.0", {
      get: query({ input: z.object({ iata: z.string() }), output: z.object({ sky: z.string().optional() }) }),
    });
    const alone = view(Sky.get, { budget: "400ms", fields: { sky: prefer(weather) } });
    const { ask, upstream } = backend((request) => ({ ...asUsual(request), afterMs: 40 }), alone);
    for (let count = 0; count < 25; count++) await ask({ iata: `A${count}` });
    expect(upstream.requests.filter(({ source }) => source === "registry").at(-1)?.remainingMs).toBe(360);
  });

  test("is one upstream with whatever else asks it: one reader, one breaker, one count", async () => {
    const { bound, ask } = backend(asUsual, page);
    await ask({ iata: "DAL" });
    expect(bound.sources().map(({ source, requests }) => [source, requests])).toEqual([
      ["registry", 2],
      ["meteo", 2],
      ["board", 1],
    ]);
  });
});

describe("fields of the items of a list", () => {
  test("come from sources that are asked for all items at once", async () => {
    const { ask, upstream } = backend(asUsual, page);
    const { output, meta } = await ask({ iata: "DAL" });
    const houston = { name: "Airport HOU", sky: "blue over S-HOU" };
    expect(output.departures).toEqual([
      { flight: "1", to: "HOU", destination: houston },
      { flight: "2", to: "XXX" },
      { flight: "3", to: "HOU", destination: houston },
    ]);
    const asked = upstream.requests.filter(({ source }) => source === "registry");
    expect(asked.map(keysOf)).toEqual([["DAL"], ["HOU", "XXX"]]);
    expect(meta.fields.departures?.nested).toEqual({
      "destination.name": { rule: "prefer(registry)", states: { fresh: 2, missing: 1 }, conflicts: 0 },
      "destination.sky": { rule: "prefer(meteo)", states: { fresh: 2, missing: 1 }, conflicts: 0 },
    });
    expect(meta.sources.registry).toMatchObject({ state: "missing", questions: 4 });
  });

  test("do not wait for a source that has nothing to do with them", async () => {
    const asked: { [keys: string]: number } = {};
    const slow = backend((request) => {
      asked[keysOf(request).join()] = slow.clock.monotonic();
      return { ...asUsual(request), ...(request.url.search === "?iata=DAL" && { afterMs: 100 }) };
    }, page);
    const began = slow.clock.monotonic();
    await slow.ask({ iata: "DAL" });
    expect([asked.DAL, asked["HOU,XXX"], asked["S-DAL"]]).toEqual([began, began, began + 100]);
  });

  test("of two lists that ask one source are not two sources of one name", () => {
    expect(() =>
      view(Airports.page, {
        budget: "1s",
        require: [registry],
        fields: {
          name: prefer(registry),
          sky: prefer(
            weather,
            after(registry, meteo, () => undefined),
          ),
        },
      }),
    ).toThrow('two sources called "meteo"');
    expect(() => asking(target, () => undefined)).toThrow("already asked in other words");
  });
});

test("an answer with dependent and nested sources has the same bytes, whoever answers first", async () => {
  const seen = new Set<string>();
  const delay = fc.nat(60);
  await fc.assert(
    fc.asyncProperty(fc.record({ registry: delay, meteo: delay, board: delay }), async (delays) => {
      const { ask } = backend(
        (request) => ({ ...asUsual(request), afterMs: delays[request.source as keyof typeof delays] }),
        page,
      );
      const { output, meta } = await ask({ iata: "DAL" });
      const told = Object.values(meta.fields).map(({ state, rejected, nested }) => [state, rejected, nested]);
      seen.add(JSON.stringify([output, told, Object.keys(meta.sources)]));
    }),
    { numRuns: 60 },
  );
  expect(seen.size).toBe(1);
});

describe("one endpoint for many keys", () => {
  const simple = view(Airports.page, {
    budget: "1s",
    require: [registry],
    fields: { name: prefer(registry), sky: prefer(weather) },
  });
  const pages = many(Airports.pages, simple, { keys: "codes", as: "iata" });

  test("has a state for each of them, in the order in which they were asked for", async () => {
    const { ask, upstream } = backend(asUsual, pages);
    const { output, meta } = await ask({ codes: ["DAL", "XXX", "HOU", "DAL"] });
    expect(output.items).toEqual([
      { key: "DAL", state: "found", value: { name: "Airport DAL", sky: "blue over S-DAL" } },
      { key: "XXX", state: "missing", problem: "No such airport." },
      { key: "HOU", state: "found", value: { name: "Airport HOU", sky: "blue over S-HOU" } },
      { key: "DAL", state: "found", value: { name: "Airport DAL", sky: "blue over S-DAL" } },
    ]);
    expect(upstream.requests.map(keysOf)).toEqual([
      ["DAL", "XXX", "HOU"],
      ["S-DAL", "S-HOU"],
    ]);
    expect(meta.items?.map(({ key, fields }) => [key, fields.name?.state])).toEqual([
      ["DAL", "fresh"],
      ["XXX", undefined],
      ["HOU", "fresh"],
      ["DAL", "fresh"],
    ]);
    expect(meta.sources.meteo).toMatchObject({ state: "fresh", questions: 2 });
  });

  test("goes on where one key fails, and says why", async () => {
    const broken = { iata: "BAD", name: 7 };
    const { ask } = backend(
      (request) => (request.source === "registry" ? { body: [broken, { iata: "DAL", name: "Love Field" }] } : {}),
      pages,
    );
    const { output } = await ask({ codes: ["DAL", "BAD"] });
    expect(output.items.map(({ key, state }: { key: string; state: string }) => [key, state])).toEqual([
      ["DAL", "found"],
      ["BAD", "unavailable"],
    ]);
    expect(output.items[1].problem).toContain('"registry", which is invalid');
  });

  test("answers nothing for no keys, and asks nobody", async () => {
    const { ask, upstream } = backend(asUsual, pages);
    expect((await ask({ codes: [] })).output).toEqual({ items: [] });
    expect(upstream.requests).toHaveLength(0);
  });

  test("ends when nobody waits for it any more", async () => {
    const gone = new AbortController();
    const { ask, clock, upstream } = backend((request) => ({ ...asUsual(request), afterMs: 100 }), pages);
    clock.after(10, () => gone.abort());
    await expect(ask({ codes: ["DAL"] }, 20, { aborted: gone.signal })).rejects.toMatchObject({
      code: "DeadlineExceeded",
    });
    expect(upstream.aborts).toBe(1);
    expect(clock.timers).toBe(0);
  });

  test("has an end", () => {
    const Endless = contract("endless", "1.0.0", {
      pages: query({ input: z.object({ codes: z.array(z.string()) }), output: Airports.pages.output }),
    });
    expect(() => many(Endless.pages, simple, { keys: "codes", as: "iata" })).toThrow("how many keys");
  });

  test("is not made of what answers about many itself", () => {
    expect(() => many(Airports.pages, pages as never, { keys: "codes", as: "iata" })).toThrow("many things itself");
  });
});

test("a list in pages whose items are looked up elsewhere is still whole or says that it is not", async () => {
  const turned = source("turned", {
    get: paged(json("https://turned.test/{iata}", z.array(z.object({ flight: z.string(), to: z.string() }))), {
      next: { page: "page" },
      pages: 1,
    }),
    attempts: 1,
  });
  const departures = union(turned).with({ destination: nested({ name: prefer(target) }) });
  const short = view(Airports.page, {
    budget: "1s",
    require: [registry],
    fields: { name: prefer(registry), departures },
  });
  const { meta } = await backend(
    (request) => (request.source === "turned" ? asUsual({ ...request, source: "board" }) : asUsual(request)),
    short,
  ).ask({ iata: "DAL" });
  expect(meta.fields.departures).toMatchObject({
    complete: false,
    nested: { "destination.name": { states: { fresh: 2, missing: 1 } } },
  });
});
