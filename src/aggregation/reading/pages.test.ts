import { describe, expect, test } from "vitest";
import { z } from "zod";
import { silent } from "../../contracts/index.ts";
import { type AnySource, json, ndjson, type Paging, paged, source } from "../index.ts";
import type { UpstreamRequest } from "../port.ts";
import { ManualClock, nobody, type Scripted, ScriptedUpstream, toCall } from "../test-kit.test-d.ts";
import { Cache } from "./cache.ts";
import { Patience } from "./patience.ts";
import { Reader } from "./reader.ts";

const Item = z.object({ id: z.int() });
const Page = z.object({ data: z.array(Item), meta: z.object({ next: z.string().nullable() }).optional() });
const ids = (from: number, count: number) => Array.from({ length: count }, (_, at) => ({ id: from + at }));
const wrapped = (how: Paging) =>
  source("s", { get: paged(json("https://s.test/items?of={key}", Page), { ...how, items: "data" }), attempts: 1 });

function reading(declared: AnySource, script: (request: UpstreamRequest, count: number) => Scripted) {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock, script);
  const cache = new Cache(1_000, 1_000_000);
  const reader = new Reader(declared.plan, { upstream, dispatch: nobody, clock, random: () => 0.5, cache });
  const read = async (budgetMs = 1_000) => {
    const answer = reader.read({
      input: { key: "k" },
      principal: toCall().principal,
      scope: "public",
      span: silent,
      patience: new Patience(clock, clock.monotonic() + budgetMs),
    });
    await clock.advance(budgetMs);
    return answer;
  };
  const asked = () => upstream.requests.map(({ url }) => url.search);
  return { read, asked, upstream, reader, clock };
}

describe("a list in pages is one list", () => {
  test("by the Link header", async () => {
    const declared = source("s", {
      get: paged(json("https://s.test/items?of={key}", z.array(Item)), { next: "link" }),
    });
    const link = '<https://s.test/items?p=0>; rel="prev", </items?p=2>; title="a, b; c"; rel="last next"';
    const { read, asked } = reading(declared, (_, count) =>
      count === 1 ? { body: ids(0, 2), headers: { link } } : { body: ids(2, 1) },
    );
    expect(await read()).toMatchObject({ value: ids(0, 3), meta: { state: "fresh", pages: 2, attempts: 2 } });
    expect(asked()).toEqual(["?of=k", "?p=2"]);
  });

  test("by a cursor in the body", async () => {
    const { read, asked } = reading(wrapped({ next: { cursor: "meta.next", as: "after" } }), (_, count) => ({
      body: { data: ids(count * 2 - 2, 2), meta: { next: count < 3 ? `c&${count}` : null } },
    }));
    expect((await read()).value).toEqual(ids(0, 6));
    expect(asked()).toEqual(["?of=k", "?of=k&after=c%261", "?of=k&after=c%262"]);
  });

  test("by an address in the body", async () => {
    const { read, asked } = reading(wrapped({ next: { url: "meta.next" } }), (_, count) => ({
      body: { data: ids(count - 1, 1), meta: { next: count < 2 ? "?of=k&page=b" : null } },
    }));
    expect((await read()).value).toEqual(ids(0, 2));
    expect(asked()).toEqual(["?of=k", "?of=k&page=b"]);
  });

  test("by counting pages, until one is empty or is not there", async () => {
    const counted = reading(wrapped({ next: { page: "page" } }), (_, count) => ({
      body: { data: count < 3 ? ids(count - 1, 1) : [] },
    }));
    expect((await counted.read()).value).toEqual(ids(0, 2));
    expect(counted.asked()).toEqual(["?of=k", "?of=k&page=2", "?of=k&page=3"]);
    const ends = reading(wrapped({ next: { page: "page", from: 0 } }), (_, count) =>
      count < 3 ? { body: { data: ids(count - 1, 1) } } : { status: 404 },
    );
    expect(await ends.read()).toMatchObject({ value: ids(0, 2), meta: { state: "fresh", pages: 2 } });
    expect(ends.asked()[1]).toBe("?of=k&page=1");
  });

  test("by an offset, until a page is short, line by line as well", async () => {
    const lines = ndjson("https://s.test/items?of={key}&limit=2", Item);
    const declared = source("s", { get: paged(lines, { next: { offset: "offset", size: 2 } }) });
    const { read, asked } = reading(declared, (_, count) => ({
      type: "application/x-ndjson",
      body: ids(count * 2 - 2, count < 3 ? 2 : 1)
        .map((item) => JSON.stringify(item))
        .join("\n"),
    }));
    expect((await read()).value).toEqual(ids(0, 5));
    expect(asked()).toEqual(["?of=k&limit=2", "?of=k&limit=2&offset=2", "?of=k&limit=2&offset=4"]);
  });

  test("each page is asked for again by itself where that may help", async () => {
    const declared = source("s", {
      get: paged(json("https://s.test/items?of={key}", Page), { next: { page: "page" }, items: "data" }),
    });
    const { read, asked } = reading(declared, (_, count) => {
      if (count === 2) return { status: 503 };
      return { body: { data: count < 3 ? ids(0, 1) : [] } };
    });
    expect((await read()).meta).toMatchObject({ state: "fresh", attempts: 3, pages: 2 });
    expect(asked()).toEqual(["?of=k", "?of=k&page=2", "?of=k&page=2"]);
  });
});

describe("what was not read is said", () => {
  const endless = (how: Partial<Paging>) =>
    reading(wrapped({ next: { page: "page" }, ...how }), (_, count) => ({ body: { data: ids(count * 3, 3) } }));

  test("beyond its most pages", async () => {
    const { read, reader } = endless({ pages: 2 });
    const { value, meta } = await read();
    expect(value).toHaveLength(6);
    expect(meta).toMatchObject({ state: "fresh", complete: false, pages: 2 });
    expect(meta.problem).toBe('The source "s" was read no further than page 2, and there may be more.');
    expect(reader.health().incomplete).toBe(1);
  });

  test("beyond its most records", async () => {
    const { value, meta } = await endless({ records: 4 }).read();
    expect(value).toHaveLength(4);
    expect(meta).toMatchObject({ complete: false, problem: expect.stringContaining("more than 4 records") });
  });

  const halfway: readonly [string, Scripted, string][] = [
    ["fails", { status: 500 }, "down"],
    ["breaks its contract", { body: { data: [{ id: "x" }] } }, "invalid"],
    ["does not come", { afterMs: 60_000 }, "slow"],
  ];
  test.each(halfway)("a list of which a later page %s is no list", async (_, script, state) => {
    const { read } = reading(wrapped({ next: { page: "page" } }), (_request, count) =>
      count === 1 ? { body: { data: ids(0, 2) } } : script,
    );
    const { value, meta } = await read();
    expect(value).toBeUndefined();
    expect(meta.state).toBe(state);
  });

  test("with `partial` it is what was read, and is not kept", async () => {
    const how = { next: { page: "page" }, partial: true, items: "data" } as const;
    const declared = source("s", {
      get: paged(json("https://s.test/items?of={key}", Page), how),
      attempts: 1,
      cacheFor: "1m",
    });
    const { read, upstream } = reading(declared, (_, count) =>
      count % 2 === 1 ? { body: { data: ids(0, 2) } } : { status: 500 },
    );
    const { value, meta } = await read();
    expect(value).toEqual(ids(0, 2));
    expect(meta).toMatchObject({
      state: "fresh",
      complete: false,
      problem: 'The source "s" answered 500 on page 2, and the rest was not read.',
    });
    await read();
    expect(upstream.requests).toHaveLength(4);
  });
});

test.each<[string, string]>([
  ["another origin", "https://evil.test/items?p=2"],
  ["another scheme", "http://s.test/items?p=2"],
  ["itself", "https://s.test/items?of=k"],
  ["nowhere", "http://["],
])("a next page that leads to %s is followed nowhere", async (_, next) => {
  const { read, upstream } = reading(wrapped({ next: { url: "meta.next" } }), () => ({
    body: { data: ids(0, 1), meta: { next } },
  }));
  expect((await read()).meta.state).toBe("invalid");
  expect(upstream.requests).toHaveLength(1);
});

test.each<[string, () => unknown, string]>([
  ["no pages", () => wrapped({ next: "link", pages: 0 }), "above 0"],
  ["an offset that stands still", () => wrapped({ next: { offset: "o", size: 0 } }), "size of a page"],
])("refused when it is declared: %s", (_, declare, sentence) => expect(declare).toThrow(sentence));
