import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { contract, Failed, Fault, failure, query } from "../contracts/index.ts";
import { provideViews, type UpstreamRequest } from "./host.ts";
import {
  type AnyView,
  call,
  csv,
  json,
  latest,
  linked,
  majority,
  paged,
  prefer,
  source,
  union,
  view,
  xml,
} from "./index.ts";
import type { ViewMeta } from "./meta.ts";
import { phoneNumber } from "./normalise/phones.ts";
import { ManualClock, nobody, type Scripted, ScriptedUpstream, toCall } from "./test-kit.test-d.ts";

const Delay = z.object({ flight: z.string(), minutes: z.int(), at: z.string() });
const Airports = contract("airports", "1.0.0", {
  page: query({
    input: z.object({ iata: z.string() }),
    output: z.object({
      name: z.string(),
      position: z.object({ latitude: z.number(), longitude: z.number() }).optional(),
      delays: z.array(Delay).optional(),
      note: z.string().nullable(),
    }),
    failures: { NotFound: failure(404, "No such airport.") },
  }),
});
const a = source("a", {
  get: json(
    "https://a.test/{iata}",
    z.object({ name: z.string(), lat: z.number(), lon: z.number(), seen: z.string(), note: z.string().nullish() }),
  ),
  shape: ({ name, lat, lon, note }) => ({ name, note, position: { latitude: lat, longitude: lon, secret: "x" } }),
  asOf: "seen",
  attempts: 1,
});
const b = source("b", {
  batch: csv(
    "https://b.test/all.csv?iata={iata}",
    z.object({ code: z.string(), name: z.string(), lat: z.coerce.number(), lon: z.coerce.number(), seen: z.string() }),
  ),
  match: "code",
  shape: ({ name, lat, lon }) => ({ name, position: { latitude: lat, longitude: lon } }),
  asOf: "seen",
  attempts: 1,
});
const delays = source("delays", { get: json("https://d.test/{iata}", z.array(Delay)), attempts: 1 });
const page = view(Airports.page, {
  budget: "250ms",
  require: [a],
  fields: {
    name: prefer(b, a),
    position: latest(a, b),
    delays: union(delays).dedupeBy("flight").orderBy("-at").limit(2),
    note: prefer(a),
  },
});

const good: { readonly [source: string]: Scripted } = {
  a: { body: { name: "Love Field", lat: 1, lon: 2, seen: "2026-01-02" } },
  b: { type: "text/csv", body: "code,name,lat,lon,seen\nHOU,Hobby,9,9,2026-03-03\nDAL,Dallas Love,3,4,2026-01-01\n" },
  delays: {
    body: [
      { flight: "X1", minutes: 5, at: "2026-01-01T10:00:00Z" },
      { flight: "X1", minutes: 9, at: "2026-01-01T11:00:00Z" },
      { flight: "X2", minutes: 1, at: "2026-01-01T09:00:00Z" },
      { flight: "X3", minutes: 1, at: "2026-01-01T08:00:00Z" },
    ],
  },
};

function backend(script: (request: UpstreamRequest, count: number) => Scripted, views: readonly AnyView[] = [page]) {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock, script);
  const bound = provideViews(views, { upstream, dispatch: nobody, clock, random: () => 0.5, origins: {} });
  const ask = async (input: unknown, waitMs = 1_000, more = {}) => {
    const handle = bound.providers[0]?.handle;
    const reply = handle?.(input, toCall(more), input).then(
      (value) => ({ value: value as { output: any; meta: ViewMeta } }),
      (error: unknown) => ({ error }),
    );
    await clock.advance(waitMs);
    const settled = await reply;
    if (!settled) throw new Error("There is no provider.");
    if ("error" in settled) throw settled.error;
    return settled.value;
  };
  return { ask, upstream, clock, bound };
}
const by = (changes: { readonly [source: string]: Scripted } = {}) =>
  backend(({ source: name }) => changes[name] ?? good[name] ?? {});

describe("one honest answer", () => {
  test("every field comes from where its rule says, and the meta tells it", async () => {
    const { output, meta } = await by().ask({ iata: "DAL" });
    expect(output).toEqual({
      name: "Dallas Love",
      position: { latitude: 1, longitude: 2 },
      delays: [good.delays?.body as any].flat().slice(1, 3),
      note: null,
    });
    expect(meta.fields.name).toMatchObject({ state: "fresh", source: "b", rule: "prefer(b, a)", conflict: true });
    expect(meta.fields.position).toMatchObject({ source: "a", asOf: "2026-01-02T00:00:00.000Z" });
    expect(meta.fields.position?.rejected).toEqual([
      { source: "b", value: { latitude: 3, longitude: 4 }, why: "is older than a" },
    ]);
    expect(meta.fields.delays).toMatchObject({
      sources: ["delays"],
      rule: "union(delays).dedupeBy(flight).orderBy(-at).limit(2)",
    });
    expect(meta.fields.note).toMatchObject({
      state: "missing",
      rejected: [{ source: "a", why: "has no value for this field" }],
    });
    expect(meta.sources.b).toMatchObject({ state: "fresh", attempts: 1, ageMs: 0 });
  });

  test("what the contract does not declare is shown neither in the answer nor among the rejected", async () => {
    const { ask } = by({ b: { type: "text/csv", body: "code,name,lat,lon,seen\nDAL,D,3,4,2027-01-01\n" } });
    const { output, meta } = await ask({ iata: "DAL" });
    expect(JSON.stringify({ output, meta })).not.toContain("secret");
  });

  test.each<[string, Scripted, string]>([
    ["a 404", { status: 404 }, "missing"],
    ["no content", { status: 204 }, "missing"],
    ["an empty body", { type: "text/csv", body: "" }, "missing"],
    ["a batch without the key", { type: "text/csv", body: "code,name,lat,lon,seen\nHOU,H,1,2,x\n" }, "missing"],
    ["an HTML page", { type: "text/html", body: "<!doctype html>" }, "invalid"],
    ["an HTML page that calls itself CSV", { type: "text/csv", body: "<!doctype html>" }, "invalid"],
    ["broken quotes", { type: "text/csv", body: 'code,name,lat,lon,seen\nDAL,"D,3,4,x\n' }, "invalid"],
    [
      "a broken record that may be ours",
      { type: "text/csv", body: "code,name,lat,lon,seen\nDAL,D,north,4,x\n" },
      "invalid",
    ],
    ["a redirect", { status: 302 }, "invalid"],
    ["bytes that are not in the charset", { type: "text/csv; charset=klingon", body: "code\n" }, "invalid"],
    ["a 500", { status: 500 }, "down"],
    ["a 403", { status: 403 }, "down"],
    ["no answer within the budget", { afterMs: 60_000 }, "slow"],
  ])("%s costs the source its fields and not the answer: %s", async (_, script, state) => {
    const { ask } = by({ b: script });
    const { output, meta } = await ask({ iata: "DAL" });
    expect(output.name).toBe("Love Field");
    expect(meta.sources.b?.state).toBe(state);
    expect(meta.sources.b?.problem).toMatch(/^The source "b" .+\.$/);
    expect(meta.fields.name?.rejected).toEqual([{ source: "b", why: state }]);
  });

  test("a record is found by its key, wherever it stands; a second one with the key is reported", async () => {
    const rows = ["DAL,Old,3,4,2020-01-01", "HOU,Hobby,9,9,2026-03-03", "DAL,New,3,4,2026-01-01"];
    const answers = [];
    for (const order of [rows, [...rows].reverse()]) {
      const { ask } = by({ b: { type: "text/csv", body: `code,name,lat,lon,seen\n${order.join("\n")}\n` } });
      const { output, meta } = await ask({ iata: "DAL" });
      expect(meta.sources.b?.duplicates).toBe(1);
      answers.push(output.name);
    }
    expect(answers).toEqual(["New", "New"]);
  });

  test("the answer's bytes do not depend on who answers first", async () => {
    const delay = fc.integer({ min: 0, max: 249 });
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(delay, delay, delay, async (forA, forB, forDelays) => {
        const after: { [source: string]: number } = { a: forA, b: forB, delays: forDelays };
        const { ask } = backend(({ source: name }) => ({ ...good[name], afterMs: after[name] ?? 0 }));
        const { output, meta } = await ask({ iata: "DAL" });
        const rejected = Object.values(meta.fields).map(({ rejected }) => rejected);
        seen.add(JSON.stringify([output, rejected]));
      }),
      { numRuns: 60 },
    );
    expect(seen.size).toBe(1);
  });
});

test("a list of which not everything was read says so at its field", async () => {
  const Lists = contract("lists", "1.0.0", {
    get: query({ input: z.object({ iata: z.string() }), output: z.object({ delays: z.array(Delay).optional() }) }),
  });
  const all = json("https://all.test/{iata}", z.array(Delay));
  const listed = source("listed", { get: paged(all, { next: { page: "page" }, records: 3 }), attempts: 1 });
  const lists = view(Lists.get, { budget: "1s", fields: { delays: union(listed).limit(10) } });
  const { output, meta } = await backend(() => good.delays ?? {}, [lists]).ask({ iata: "DAL" });
  expect(output.delays).toHaveLength(3);
  expect(meta.fields.delays).toMatchObject({ state: "fresh", complete: false });
  expect(meta.sources.listed?.problem).toBe('The source "listed" has more than 3 records, and the rest was not read.');
});

describe("what is required", () => {
  test("a required source that is down makes the answer Unavailable, by name", async () => {
    const refused = await by({ a: { status: 503 } })
      .ask({ iata: "DAL" })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Fault);
    expect(refused).toMatchObject({ code: "Unavailable", outcome: "not done" });
    expect((refused as Fault).message).toContain('"a", which is down');
  });

  test("a required source that says it does not exist makes it the declared NotFound", async () => {
    const refused = await by({ a: { status: 404 } })
      .ask({ iata: "XXX" })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Failed);
    expect(refused).toMatchObject({ code: "NotFound", status: 404, operation: "airports.page" });
  });

  test("a fused answer that breaks the view's own contract is a fault with its issues", async () => {
    const Short = contract("short", "1.0.0", {
      page: query({ input: z.object({ iata: z.string() }), output: z.object({ name: z.string().max(3) }) }),
    });
    const short = view(Short.page, { budget: "1s", require: [a], fields: { name: prefer(a) } });
    const refused = await backend(() => good.a ?? {}, [short])
      .ask({ iata: "DAL" })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "InvalidOutput", issues: [{ path: "/name" }] });
  });
});

test("a value that cannot be normalised costs its field, says why, and is counted", async () => {
  const Phones = contract("phones", "1.0.0", {
    get: query({ input: z.object({ iata: z.string() }), output: z.object({ phone: z.string().optional() }) }),
  });
  const directory = source("directory", {
    get: json("https://p.test/{iata}", z.object({ phone: z.string() })),
    shape: ({ phone }) => ({ phone: phoneNumber({ country: "NO" })(phone) }),
  });
  const phones = view(Phones.get, { budget: "1s", fields: { phone: prefer(directory) } });
  const { ask, bound } = backend(
    ({ url }) => ({ body: { phone: url.pathname === "/OSL" ? "22864400" : "s3cret" } }),
    [phones],
  );
  expect((await ask({ iata: "OSL" })).output).toEqual({ phone: "+4722864400" });
  const { output, meta } = await ask({ iata: "BGO" });
  expect(output).toEqual({});
  expect(meta.fields.phone).toMatchObject({
    state: "invalid",
    rejected: [{ source: "directory", why: "is no phone number", unusable: true }],
  });
  expect(JSON.stringify(meta)).not.toContain("s3cret");
  expect(bound.views()).toMatchObject([{ answers: 2, unusable: { phone: 1 }, conflicts: {} }]);
});

describe("time", () => {
  test("a view answers when its budget ends, and what is still under way is aborted", async () => {
    const { ask, upstream, clock } = by({ b: { afterMs: 10_000 }, delays: { afterMs: 10_000 } });
    const { meta } = await ask({ iata: "DAL" }, 250);
    expect(meta.sources.b).toMatchObject({ state: "slow", ms: 250 });
    expect(meta.fields.delays).toMatchObject({ state: "slow" });
    expect(upstream.aborts).toBeGreaterThanOrEqual(2);
    expect(clock.timers).toBe(0);
  });

  test("the caller's deadline counts where it is nearer, and travels on as remaining time", async () => {
    const { ask, upstream, clock } = by({ b: { afterMs: 10_000 } });
    const { meta } = await ask({ iata: "DAL" }, 100, { deadline: clock.monotonic() + 100 });
    expect(meta.sources.b?.state).toBe("slow");
    expect(upstream.requests.map(({ remainingMs }) => remainingMs)).toEqual([100, 100, 100]);
  });

  test("nobody is asked when the time had run out before", async () => {
    const { ask, upstream, clock } = by();
    await expect(ask({ iata: "DAL" }, 0, { deadline: clock.monotonic() - 1 })).rejects.toMatchObject({
      code: "Unavailable",
    });
    expect(upstream.requests).toHaveLength(0);
  });

  test("a caller that goes away ends everything", async () => {
    const { ask, upstream, clock } = by({ a: { afterMs: 200 }, b: { afterMs: 200 }, delays: { afterMs: 200 } });
    const gone = new AbortController();
    clock.after(50, () => gone.abort());
    await expect(ask({ iata: "DAL" }, 60, { aborted: gone.signal })).rejects.toMatchObject({
      code: "DeadlineExceeded",
    });
    expect(upstream.aborts).toBe(3);
    expect(clock.timers).toBe(0);
  });
});

describe("rules on whole sources", () => {
  const Places = contract("places", "1.0.0", {
    place: query({
      input: z.object({ iata: z.string() }),
      output: z.object({ name: z.string(), latitude: z.number().optional(), longitude: z.number().optional() }),
    }),
  });
  const Part = z.object({
    name: z.string(),
    latitude: z.number().optional(),
    longitude: z.number().optional(),
    seen: z.string(),
  });
  const p = source("p", { get: json("https://p.test/{iata}", Part), asOf: "seen", attempts: 1 });
  const q = source("q", { get: json("https://q.test/{iata}", Part), asOf: "seen", attempts: 1 });
  const r = source("r", { get: json("https://r.test/{iata}", Part), asOf: "seen", attempts: 1 });
  const place = view(Places.place, {
    budget: "1s",
    fields: { name: majority(p, q, r).or("nameless"), ...linked(latest(p, q, r), "latitude", "longitude") },
  });

  test("linked fields come from one source, and a source that has them all goes before one that has some", async () => {
    const parts: { [name: string]: object } = {
      p: { name: "P", latitude: 1, seen: "2026-03-01" },
      q: { name: "Q", latitude: 2, longitude: 20, seen: "2026-02-01" },
      r: { name: "Q", longitude: 30, seen: "2026-04-01" },
    };
    const { ask } = backend(({ source: name }) => ({ body: parts[name] }), [place]);
    const { output, meta } = await ask({ iata: "DAL" });
    expect(output).toEqual({ name: "Q", latitude: 2, longitude: 20 });
    expect(meta.fields.latitude?.source).toBe("q");
    expect(meta.fields.longitude?.source).toBe("q");
    expect(meta.fields.latitude?.rejected).toContainEqual({ source: "p", why: "has only some of the linked fields" });
  });

  test("a default stands in, and says so", async () => {
    const { output, meta } = await backend(() => ({ status: 500 }), [place]).ask({ iata: "DAL" });
    expect(output).toEqual({ name: "nameless" });
    expect(meta.fields.name).toMatchObject({ state: "default", rule: "majority(p, q, r).or(…)" });
    expect(meta.fields.latitude).toMatchObject({ state: "down" });
  });
});

describe("another contract's query as a source", () => {
  const Names = contract("names", "1.0.0", {
    get: query({
      input: z.object({ iata: z.string() }),
      output: z.object({ name: z.string() }),
      failures: { NotFound: failure(404, "No.") },
    }),
  });
  const named = view(Names.get, {
    budget: "1s",
    require: [],
    fields: { name: prefer(source("names", { get: call(Names.get), attempts: 1 })).or("?") },
  });
  const asking = async (answer: () => Promise<any>) => {
    const clock = new ManualClock();
    const calls: unknown[][] = [];
    const dispatch = {
      ...nobody,
      call: (...given: unknown[]) => {
        calls.push(given);
        return answer();
      },
    };
    const upstream = new ScriptedUpstream(clock, () => ({}));
    const views = provideViews([named], { upstream, dispatch, clock, random: () => 0, origins: {} });
    const reply = views.providers[0]?.handle({ iata: "DAL", more: 1 }, toCall(), {});
    await clock.advance(2_000);
    return { reply: (await reply) as any, calls }; // a reply with an output
  };

  test("is asked through the dispatcher, with its own fields and a deadline that leaves time to fuse", async () => {
    const { reply, calls } = await asking(async () => ({ wire: { name: "D" }, value: { name: "D" } }));
    expect(reply.output).toEqual({ name: "D" });
    expect(calls[0]?.slice(0, 2)).toEqual(["names.get", { iata: "DAL" }]);
    expect(calls[0]?.[2]).toMatchObject({ deadline: 1_980 });
  });

  test.each([
    [new Failed("names.get", "NotFound", Names.get.failures.NotFound), "missing"],
    [new Fault("InvalidOutput", "x"), "invalid"],
    [new Fault("DeadlineExceeded", "x"), "slow"],
    [new Fault("Unavailable", "x"), "down"],
    [new Error("boom"), "down"],
  ])("%s is told as %s", async (error, state) => {
    const { reply } = await asking(() => Promise.reject(error));
    expect(reply.meta.sources.names.state).toBe(state);
    expect(reply.output).toEqual({ name: "?" });
  });
});

describe("what goes to the upstream", () => {
  const Named = contract("named", "1.0.0", {
    get: query({ input: z.object({ iata: z.string() }), output: z.object({ name: z.string().optional() }) }),
  });
  const asking = async (declared: ReturnType<typeof toSource>) => {
    const clock = new ManualClock();
    const upstream = new ScriptedUpstream(clock, () => ({ body: { name: "D" } }));
    const views = provideViews([view(Named.get, { budget: "1s", fields: { name: prefer(declared) } })], {
      ...{ upstream, dispatch: nobody, clock, random: () => 0, origins: {} },
      credentials: { mapped: "Bearer s3cret" },
    });
    const reply = views.providers[0]?.handle({ iata: "DAL" }, toCall(), {});
    await clock.advance(2_000);
    return { meta: ((await reply) as { meta: ViewMeta }).meta, requests: upstream.requests };
  };
  const toSource = (from: (input: { iata: string }) => { code: string }) =>
    source("mapped", {
      get: json("https://m.test/{code}", z.object({ name: z.string() })),
      from,
      headers: { "X-Tenant": "acme" },
      tokenIn: "X-Api-Key",
      attempts: 1,
    });

  test("is mapped from the view's words, with the headers of its own and the token where it wants it", async () => {
    const { requests, meta } = await asking(toSource(({ iata }) => ({ code: iata.toLowerCase() })));
    expect(requests[0]?.url.pathname).toBe("/dal");
    expect(requests[0]?.headers).toEqual({ accept: "application/json", "x-tenant": "acme", "x-api-key": "s3cret" });
    expect(meta.sources.mapped?.state).toBe("fresh");
  });

  test("is nothing where the mapping throws, and that costs the source its fields", async () => {
    const thrower = toSource(() => {
      throw new RangeError("DAL is not among them");
    });
    const { requests, meta } = await asking(thrower);
    expect(requests).toHaveLength(0);
    expect(meta.sources.mapped).toMatchObject({ state: "invalid", problem: expect.stringContaining("RangeError") });
  });

  test.each(["Authorization", "Cookie", "Host", "x y", "x\r\ny"])("cannot be the header %j", (name) => {
    const get = json("https://m.test/{code}", z.object({ name: z.string() }));
    expect(() => source("mapped", { get, headers: { [name]: "a" } })).toThrow("header");
  });
});

describe("what is bound wrongly is refused at the start", () => {
  const clock = new ManualClock();
  const ports = { upstream: new ScriptedUpstream(clock, () => ({})), dispatch: nobody, clock, random: () => 0 };
  test("an address for a source that is not there", () => {
    expect(() => provideViews([page], { ...ports, origins: { c: "http://x.test" } })).toThrow('name the source "c"');
  });
  test("an address that is none", () => {
    expect(() => provideViews([page], { ...ports, origins: { a: "x.test" } })).toThrow("must be like");
  });
  test("two sources of one name in two views", () => {
    const noted = source("noted", { get: json("https://n.test/{iata}", z.object({ note: z.string() })) });
    const other = source("a", { get: json("https://other.test/{iata}", z.object({ name: z.string() })) });
    const twin = view(Airports.page, {
      budget: "1s",
      require: [other],
      fields: { name: prefer(other), note: prefer(noted) },
    });
    expect(() => provideViews([page, twin], { ...ports, origins: {} })).toThrow('called "a"');
  });
  test("a view without a rule for what its contract requires; what may be absent needs none", () => {
    const { note: _, delays: __, ...fields } = page.scope.fields;
    const lacking: AnyView = { ...page, scope: { ...page.scope, fields } };
    expect(() => provideViews([lacking], { ...ports, origins: {} })).toThrow(
      'The view airports.page has no rule for "note", which its contract requires.',
    );
  });
  test("a batch that has two parameters to be matched with", () => {
    const rows = xml("https://x.test/{iata}/{icao}", "rows/row", z.object({ iata: z.string() }));
    expect(() => source("both", { batch: rows, match: "iata" })).toThrow("exactly one");
  });
});
