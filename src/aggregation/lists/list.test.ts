import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { contract, personal, query } from "../../contracts/index.ts";
import { provideViews } from "../host.ts";
import {
  type AnyView,
  jaroWinkler,
  json,
  latest,
  list,
  longest,
  matching,
  nearby,
  nested,
  prefer,
  source,
  type ViewMeta,
} from "../index.ts";
import { ManualClock, nobody, type Scripted, ScriptedUpstream, toCall } from "../test-kit.test-d.ts";

const City = z.object({
  id: z.string(),
  name: z.string(),
  country: z.string().optional(),
  people: z.int().optional(),
  weather: z.object({ now: z.string().optional() }).optional(),
});
const Cities = contract("cities", "1.0.0", {
  list: query({
    input: z.object({
      country: z.string().optional(),
      after: z.string().optional(),
      limit: z.int().optional(),
      sort: z.string().optional(),
    }),
    output: z.object({
      items: z.array(City),
      complete: z.boolean(),
      next: z.string().optional(),
      missing: z.array(z.string()).optional(),
      found: z.int().optional(),
    }),
  }),
});
const Row = z.object({
  id: z.string(),
  name: z.string().optional(),
  country: z.string().optional(),
  people: z.number().optional(),
  seen: z.string().optional(),
});
type Row = z.output<typeof Row>;
const guide = source("guide", { get: json("https://guide.test/all", z.array(Row)), attempts: 1 });
const census = source("census", { get: json("https://census.test/all", z.array(Row)), attempts: 1 });
const weather = source("weather", {
  batch: json("https://weather.test/now?id={id}", z.array(z.object({ id: z.string(), now: z.string() }))),
  match: "id",
  attempts: 1,
});
const cities = list(Cities.list, {
  budget: "1s",
  same: "id",
  asOf: "seen",
  fields: {
    id: prefer(guide, census),
    name: prefer(guide, census),
    country: prefer(guide, census),
    people: latest(guide, census),
    weather: nested({ now: prefer(weather) }),
  },
  where: { country: ({ country }, wanted) => country === wanted },
  orderBy: ["name"],
  sortable: ["name", "people"],
  size: { usual: 2, most: 50 },
});

interface Page {
  readonly items: z.output<typeof City>[];
  readonly complete: boolean;
  readonly next?: string;
  readonly missing?: string[];
  readonly found?: number;
}
function backend(script: (source: string, url: URL) => Scripted, view: AnyView = cities) {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock, ({ source, url }) => script(source, url));
  const bound = provideViews([view], { upstream, dispatch: nobody, clock, random: () => 0.5, origins: {} });
  const ask = async (input: object = {}) => {
    const reply = bound.providers[0]?.handle(input, toCall(), input).then(
      (value) => ({ value: value as { output: Page; meta: ViewMeta } }),
      (error: unknown) => ({ error }),
    );
    await clock.advance(1_100);
    const settled = await reply;
    if (!settled || "error" in settled) throw settled?.error;
    return settled.value;
  };
  const walk = async (input: object = {}) => {
    const pages: Page[] = [];
    for (let after: string | undefined, turn = 0; turn < 100; turn++) {
      const { output } = await ask({ ...input, ...(after !== undefined && { after }) });
      pages.push(output);
      after = output.next;
      if (after === undefined) return pages;
    }
    throw new Error("The pages have no end.");
  };
  return { ask, walk, upstream, bound };
}
const sky = (url: URL) => ({
  body: (url.searchParams.get("id") ?? "").split(",").map((id) => ({ id, now: `sun ${id}` })),
});
const saying =
  (lists: { readonly [source: string]: readonly Row[] }, changes: { readonly [s: string]: Scripted } = {}) =>
  (name: string, url: URL): Scripted =>
    changes[name] ?? (name === "weather" ? sky(url) : { body: lists[name] });

const rows = {
  guide: [
    { id: "osl", name: "Oslo", country: "NO", people: 1_000, seen: "2020-01-01" },
    { id: "bgo", name: "Bergen", country: "NO" },
    { id: "sto", name: "Stockholm", country: "SE" },
  ],
  census: [
    { id: "osl", name: "OSLO", country: "NO", people: 717_710, seen: "2025-01-01" },
    { id: "trd", name: "Trondheim", country: "NO", people: 212_660, seen: "2025-01-01" },
  ],
};

describe("a list over several sources", () => {
  test("fuses the records of one thing field by field, and orders, filters and cuts what comes out", async () => {
    const { walk, ask } = backend(saying(rows));
    const pages = await walk({ country: "NO" });
    expect(pages.map(({ items }) => items.map(({ name }) => name))).toEqual([["Bergen", "Oslo"], ["Trondheim"]]);
    expect(pages.map(({ complete, found }) => [complete, found])).toEqual([
      [true, 3],
      [true, 3],
    ]);
    const { output, meta } = await ask({ sort: "-people", limit: 1 });
    expect(output.items).toEqual([
      { id: "osl", name: "Oslo", country: "NO", people: 717_710, weather: { now: "sun osl" } },
    ]);
    expect(meta.items?.[0]?.fields.name).toMatchObject({ source: "guide", conflict: true });
    expect(meta.items?.[0]?.fields.people).toMatchObject({ source: "census", asOf: "2025-01-01T00:00:00.000Z" });
  });

  test("asks each list once and a page's items together, however many there are", async () => {
    const many = Array.from({ length: 80 }, (_, n) => ({ id: `c${n}`, name: `City ${n}` }));
    const { ask, upstream } = backend(saying({ guide: many, census: many.slice(20) }));
    const { output, meta } = await ask({ limit: 50 });
    expect(output.items).toHaveLength(50);
    expect(output.items.every(({ id, weather }) => weather?.now === `sun ${id}`)).toBe(true);
    expect(upstream.requests.map(({ source }) => source)).toEqual(["guide", "census", "weather"]);
    expect(meta.sources.weather).toMatchObject({ state: "fresh", questions: 50, batched: 50, attempts: 1 });
    expect(meta.fields.items?.nested?.["weather.now"]).toMatchObject({
      states: { fresh: 50 },
      rule: "prefer(weather)",
    });
  });

  test("says of which sources something may be missing, and is still a list", async () => {
    const { ask } = backend(saying(rows, { census: { status: 503 } }));
    const { output, meta } = await ask({ limit: 10 });
    expect(output).toMatchObject({ complete: false, missing: ["census"], found: 3 });
    expect(meta.items?.[0]?.fields.people).toMatchObject({ state: "down" });
  });

  test("leaves out what has no key or breaks the contract, and counts it", async () => {
    const broken = [{ id: "x" }, { id: "", name: "Keyless" }, { id: "y", name: "Y", people: 1.5 }, ...rows.guide];
    const { ask } = backend(saying({ guide: broken, census: [] }));
    const { output, meta } = await ask({ limit: 10 });
    expect(output.items.map(({ id }) => id)).toEqual(["bgo", "osl", "sto"]);
    expect(meta.list).toMatchObject({ leftOut: 3, duplicates: 0 });
  });

  test("of several records of one source under one key takes the newest, and counts the others", async () => {
    const twice = [
      { id: "a", name: "Old", seen: "2020-01-01" },
      { id: "a", name: "New", seen: "2024-01-01" },
    ];
    for (const guide of [twice, twice.toReversed()]) {
      const { output, meta } = await backend(saying({ guide, census: [] })).ask();
      expect([output.items[0]?.name, meta.list?.duplicates]).toEqual(["New", 1]);
    }
  });

  test("may have records that JSON cannot say", async () => {
    const counted = z.object({ id: z.string(), name: z.string(), people: z.string().transform(BigInt) });
    const big = source("big", { get: json("https://big.test", z.array(counted)), attempts: 1 });
    const bigger = source("bigger", { get: json("https://bigger.test", z.array(counted)), attempts: 1 });
    const Big = contract("big", "1.0.0", {
      list: query({
        input: z.object({ limit: z.int().optional() }),
        output: z.object({ items: z.array(z.object({ id: z.string(), name: z.string() })), complete: z.boolean() }),
      }),
    });
    const view = list(Big.list, {
      budget: "1s",
      same: matching<{ id: string }>({ keys: [({ id }) => id] }),
      fields: { id: prefer(big, bigger), name: prefer(big, bigger) },
    });
    const row = (people: string) => ({ id: "a", name: "A", people });
    const { ask } = backend(() => ({ body: [row("1"), row("2")] }), view);
    expect((await ask()).output.items).toEqual([{ id: "a", name: "A" }]);
  });

  test("refuses a cursor that is none, one of another question, and an order that it does not know", async () => {
    const { ask } = backend(saying(rows));
    const { output } = await ask({ country: "NO" });
    for (const after of ["x", "W10", output.next?.slice(3) ?? "", Buffer.from("[1,2,[],3]").toString("base64url")])
      await expect(ask({ country: "NO", after })).rejects.toMatchObject({
        code: "InvalidInput",
        issues: [{ path: "/after" }],
      });
    await expect(ask({ country: "SE", after: output.next })).rejects.toThrow("another filter or order");
    await expect(ask({ sort: "country" })).rejects.toMatchObject({ issues: [{ path: "/sort" }] });
  });

  test("is read once for all of its pages, and merged once, as long as it is cached", async () => {
    const cached = source("cached", { get: json("https://c.test", z.array(Row)), cacheFor: "1m" });
    let fused = 0;
    const counting = (name: string): string => {
      fused += 1;
      return name;
    };
    const counted = list(Cities.list, {
      budget: "1s",
      same: "id",
      fields: {
        id: prefer(cached),
        name: longest(cached, again).comparing(counting),
        country: prefer(cached),
        people: prefer(cached),
        weather: nested({ now: prefer(weather) }),
      },
      size: { usual: 10 },
    });
    const many = Array.from({ length: 100 }, (_, n) => ({ id: `c${n}`, name: `City ${n}` }));
    const { walk, upstream } = backend((name, url) => (name === "weather" ? sky(url) : { body: many }), counted);
    expect(await walk()).toHaveLength(10);
    expect(upstream.requests.filter(({ source }) => source !== "weather")).toHaveLength(2);
    expect(fused).toBe(2 * (100 + 100)); // two candidates, once for the values and once for the provenance that is shown
  });
});
const again = source("again", { get: json("https://a.test", z.array(Row)), cacheFor: "1m" });

const row: fc.Arbitrary<Row> = fc.record(
  {
    id: fc.constantFrom("a", "b", "c", "d", "e", "f", "g"),
    name: fc.constantFrom("X", "Y", "Z"),
    country: fc.constantFrom("NO", "SE"),
    people: fc.constantFrom(1, 2, 3),
    seen: fc.constantFrom("2020-01-01", "2021-01-01"),
  },
  { requiredKeys: ["id", "name"] },
);
const table = fc.array(row, { maxLength: 10 });
const shuffled = <T>(items: readonly T[]) => fc.shuffledSubarray([...items], { minLength: items.length });

describe("the pages of a list", () => {
  test("have the same bytes for every order of the records and of the answers", async () => {
    const cases = fc
      .tuple(table, table)
      .chain(([one, two]) => fc.tuple(fc.constant([one, two]), shuffled(one), shuffled(two), fc.nat(200), fc.nat(200)));
    await fc.assert(
      fc.asyncProperty(
        cases,
        fc.constantFrom("name", "-people", "people,-name"),
        async ([plain, one, two, first, then], sort) => {
          const [guide = [], census = []] = plain;
          const asIs = await backend(saying({ guide, census })).ask({ sort, limit: 3 });
          const late = { guide: { body: one, afterMs: first }, census: { body: two, afterMs: then } };
          const otherwise = await backend(saying({}, late)).ask({ sort, limit: 3 });
          expect(JSON.stringify(otherwise.output)).toBe(JSON.stringify(asIs.output));
          const told = ({ meta }: typeof asIs) =>
            JSON.stringify(
              meta.items?.map(({ fields }) => Object.values(fields).map((field) => ({ ...field, ageMs: 0 }))),
            );
          expect(told(otherwise)).toBe(told(asIs));
        },
      ),
      { numRuns: 60 },
    );
  });

  test("put together are the whole list, each item once and in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        table,
        table,
        fc.constantFrom("name", "-people", "people,-name"),
        fc.integer({ min: 1, max: 4 }),
        async (guide, census, sort, limit) => {
          const { ask, walk } = backend(saying({ guide, census }));
          const whole = await ask({ sort, limit: 50 });
          const pages = await walk({ sort, limit });
          expect(pages.flatMap(({ items }) => items)).toEqual(whole.output.items);
          expect(pages.slice(0, -1).every(({ items }) => items.length === limit)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("lose nothing and repeat nothing that is there all along, whatever comes and goes meanwhile", async () => {
    await fc.assert(
      fc.asyncProperty(table, table, table, fc.constantFrom("name", "-people"), async (stays, goes, comes, sort) => {
        const fixed = stays.map((one) => ({ ...one, id: `stays ${one.id}` }));
        let now: readonly Row[] = [...fixed, ...goes];
        const { ask } = backend((name, url) => (name === "weather" ? sky(url) : { body: name === "guide" ? now : [] }));
        const seen: string[] = [];
        for (let after: string | undefined, page = 0; page === 0 || after !== undefined; page++) {
          const { output } = await ask({ sort, limit: 2, ...(after !== undefined && { after }) });
          seen.push(...output.items.map(({ id }) => id));
          after = output.next;
          now = page % 2 === 0 ? [...fixed, ...comes] : [...fixed, ...goes];
        }
        const staying = seen.filter((id) => id.startsWith("stays"));
        expect(staying.toSorted()).toEqual([...new Set(fixed.map(({ id }) => id))].toSorted());
      }),
      { numRuns: 60 },
    );
  });
});

describe("the pages of a list whose records are matched by keys", () => {
  test("have each thing once, though a source goes down between two of them", async () => {
    const matched = list(Cities.list, {
      budget: "1s",
      same: matching<Row>({ keys: [({ id }) => id] }),
      fields: {
        id: prefer(guide, census),
        name: prefer(guide, census),
        country: prefer(guide),
        people: prefer(census),
      },
      orderBy: ["name"],
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(99), { minLength: 1, maxLength: 12 }),
        fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (ids, isDown, limit) => {
          const all = ids.map((id) => ({ id: `k${id}`, name: "the same", people: id }));
          let page = 0;
          const { ask } = backend(
            (name) => (name === "census" && isDown[page] ? { status: 503 } : { body: all }),
            matched,
          );
          const seen: string[] = [];
          for (let after: string | undefined; page === 0 || after !== undefined; page++) {
            const { output } = await ask({ limit, ...(after !== undefined && { after }) });
            seen.push(...output.items.map(({ id }) => id));
            after = output.next;
          }
          expect(seen.toSorted()).toEqual(all.map(({ id }) => id).toSorted());
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("a list whose records are matched", () => {
  const Shops = contract("shops", "1.0.0", {
    list: query({
      input: z.object({ limit: z.int().optional(), after: z.string().optional() }),
      output: z.object({
        items: z.array(z.object({ name: z.string(), phone: z.string().optional() })),
        complete: z.boolean(),
        next: z.string().optional(),
      }),
    }),
  });
  const Shop = z.object({
    name: z.string(),
    phone: z.string().optional(),
    position: z.object({ latitude: z.number(), longitude: z.number() }),
  });
  const [north, south] = ["north", "south"].map((name) =>
    source(name, { get: json(`https://${name}.test`, z.array(Shop)), attempts: 1 }),
  ) as [ShopSource, ShopSource];
  type ShopSource = ReturnType<typeof source<"north", never, z.output<typeof Shop>[], z.output<typeof Shop>[]>>;
  const shops = list(Shops.list, {
    budget: "1s",
    same: matching<z.output<typeof Shop>>({
      keys: [({ phone }) => phone],
      blocks: [({ name }) => name.slice(0, 1)],
      compare: [
        { of: ({ name }) => name, by: jaroWinkler },
        { of: ({ position }) => position, by: nearby(1_000) },
      ],
    }),
    fields: { name: longest(north, south), phone: prefer(north, south) },
    orderBy: ["name"],
  });
  const at = (name: string, latitude: number, phone?: string) => ({
    name,
    ...(phone && { phone }),
    position: { latitude, longitude: 8 },
  });

  test("merges what is alike, and shows a person what may be", async () => {
    const { ask } = backend(
      saying({
        north: [at("Bakery Miller", 50), at("Cafe One", 50)] as never,
        south: [at("Bakery Millers", 50, "1"), at("Cafe Ten", 50.002)] as never,
      }),
      shops,
    );
    const { output, meta } = await ask();
    expect(output.items).toEqual([{ name: "Bakery Millers", phone: "1" }, { name: "Cafe One" }, { name: "Cafe Ten" }]);
    expect(meta.list?.review).toEqual([
      {
        sources: ["north", "south"],
        score: expect.closeTo(0.83, 1),
        why: "are alike, but not enough to be sure",
        left: { name: "Cafe One" },
        right: { name: "Cafe Ten" },
      },
    ]);
  });

  test("has cursors that say nothing of the items, and every page of them", async () => {
    const north = Array.from({ length: 7 }, (_, n) => at("Twin", 50 + n, String(n)));
    const { ask } = backend(saying({ north: north as never, south: [] }), shops);
    const phones: unknown[] = [];
    for (let after: string | undefined, turn = 0; turn === 0 || after !== undefined; turn++) {
      const { output } = await ask({ limit: 2, ...(after !== undefined && { after }) });
      phones.push(...output.items.map((item) => (item as { phone?: string }).phone));
      after = output.next;
      if (after) expect(JSON.parse(Buffer.from(after, "base64url").toString())[3]).toMatch(/^[\w-]{22}$/);
    }
    expect(phones.toSorted()).toEqual(["0", "1", "2", "3", "4", "5", "6"]);
  });

  test("counts for the operator what waits for a person", async () => {
    const { ask, bound } = backend(
      saying({ north: [at("Cafe One", 50)] as never, south: [at("Cafe Ten", 50.002)] as never }),
      shops,
    );
    await ask();
    expect(bound.views()[0]).toMatchObject({ answers: 1, review: 1 });
  });
});

describe("what cannot be a list is refused when it is declared", () => {
  const fields = {
    id: prefer(guide),
    name: prefer(guide),
    country: prefer(guide),
    people: prefer(guide),
    weather: nested({ now: prefer(weather) }),
  };
  test("the latest of records that have no instant", () => {
    const people = latest(guide, census);
    expect(() => list(Cities.list, { budget: "1s", same: "id", fields: { ...fields, people } })).toThrow("`asOf`");
  });
  test("an order by what is personal, for a cursor travels in addresses", () => {
    const People = contract("people", "1.0.0", {
      list: query({
        input: z.object({}),
        output: z.object({
          items: z.array(z.object({ id: z.string(), name: personal(z.string()) })),
          complete: z.boolean(),
        }),
      }),
    });
    const rules = { id: prefer(guide), name: prefer(guide) };
    expect(() => list(People.list, { budget: "1s", same: "id", fields: rules, orderBy: ["name"] })).toThrow(
      "is personal",
    );
    expect(() => list(People.list, { budget: "1s", same: "name", fields: rules })).toThrow("is personal");
  });
  test("pages of no size", () => {
    expect(() => list(Cities.list, { budget: "1s", same: "id", fields, size: { usual: 0 } })).toThrow("1 to 10,000");
  });
  test("an answer that wants more than a list has", () => {
    const More = contract("more", "1.0.0", {
      list: query({
        input: z.object({}),
        output: z.object({ items: z.array(City.pick({ id: true })), complete: z.boolean(), mood: z.string() }),
      }),
    });
    expect(() => list(More.list, { budget: "1s", same: "id", fields: { id: prefer(guide) } })).toThrow("not with mood");
  });
});
