import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Attributes, contract, query, type Span, silent } from "../contracts/index.ts";
import { provideViews } from "./host.ts";
import { type AnySource, custom, json, paged, prefer, sending, source, type ViewMeta, view } from "./index.ts";
import { ManualClock, nobody, type Scripted, ScriptedUpstream, toCall } from "./test-kit.test-d.ts";

const Cities = contract("cities", "1.0.0", {
  page: query({
    input: z.object({ city: z.string().optional(), lang: z.string().optional(), most: z.int().optional() }),
    output: z.object({ name: z.string().optional() }),
  }),
});
const Named = z.object({ name: z.string() });
const Rows = z.array(z.object({ id: z.string(), name: z.string() }));

function open(one: AnySource, script: (url: URL, count: number) => Scripted = () => ({ body: { name: "Oslo" } })) {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock, ({ url }, count) => script(url, count));
  const page = view(Cities.page, { budget: "1s", fields: { name: prefer(one as ReturnType<typeof named>) } });
  const views = provideViews([page], {
    ...{ upstream, dispatch: nobody, clock, random: () => 0.5, origins: {} },
    credentials: { s: "Bearer s3cr=t/x" },
  });
  const ask = async (input: object, trace: Span = silent) => {
    const reply = views.providers[0]?.handle(input, toCall({ trace }), input);
    await clock.advance(1_100);
    return (await reply) as { readonly output: { readonly name?: string }; readonly meta: ViewMeta };
  };
  return { ask, upstream, views };
}
const named = () => source("s", { get: json("https://s.test/{city}", Named) });

describe("a part of the query that is not given", () => {
  const optional = source("s", { get: json("https://s.test/{city}?x=1&lang={lang}&most={most}", Named) });
  test.each([
    [{ city: "oslo", lang: "no", most: 3 }, "https://s.test/oslo?x=1&lang=no&most=3"],
    [{ city: "oslo", most: 0 }, "https://s.test/oslo?x=1&most=0"],
    [{ city: "oslo", lang: "" }, "https://s.test/oslo?x=1"],
  ])("is left out: %j", async (input, address) => {
    const { ask, upstream } = open(optional);
    expect((await ask(input)).output).toEqual({ name: "Oslo" });
    expect(upstream.requests.map(({ url }) => url.href.replace(/\?$/, ""))).toEqual([address]);
  });

  test("is needed where it is part of the path, or where nothing else is given either", async () => {
    const { ask, upstream } = open(optional);
    expect((await ask({ lang: "no" })).meta.sources.s).toMatchObject({ state: "missing" });
    const all = open(source("s", { get: json("https://s.test/?city={city}&lang={lang}", Named) }));
    expect((await all.ask({})).meta.sources.s?.problem).toBe('The source "s" needs "city", which was not given.');
    expect([...upstream.requests, ...all.upstream.requests]).toEqual([]);
    expect((await all.ask({ lang: "no" })).output).toEqual({ name: "Oslo" });
  });

  test("makes another question, which is cached for itself", async () => {
    const { ask, upstream } = open(
      source("s", { get: json("https://s.test/{city}?lang={lang}", Named), cacheFor: "1m" }),
    );
    for (const input of [{ city: "oslo" }, { city: "oslo", lang: "no" }, { city: "oslo" }]) await ask(input);
    expect(upstream.requests.map(({ url }) => url.search)).toEqual(["", "?lang=no"]);
  });
});

describe("a body", () => {
  const graphql = (more: { readonly idempotent?: boolean } = {}) =>
    sending(json("https://s.test/graphql", z.object({ data: z.object({ city: Named }) })), {
      body: {
        query: "query ($id: ID!, $most: Int) { city(id: $id, most: $most) { name } }",
        variables: { id: "{city}", most: "{most}", list: ["{lang}", "fixed"] },
      },
      ...more,
    });
  const body = { data: { city: { name: "Oslo" } } };

  test("is JSON, with the parameters as they are, and without those that are not given", async () => {
    const one = source("s", { get: graphql(), shape: ({ data }) => data.city });
    const { ask, upstream } = open(one, () => ({ body }));
    expect((await ask({ city: 'o"s', most: 3 })).output).toEqual({ name: "Oslo" });
    const [request] = upstream.requests;
    expect(request).toMatchObject({ method: "POST", headers: { "content-type": "application/json" } });
    expect(JSON.parse(request?.body ?? "")).toEqual({
      query: "query ($id: ID!, $most: Int) { city(id: $id, most: $most) { name } }",
      variables: { id: 'o"s', most: 3, list: ["fixed"] },
    });
    expect((await ask({})).meta.sources.s).toMatchObject({ state: "missing" });
    expect(upstream.requests).toHaveLength(1);
  });

  test("is sent once, unless it says that sending it twice changes nothing", async () => {
    const failing = (): Scripted => ({ status: 503 });
    const once = open(source("s", { get: graphql(), shape: ({ data }) => data.city }), failing);
    expect((await once.ask({ city: "oslo" })).meta.sources.s).toMatchObject({ state: "down", attempts: 1 });
    const twice = open(
      source("s", { get: graphql({ idempotent: true }), shape: ({ data }) => data.city, hedge: "10ms" }),
      (_, count) => (count === 1 ? { afterMs: 100, body } : { body }),
    );
    expect((await twice.ask({ city: "oslo" })).output).toEqual({ name: "Oslo" });
    expect(twice.upstream.requests).toHaveLength(2);
    for (const more of [{ attempts: 2 }, { hedge: "p95" }] as const)
      expect(() => source("s", { get: graphql(), ...more })).toThrow("give sending() `idempotent: true`");
    expect(source("s", { get: graphql(), attempts: 1 }).plan.attempts).toBe(1);
  });

  test("of a batch has the list of its keys", async () => {
    const one = source("s", {
      batch: sending(json("https://s.test/search", Rows), { body: { ids: "{city}", size: 100 } }),
      match: "id",
    });
    const { ask, upstream } = open(one, () => ({
      body: [
        { id: "b", name: "B" },
        { id: "a", name: "A" },
      ],
    }));
    const replies = await Promise.all([ask({ city: "a" }), ask({ city: "b" })]);
    expect(replies.map(({ output }) => output.name)).toEqual(["A", "B"]);
    expect(upstream.requests.map(({ body }) => JSON.parse(body ?? ""))).toEqual([{ ids: ["a", "b"], size: 100 }]);
  });

  test("goes to every page of a list", async () => {
    const one = source("s", {
      batch: paged(
        sending(json("https://s.test/search", z.object({ rows: Rows, next: z.string().nullable() })), {
          body: { id: "{city}" },
        }),
        { items: "rows", next: { cursor: "next", as: "after" } },
      ),
      match: "id",
      batchSize: 1,
    });
    const { ask, upstream } = open(one, (url) => ({
      body: { rows: url.search ? [{ id: "oslo", name: "Oslo" }] : [], next: url.search ? null : "2" },
    }));
    expect((await ask({ city: "oslo" })).output).toEqual({ name: "Oslo" });
    expect(upstream.requests.map(({ method, url, body }) => [method, url.search, body])).toEqual([
      ["POST", "", '{"id":["oslo"]}'],
      ["POST", "?after=2", '{"id":["oslo"]}'],
    ]);
  });
});

describe("a header with a parameter", () => {
  const one = source("s", {
    get: sending(json("https://s.test/{city}", Named), { headers: { "Accept-Language": "{lang}, en;q=0.5" } }),
    cacheFor: "1m",
  });
  test("is filled in, is part of the question, and is left out where it is not given", async () => {
    const { ask, upstream } = open(one);
    for (const input of [{ city: "oslo", lang: "no" }, { city: "oslo" }, { city: "oslo", lang: "no" }])
      await ask(input);
    expect(upstream.requests.map(({ headers }) => headers["accept-language"])).toEqual(["no, en;q=0.5", undefined]);
  });

  test("carries nothing that is no header", async () => {
    const { ask, upstream } = open(one);
    for (const lang of ["no\r\nx-admin: 1", "\u4e2d\u6587", "\0"])
      expect((await ask({ city: "oslo", lang })).meta.sources.s?.state).toBe("missing");
    expect(upstream.requests).toEqual([]);
  });
});

describe("a token in the query", () => {
  const one = source("s", { get: json("https://s.test/{city}?list=a,b", Named), tokenIn: "?api_key", attempts: 1 });
  test("travels with every request, and leaves the rest of the address as it is", async () => {
    const { ask, upstream } = open(one);
    await ask({ city: "oslo" });
    expect(upstream.requests.map(({ url }) => url.href)).toEqual(["https://s.test/oslo?list=a,b&api_key=s3cr%3Dt%2Fx"]);
    expect(upstream.requests[0]?.headers).toEqual({ accept: "application/json" });
  });

  test("goes to further pages, whatever their addresses say of it", async () => {
    const Page = z.object({ data: z.array(Named), next: z.string().optional() });
    const pages = paged(json("https://s.test/{city}", Page), { items: "data", next: { url: "next" } });
    const all = source("s", { get: pages, shape: ([first]) => ({ name: first?.name }), tokenIn: "?api_key" });
    const { ask, upstream } = open(all, (url) => ({
      body: { data: [{ name: "Oslo" }], ...(url.pathname === "/oslo" && { next: "/two?api_key=[hidden]&x=1" }) },
    }));
    await ask({ city: "oslo" });
    expect(upstream.requests.map(({ url }) => url.searchParams.get("api_key"))).toEqual(["s3cr=t/x", "s3cr=t/x"]);
  });

  test("is told nowhere: not in an answer, a trace, a problem, or a sample that repeats the address", async () => {
    const spans: unknown[] = [];
    const traced: Span = {
      ...silent,
      set: (attributes: Attributes) => void spans.push(attributes),
      span: (kind, name, attributes, work) => {
        spans.push([kind, name, attributes]);
        return work(traced);
      },
    };
    const { ask, views } = open(one, (url) => ({ body: { link: url.href, key: url.searchParams.get("api_key") } }));
    const reply = await ask({ city: "oslo" }, traced);
    expect(reply.meta.sources.s?.state).toBe("invalid");
    const told = JSON.stringify([reply, spans, views.sources()]);
    expect(told).toContain("[secret]");
    for (const secret of ["s3cr=t/x", "s3cr%3Dt%2Fx", "s3cr"]) expect(told).not.toContain(secret);
  });
});

describe("what cannot be meant is refused when it is declared", () => {
  test.each([
    ["a GET with a body", () => sending(json("https://s.test/", Named), { method: "GET", body: {} }), "a GET has none"],
    ["a secret header", () => sending(json("https://s.test/", Named), { headers: { Cookie: "a" } }), "in the code"],
    [
      "a header that is none",
      () => sending(json("https://s.test/", Named), { headers: { "a b": "a" } }),
      "cannot send",
    ],
    [
      "an adapter of one's own",
      () =>
        sending(
          custom(["city"], Named, async () => ({})),
          {},
        ),
      "over HTTP",
    ],
    ["a token in no place", () => source("s", { get: json("https://s.test/", Named), tokenIn: "?a&b" }), "?api_key"],
  ])("%s", (_, declare, sentence) => expect(declare).toThrow(sentence));
});
