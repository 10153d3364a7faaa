// What is inferred, and what must not compile: one mistake a line; `tsc` fails here if any of them begins to compile.
import { z } from "zod";
import { contract, query } from "../contracts/index.ts";
import {
  call,
  csv,
  custom,
  json,
  latest,
  linked,
  majority,
  ndjson,
  paged,
  prefer,
  sending,
  source,
  union,
  view,
  xml,
} from "./index.ts";
import type { ParamsOf } from "./source.ts";

const Delay = z.object({ flight: z.string(), minutes: z.int(), at: z.iso.datetime() });
const Position = z.object({ latitude: z.number(), longitude: z.number() });
const Airports = contract("airports", "1.0.0", {
  page: query({
    input: z.object({ iata: z.string().length(3) }),
    output: z.object({ name: z.string(), position: Position.optional(), delays: z.array(Delay).optional() }),
    http: "GET /airports/{iata}",
    access: "public",
  }),
});

const numbered = source("numbered", {
  get: json("https://a.test/{iata}", z.object({ name: z.number(), at: z.string() })),
  asOf: "at",
});
const icao = source("icao", { get: json("https://b.test/{icao}", z.object({ name: z.string() })) });
const good = source("good", {
  get: json("https://c.test/{iata}", z.object({ name: z.string(), city: z.string(), lat: z.number() })),
});
const list = source("list", {
  get: json("https://d.test/{iata}", z.array(z.object({ flight: z.string(), minutes: z.int(), at: z.string() }))),
});
const budget = "250ms";
const require = [good] as const;
view(Airports.page, {
  budget,
  require,
  fields: { name: prefer(good), delays: union(list).dedupeBy("flight").orderBy("-at").limit(3) },
});
view(Airports.page, { budget, fields: { name: prefer(good).or("unknown") } });
// @ts-expect-error a field of the wrong type
view(Airports.page, { budget, require, fields: { name: prefer(numbered, good) } });
// @ts-expect-error a field that the source does not have
view(Airports.page, { budget, require, fields: { name: prefer(good), position: prefer(good) } });
// @ts-expect-error a source that needs what the view is not asked with
view(Airports.page, { budget, require: [icao], fields: { name: prefer(icao) } });
// @ts-expect-error a field that must be there, from sources that may all be down
view(Airports.page, { budget, fields: { name: prefer(good) } });
// @ts-expect-error a field that must be there is not named
view(Airports.page, { budget, require, fields: {} });
// @ts-expect-error a field that the output does not have
view(Airports.page, { budget, require, fields: { name: prefer(good), nme: prefer(good) } });
const words = source("words", { get: json("https://x.test", z.array(z.string())) });
// @ts-expect-error a list of the wrong things
view(Airports.page, { budget, require, fields: { name: prefer(good), delays: union(words) } });
// @ts-expect-error not a time
view(Airports.page, { budget: "250 msec", require, fields: { name: prefer(good) } });
// @ts-expect-error latest wants sources that say of when they speak
latest(numbered, good);
// @ts-expect-error not a field of the items
union(list).dedupeBy("flght");
// @ts-expect-error not a field of the items
union(list).orderBy("-when");
// @ts-expect-error only lists are united
union(good);
// @ts-expect-error a CSV column is text
csv("https://x.test?c={iata}", z.object({ iata: z.string(), lat: z.number() }));
const row = z.object({ iata: z.string(), lat: z.coerce.number() });
// @ts-expect-error match is a field of the row
source("csv", { batch: csv("https://x.test?c={iata}", row), match: "iota" });
// @ts-expect-error a batch says how it is matched
source("csv", { batch: csv("https://x.test?c={iata}", row) });
// @ts-expect-error a misspelt part
source("late", { get: json("https://x.test", row), timout: "1s" });
// @ts-expect-error a list has no instant of its own
source("dated", { get: json("https://x.test", z.array(row)), asOf: "length" });
// @ts-expect-error a flag is no instant
source("dated", { get: json("https://x.test", z.object({ seen: z.boolean() })), asOf: "seen" });

// formats
const lines = source("lines", { get: ndjson("https://lines.test/{iata}", Delay) });
const elements = source("elements", {
  batch: xml("https://x.test/{iata}.xml", "airports/airport", row),
  match: "iata",
});
view(Airports.page, {
  budget,
  require,
  fields: { name: majority(good), delays: union(lines, list).dedupeBy("flight") },
});
prefer(elements).plan.sources satisfies readonly { readonly name: string }[];

// flat outputs: linked
const Flat = contract("places", "1.0.0", {
  place: query({
    input: z.object({ iata: z.string() }),
    output: z.object({ name: z.string(), latitude: z.number(), longitude: z.number() }),
  }),
});
const one = source("one", {
  get: json(
    "https://one.test/{iata}",
    z.object({ name: z.string(), latitude: z.number(), longitude: z.number(), seen: z.date() }),
  ),
  asOf: "seen",
});
const two = source("two", {
  batch: csv(
    "https://two.test?c={iata}",
    z.object({
      code: z.string(),
      name: z.string(),
      latitude: z.coerce.number(),
      longitude: z.coerce.number(),
      seen: z.string(),
    }),
  ),
  match: "code",
  asOf: "seen",
});
view(Flat.place, {
  budget: "1s",
  require: [one],
  fields: { name: prefer(two, one), ...linked(latest(one, two), "latitude", "longitude") },
});
const halfway = { name: prefer(two, one), ...linked(latest(one, two), "latitude") };
// @ts-expect-error longitude is missing
view(Flat.place, { budget: "1s", require: [one], fields: halfway });
// @ts-expect-error not a field of the sources
linked(latest(one, two), "latitud");

// another contract's operation as a source
const places = source("places", { get: call(Flat.place) });
view(Flat.place, {
  budget: "1s",
  require: [places],
  fields: { name: prefer(places), latitude: prefer(places), longitude: prefer(places) },
});

// literals stay literal
const Lights = contract("lights", "1.0.0", {
  see: query({
    input: z.object({ iata: z.string() }),
    output: z.object({ now: z.enum(["red", "green"]), tags: z.array(z.string()) }),
  }),
});
const lamp = source("lamp", {
  get: json("https://x.test/{iata}", z.object({ on: z.boolean() })),
  shape: ({ on }) => ({ now: on ? "green" : "red", tags: ["lamp"] }),
});
view(Lights.see, { budget: "1s", require: [lamp], fields: { now: prefer(lamp), tags: prefer(lamp) } })
  .id satisfies "lights.see";

// optional at the source: a candidate for an optional field, never enough for one that must be there
const Tags = contract("tags", "1.0.0", {
  see: query({
    input: z.object({ iata: z.string() }),
    output: z.object({ name: z.string(), tags: z.array(z.string()).optional(), note: z.string().nullable() }),
  }),
});
const patchy = source("patchy", {
  get: json(
    "https://x.test/{iata}",
    z.object({ name: z.string().optional(), tags: z.array(z.string()).optional(), note: z.string().nullish() }),
  ),
});
view(Tags.see, {
  budget: "1s",
  require: [patchy],
  fields: { name: prefer(patchy).or("?"), tags: prefer(patchy), note: prefer(patchy) },
});
// @ts-expect-error the name may be absent though its source is up
view(Tags.see, { budget: "1s", require: [patchy], fields: { name: prefer(patchy), note: prefer(patchy) } });

// adapters of one's own, and lists in pages
const own = custom(["iata"], z.object({ name: z.string() }), async ({ iata }, { keys, aborted }) => {
  keys satisfies readonly string[];
  aborted satisfies AbortSignal;
  return { name: String(iata) };
});
const adapted = source("adapted", { get: own });
view(Airports.page, { budget, require: [adapted], fields: { name: prefer(adapted) } });
const elsewhere = source("elsewhere", {
  get: custom(["icao"], z.object({ name: z.string() }), async ({ icao }) => icao),
});
// @ts-expect-error an adapter that needs what the view is not asked with
view(Airports.page, { budget, require: [elsewhere], fields: { name: prefer(elsewhere) } });
// @ts-expect-error what it did not name it is not given
custom(["iata"], z.object({ name: z.string() }), async ({ icao }) => icao);
const Listed = z.object({ items: z.array(Delay), next: z.string().optional(), total: z.int() });
const turned = source("turned", {
  get: paged(json("https://x.test/{iata}", Listed), { next: { cursor: "next", as: "after" }, items: "items" }),
});
view(Airports.page, { budget, require, fields: { name: prefer(good), delays: union(turned).dedupeBy("flight") } });
paged(ndjson("https://x.test/{iata}", Delay), { next: "link", pages: 3 });
// @ts-expect-error a field that is no list
paged(json("https://x.test/{iata}", Listed), { next: "link", items: "total" });
// @ts-expect-error a page that is no list says where its list is
paged(json("https://x.test/{iata}", Listed), { next: "link" });
// @ts-expect-error an offset needs the size of a page
paged(ndjson("https://x.test/{iata}", Delay), { next: { offset: "from" } });
// @ts-expect-error only a batch has a size
source("one", { get: json("https://x.test/{iata}", row), batchSize: 10 });
source("many", { batch: csv("https://x.test?c={iata}", row), match: "iata", batchSize: 10, keysAs: "repeated" });
source("patient", { get: own, breaker: { failures: 0.2, pause: "1s" }, concurrency: 8, queue: 0, redirects: 1 });
// @ts-expect-error a breaker is there or is false
source("impatient", { get: own, breaker: true });

// from the view's words to the upstream's
const renamed = source("renamed", {
  get: json("https://x.test/{code}", z.object({ name: z.string() })),
  from: ({ iata }: { iata: string }) => ({ code: iata.toLowerCase() }),
});
view(Airports.page, { budget, require: [renamed], fields: { name: prefer(renamed) } });
const twoParams = json("https://x.test/{code}/{of}", row);
// @ts-expect-error `from` leaves out a parameter
source("half", { get: twoParams, from: ({ iata }: { iata: string }) => ({ code: iata }) });
const still = source("still", {
  get: json("https://x.test/{code}", z.object({ name: z.string() })),
  from: ({ icao }: { icao: string }) => ({ code: icao }),
});
// @ts-expect-error a source that is mapped from what the view is not asked with
view(Airports.page, { budget, require: [still], fields: { name: prefer(still) } });

// What is sent beside an address has parameters as well: whole texts in braces of a body, and texts of headers.
const searched = source("searched", {
  get: sending(json("https://x.test/search?page={page}", z.object({ name: z.string() })), {
    body: { query: "{ city(id: $id) { name } }", variables: { id: "{iata}", other: ["{icao}", "x"] } },
    headers: { "accept-language": "{lang}, en" },
    idempotent: true,
  }),
});
export const asked: "page" | "iata" | "icao" | "lang" = null as unknown as ParamsOf<typeof searched>; // compared, never run
// @ts-expect-error: every parameter is among them
export const lacking: "page" | "iata" | "icao" = null as unknown as ParamsOf<typeof searched>; // compared, never run
view(Airports.page, {
  budget: "1s",
  // @ts-expect-error: the view's input has no lang
  fields: { name: prefer(searched).or("") },
});
