import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Call, contract, failure, type Part, query, type Reply } from "../../contracts/index.ts";
import { provideViews } from "../host.ts";
import { type AnyView, json, latest, list, many, nested, prefer, source, view } from "../index.ts";
import { ManualClock, nobody, type Scripted, ScriptedUpstream, toCall } from "../test-kit.test-d.ts";

const City = z.object({
  id: z.string(),
  name: z.string().optional(),
  people: z.int().optional(),
  weather: z.object({ now: z.string().optional() }).optional(),
  mood: z.object({ now: z.string().optional() }).optional(),
});
const Page = z.strictObject({
  items: z.array(City),
  complete: z.boolean(),
  next: z.string().optional(),
  missing: z.array(z.string()).optional(),
  found: z.int().optional(),
});
const One = z.object({ name: z.string(), people: z.int().optional() });
const Some = z.object({
  items: z.array(
    z.object({
      key: z.string(),
      state: z.enum(["found", "missing", "unavailable", "invalid"]),
      value: One.optional(),
      problem: z.string().optional(),
    }),
  ),
});
const Cities = contract("cities", "1.0.0", {
  list: query({ input: z.object({ limit: z.int().optional() }), output: Page }),
  one: query({ input: z.object({ id: z.string() }), output: One, failures: { NotFound: failure(404, "No city.") } }),
  some: query({ input: z.object({ ids: z.array(z.string()).max(10) }), output: Some }),
});
const Row = z.object({ id: z.string(), name: z.string().optional(), people: z.int().optional(), seen: z.string() });
const Now = z.array(z.object({ id: z.string(), now: z.string() }));
const lists = ["guide", "census"].map((name) =>
  source(name, { get: json(`https://${name}.test/all`, z.array(Row)), attempts: 1 }),
);
const [guide, census] = lists as [(typeof lists)[number], (typeof lists)[number]]; // there are two
const weather = source("weather", { batch: json("https://weather.test/?id={id}", Now), match: "id", attempts: 1 });
const mood = source("mood", { batch: json("https://mood.test/?id={id}", Now), match: "id", attempts: 1 });
const cities = list(Cities.list, {
  budget: "250ms",
  require: [guide],
  same: "id",
  asOf: "seen",
  fields: {
    id: prefer(guide, census),
    name: prefer(census, guide),
    people: latest(guide, census),
    weather: nested({ now: prefer(weather) }),
    mood: nested({ now: prefer(mood) }),
  },
  orderBy: ["name"],
  size: { usual: 2 },
});

const Book = z.object({ name: z.string(), people: z.int() });
const book = source("book", { get: json("https://book.test/{id}", Book), attempts: 1 });
const fresh = source("newer", { get: json("https://newer.test/{id}", Book), attempts: 1 });
const one = view(Cities.one, {
  budget: "250ms",
  require: [book],
  fields: { name: prefer(book), people: prefer(fresh, book) },
});
const some = many(Cities.some, one, { keys: "ids", as: "id" });

const rows = {
  guide: [
    { id: "osl", name: "Oslo", people: 1, seen: "2026-01-01" },
    { id: "bgo", name: "Bergen", people: 2, seen: "2026-01-01" },
    { id: "trd", name: "Trondheim", people: 3, seen: "2026-01-01" },
  ],
  census: [
    { id: "osl", name: "Aslo", people: 9, seen: "2026-02-02" },
    { id: "sto", name: "Stockholm", people: 4, seen: "2026-01-01" },
  ],
};

function open(asked: AnyView, script: (source: string, place: string) => Scripted) {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock, ({ source, url }) => {
    const ids = (url.searchParams.get("id") ?? "").split(",");
    const said = rows[source as keyof typeof rows] ?? ids.map((id) => ({ id, now: `${source} in ${id}` }));
    const plain = url.pathname === "/all" || url.search !== "" ? said : { name: url.pathname.slice(1), people: 1 };
    return { body: plain, ...script(source, url.pathname.slice(1)) };
  });
  const ports = { upstream, dispatch: nobody, clock, random: () => 0.5, origins: {} };
  const { providers } = provideViews(asked === some ? [one, some] : [asked], ports);
  const provider = providers.find(({ operation }) => operation === asked.id);
  const parts: Part[] = [];
  const ask = (input: object, more: Partial<Call> = {}): Promise<Reply> =>
    provider?.handle(input, toCall(more), input) as Promise<Reply>; // each view has one
  return { clock, upstream, parts, onPart: (part: Part) => void parts.push(part), ask };
}
const outputOf = (reply: Reply): any => ("output" in reply ? reply.output : undefined); // whatever the test expects there

describe("a list that grows", () => {
  const slow: { readonly [source: string]: number } = { guide: 10, census: 30, weather: 20, mood: 40 };

  test("shows the lists that are there, then the page, then what its items are asked for", async () => {
    const { clock, ask, onPart, parts } = open(cities, (source) => ({ afterMs: slow[source] ?? 0 }));
    const reply = ask({}, { onPart });
    await clock.advance(12);
    expect(parts).toEqual([
      {
        wire: {
          items: [
            { id: "bgo", name: "Bergen", people: 2 },
            { id: "osl", name: "Oslo", people: 1 },
          ],
          complete: false,
          missing: ["census"],
          found: 3,
        },
        pending: ["census", "weather", "mood"],
      },
    ]);
    await clock.advance(20);
    expect(parts[1]).toMatchObject({
      wire: { items: [{ id: "osl", name: "Aslo", people: 9 }, { id: "bgo" }], complete: true, found: 4 },
      pending: ["weather", "mood"],
    });
    await clock.advance(20);
    expect(parts[2]).toMatchObject({
      wire: { items: [{ weather: { now: "weather in osl" } }, { weather: { now: "weather in bgo" } }] },
      pending: ["mood"],
    });
    await clock.advance(50);
    const output = outputOf(await reply);
    expect(output.items[0]).toMatchObject({ weather: { now: "weather in osl" }, mood: { now: "mood in osl" } });
    expect(parts[1]).toHaveProperty("wire.next", output.next);
    expect(parts).toHaveLength(3);
    expect(clock.timers).toBe(0);
  });

  test("tells nothing before what is required is there, and nothing of an answer that becomes a failure", async () => {
    const { clock, ask, onPart, parts } = open(cities, (source) =>
      source === "guide" ? { afterMs: 50, status: 500 } : { afterMs: 5 },
    );
    const failed = expect(ask({}, { onPart })).rejects.toMatchObject({ code: "Unavailable" });
    await clock.advance(300);
    await failed;
    expect(parts).toEqual([]);
  });
});

describe("an answer for many keys that grows", () => {
  const late: { readonly [key: string]: number } = { osl: 30, bgo: 10, sto: 20 };

  test("shows each key as soon as something is known of it, in the order in which they were asked for", async () => {
    const { clock, ask, onPart, parts } = open(some, (source, key) =>
      source === "newer"
        ? { afterMs: key === "bgo" ? 100 : 0, body: { name: key, people: 7 } }
        : { afterMs: late[key] ?? 0, ...(key === "sto" && { status: 404 }) },
    );
    const reply = ask({ ids: ["osl", "bgo", "sto", "bgo"] }, { onPart });
    await clock.advance(12);
    const bergen = { key: "bgo", state: "found", value: { name: "bgo", people: 1 } };
    expect(parts).toEqual([{ wire: { items: [bergen, bergen] }, pending: ["book", "newer"] }]);
    await clock.advance(10);
    const stockholm = { key: "sto", state: "missing", problem: expect.any(String) };
    expect(parts[1]?.wire).toEqual({ items: [bergen, stockholm, bergen] });
    await clock.advance(10);
    const oslo = { key: "osl", state: "found", value: { name: "osl", people: 7 } };
    expect(parts[2]).toEqual({ wire: { items: [oslo, bergen, stockholm, bergen] }, pending: ["newer"] });
    await clock.advance(100);
    expect(outputOf(await reply).items[1]).toEqual({ ...bergen, value: { name: "bgo", people: 7 } });
    expect(parts).toHaveLength(3);
    expect(clock.timers).toBe(0);
  });
});

test("what grows keeps the contract all along, and ends as it would have without growing", async () => {
  const script = fc.record({ afterMs: fc.nat(300), status: fc.constantFrom(200, 200, 200, 404, 500) });
  const scripts = fc.record({
    guide: script,
    census: script,
    weather: script,
    mood: script,
    book: script,
    newer: script,
  });
  const asked = fc.constantFrom<readonly [AnyView, object, z.ZodType]>(
    [cities, { limit: 3 }, Page],
    [some, { ids: ["osl", "bgo", "osl"] }, Some],
  );
  await fc.assert(
    fc.asyncProperty(scripts, asked, async (given, [asked, input, Output]) => {
      const outcomes = [];
      for (const grows of [false, true]) {
        const { clock, ask, onPart, parts } = open(asked, (source) => given[source as keyof typeof given]);
        const reply = ask(input, grows ? { onPart } : {}).then(outputOf, ({ code }) => code);
        await clock.advance(400);
        outcomes.push(await reply);
        for (const { wire, pending } of parts) {
          expect(Output.safeParse(wire).success).toBe(true);
          expect(pending.length).toBeGreaterThan(0);
        }
        const told = parts.length;
        await clock.advance(1_000);
        expect(parts).toHaveLength(told);
      }
      expect(outcomes[1]).toEqual(outcomes[0]);
    }),
    { numRuns: 60 },
  );
});
