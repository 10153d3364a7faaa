import { describe, expect, test } from "vitest";
import { z } from "zod";
import { contract, query } from "../../contracts/index.ts";
import { provideViews } from "../host.ts";
import { type AnySource, json, paged, source, union, view } from "../index.ts";
import type { ViewMeta } from "../meta.ts";
import type { LastGood, LastGoodGone, LastGoodRecord } from "../port.ts";
import { ManualClock, nobody, type Scripted, ScriptedUpstream, toCall } from "../test-kit.test-d.ts";
import { LastGoodWriter } from "./last-good.ts";

/** What a process leaves behind for the next one. */
class Shelf implements LastGood {
  readonly records = new Map<string, LastGoodRecord>();
  saves = 0;
  removals = 0;
  refuses = false;
  async load(source: string, key: string) {
    if (this.refuses) throw new Error("It cannot be read.");
    return this.records.get(`${source} ${key}`);
  }
  async save(records: readonly LastGoodRecord[]) {
    if (this.refuses) throw new Error("It is full.");
    this.saves += 1;
    for (const record of records) this.records.set(`${record.source} ${record.key}`, record);
  }
  async remove(gone: readonly LastGoodGone[]) {
    if (this.refuses) throw new Error("It cannot be written.");
    this.removals += gone.length;
    for (const { source, key } of gone) this.records.delete(`${source} ${key}`);
  }
}

const Item = z.object({ id: z.int(), at: z.iso.date().transform((text) => new Date(text)) });
const Lists = contract("lists", "1.0.0", {
  get: query({
    input: z.object({ key: z.string() }),
    output: z.object({ items: z.array(z.object({ id: z.int(), year: z.int() })).optional() }),
  }),
});
const items = (schema = Item): AnySource =>
  source("items", {
    get: paged(json("https://s.test/{key}", z.object({ data: z.array(schema) })), {
      items: "data",
      next: { page: "page" },
      pages: 5,
    }),
    shape: (all) => all.map(({ id, at }) => ({ id, year: at.getUTCFullYear() })),
    staleIfError: "1h",
    attempts: 1,
    breaker: false,
  });

function process(clock: ManualClock, shelf: Shelf, script: (count: number) => Scripted, declared = items()) {
  const upstream = new ScriptedUpstream(clock, (_, count) => script(count));
  const rule = union(declared as ReturnType<typeof source<"items", "key", readonly { id: number; year: number }[]>>);
  const views = provideViews([view(Lists.get, { budget: "500ms", fields: { items: rule } } as any)], {
    // the source is any one, and its types are those of the view
    ...{ upstream, dispatch: nobody, clock, random: () => 0, origins: {}, lastGood: shelf },
  });
  const ask = async () => {
    const reply = views.providers[0]?.handle({ key: "k" }, toCall(), {});
    await clock.advance(500);
    const { output, meta } = (await reply) as { output: { items?: unknown }; meta: ViewMeta };
    return { items: output.items, ...meta.sources.items };
  };
  return { ask, views };
}
const pages = (count: number): Scripted => ({
  body: { data: count < 3 ? [{ id: count, at: `200${count}-01-01`, secret: "x" }] : [] },
});
const dead = (): Scripted => ({ status: 500 });
const hangs = (): Scripted => ({ afterMs: 60_000 });

describe("what an earlier process was told last", () => {
  test.each([
    ["down", dead],
    ["slow", hangs],
  ])("stands in, page by page, checked and shaped anew, where the source is %s", async (_, script) => {
    const clock = new ManualClock();
    const shelf = new Shelf();
    const first = process(clock, shelf, pages);
    expect(await first.ask()).toMatchObject({ state: "fresh", pages: 3 });
    await first.views.close();
    await clock.advance(60_000);
    const second = process(clock, shelf, script);
    const told = await second.ask();
    expect(told).toMatchObject({ state: "stale", cached: true });
    expect(told.items).toEqual([
      { id: 1, year: 2001 },
      { id: 2, year: 2002 },
    ]);
    expect(told.ageMs).toBeGreaterThanOrEqual(60_000);
    expect(clock.timers).toBe(0);
    expect(JSON.stringify([...shelf.records.values()])).not.toContain("secret");
  });

  test("does not come back once the upstream has said that there is nothing any more, in a process or after it", async () => {
    const clock = new ManualClock();
    const shelf = new Shelf();
    let script: (count: number) => Scripted = pages;
    const first = process(clock, shelf, (count) => script(count));
    await first.ask();
    await clock.advance(1_000);
    expect(shelf.records.size).toBe(1);
    script = () => ({ status: 404 });
    expect(await first.ask()).toMatchObject({ state: "missing" });
    expect(await first.ask()).toMatchObject({ state: "missing" });
    await first.views.close();
    expect(shelf.removals).toBe(1);
    expect(await process(clock, shelf, dead).ask()).toMatchObject({ state: "down", items: undefined });

    // What a process before it kept is taken away by one that never saw it.
    await process(clock, shelf, pages).ask();
    await clock.advance(1_000);
    const third = process(clock, shelf, () => ({ status: 404 }));
    await third.ask();
    await third.views.close();
    expect(await process(clock, shelf, dead).ask()).toMatchObject({ state: "down", items: undefined });
  });

  test("is kept anew when it is there again", async () => {
    const clock = new ManualClock();
    const shelf = new Shelf();
    let script: (count: number) => Scripted = () => ({ status: 404 });
    const first = process(clock, shelf, (count) => script(count));
    await first.ask();
    let count = 0;
    script = () => pages(++count);
    await first.ask();
    await first.views.close();
    expect(await process(clock, shelf, dead).ask()).toMatchObject({ state: "stale" });
  });

  test("is as good as nothing where it no longer fits the schema", async () => {
    const clock = new ManualClock();
    const shelf = new Shelf();
    const first = process(clock, shelf, pages);
    await first.ask();
    await first.views.close();
    const stricter = items(Item.extend({ id: z.int().min(100) }));
    expect(await process(clock, shelf, dead, stricter).ask()).toMatchObject({ state: "down", items: undefined });
  });

  test("is written behind the answers, and not with every one", async () => {
    const clock = new ManualClock();
    const shelf = new Shelf();
    const { ask } = process(clock, shelf, (count) => pages(((count - 1) % 3) + 1));
    expect((await ask()).state).toBe("fresh");
    expect(shelf.saves).toBe(0);
    for (let count = 0; count < 100; count++) await ask();
    expect(shelf.saves).toBe(1);
    await clock.advance(60_000);
    await ask();
    await clock.advance(2_000);
    expect(shelf.saves).toBe(2);
  });

  test("costs nobody an answer where it cannot be written or read", async () => {
    const clock = new ManualClock();
    const shelf = new Shelf();
    shelf.refuses = true;
    const { ask, views } = process(clock, shelf, pages);
    expect((await ask()).state).toBe("fresh");
    await views.close();
    expect((await process(clock, shelf, dead).ask()).state).toBe("down");
  });
});

test("what waits to be written is bounded, and the newest of a question wins", async () => {
  const clock = new ManualClock();
  const shelf = new Shelf();
  const writer = new LastGoodWriter(shelf, clock);
  for (let at = 0; at < 6_000; at++) writer.keep("s", String(at), () => [at], at, 10_000);
  expect(writer.keep("s", "0", () => ["newer"], 1, 10_000)).toBe(true);
  expect(writer.keep("t", "large", () => ["x".repeat(300_000)], 1, 10_000)).toBe(false);
  expect(writer.keep("t", "no JSON", () => [10n], 1, 10_000)).toBe(false);
  await clock.advance(1_000);
  await writer.flush();
  expect(shelf.records.size).toBe(5_000);
  expect(shelf.saves).toBe(50);
  expect(writer.lost).toBe(1_000);
  expect(shelf.records.get("s 0")?.said).toBe('["newer"]');
  expect(clock.timers).toBe(0);
});
