import { describe, expect, test } from "vitest";
import { z } from "zod";
import { contract, query } from "../contracts/index.ts";
import { provideViews } from "./host.ts";
import { type CustomContext, custom, json, prefer, source, UpstreamProblem, view } from "./index.ts";
import type { ViewMeta } from "./meta.ts";
import { ManualClock, nobody, ScriptedUpstream, toCall } from "./test-kit.test-d.ts";

const Tides = contract("tides", "1.0.0", {
  page: query({
    input: z.object({ harbour: z.string(), day: z.int().optional() }),
    output: z.object({ high: z.string().optional() }),
    access: "tides:read",
  }),
  open: query({
    input: z.object({ harbour: z.string() }),
    output: z.object({ high: z.string().optional() }),
    access: "public",
  }),
});
const Tide = z.object({ high: z.string() });

function asking(answer: (context: CustomContext, given: object) => Promise<unknown>, more: object = {}) {
  const clock = new ManualClock();
  const told: { readonly given: object; readonly context: CustomContext }[] = [];
  const get = custom(["harbour"], Tide, (given, context) => {
    told.push({ given, context });
    return answer(context, given);
  });
  const tide = source("tide", { get, attempts: 1, ...more });
  const views = provideViews(
    [
      view(Tides.page, { budget: "1s", fields: { high: prefer(tide) } }),
      view(Tides.open, { budget: "1s", fields: { high: prefer(tide) } }),
    ],
    {
      upstream: new ScriptedUpstream(clock, () => ({})),
      dispatch: nobody,
      clock,
      random: () => 0,
      origins: { tide: "https://tides.test" },
      credentials: { tide: "Bearer s3cret" },
    },
  );
  const ask = async (which = 0, input: object = { harbour: "Oslo", day: 3 }) => {
    const reply = views.providers[which]?.handle(input, toCall(), input);
    await clock.advance(2_000);
    const { output, meta } = (await reply) as { output: { high?: string }; meta: ViewMeta };
    return { high: output.high, ...meta.sources.tide };
  };
  return { ask, told, views, clock };
}

describe("an adapter of one's own", () => {
  test("is told what it named, until when, and with what", async () => {
    const { ask, told } = asking(async () => ({ high: "12:10" }));
    expect(await ask()).toMatchObject({ high: "12:10", state: "fresh", attempts: 1 });
    expect(told[0]?.given).toEqual({ harbour: "Oslo" });
    expect(told[0]?.context).toMatchObject({
      keys: ["Oslo"],
      remainingMs: 1_000,
      origin: "https://tides.test",
      credentials: "Bearer s3cret",
    });
  });

  test.each<[string, () => Promise<unknown>, string, string]>([
    ["brings nothing", async () => undefined, "missing", "has nothing for this"],
    ["breaks its contract", async () => ({ high: 12 }), "invalid", "breaks its contract: /high"],
    ["throws what says what is wrong", () => thrown(new UpstreamProblem("interrupted", "hung up")), "down", "hung up"],
    ["throws what it cannot take", () => thrown(new UpstreamProblem("unreadable", "mumbled")), "invalid", "mumbled"],
    ["throws anything else", () => thrown(new Error("s3cret at 10.0.0.1")), "down", "cannot be reached"],
    ["never comes back", () => new Promise(() => {}), "slow", "within the budget"],
  ])("that %s costs its fields, as %s", async (_, answer, state, problem) => {
    const { ask, views, clock } = asking(answer);
    const reading = await ask();
    expect(reading).toMatchObject({ state, problem: expect.stringContaining(problem) });
    expect(JSON.stringify([reading, views.sources()])).not.toContain("s3cret");
    expect(clock.timers).toBe(0);
  });

  test("that throws before it returns a promise is down as well", async () => {
    const { ask } = asking(() => {
      throw new TypeError("at once");
    });
    expect(await ask()).toMatchObject({ state: "down" });
  });

  test("is aborted when nobody waits any more", async () => {
    const { ask, told } = asking(() => new Promise(() => {}));
    await ask();
    expect(told[0]?.context.aborted.aborted).toBe(true);
  });

  test("is cached, shared and left alone like any other", async () => {
    let count = 0;
    const { ask, views } = asking(async () => ({ high: String(++count) }), { cacheFor: "1m" });
    expect((await ask()).high).toBe("1");
    expect(await ask()).toMatchObject({ high: "1", cached: true });
    expect(views.sources()[0]).toMatchObject({ cache: { hits: 1, misses: 1 }, requests: 1 });
  });
});

test("what was asked for under one access is never shown under another", async () => {
  let count = 0;
  const { ask } = asking(async () => ({ high: String(++count) }), { cacheFor: "1h", staleIfError: "1h" });
  expect((await ask(0)).high).toBe("1");
  expect(await ask(1)).toMatchObject({ high: "2", attempts: 1 });
  expect((await ask(0)).high).toBe("1");
  expect((await ask(1)).high).toBe("2");
});

test("conflicts are counted by view and field", async () => {
  const clock = new ManualClock();
  const [a, b] = ["a", "b"].map((name) => source(name, { get: json(`https://${name}.test/{harbour}`, Tide) }));
  if (!a || !b) throw new Error("There are two.");
  const upstream = new ScriptedUpstream(clock, ({ source: name }) => ({ body: { high: name } }));
  const views = provideViews([view(Tides.open, { budget: "1s", fields: { high: prefer(a, b) } })], {
    ...{ upstream, dispatch: nobody, clock, random: () => 0, origins: {} },
  });
  const reply = views.providers[0]?.handle({ harbour: "Oslo" }, toCall(), {});
  await clock.advance(10);
  await reply;
  expect(views.views()).toMatchObject([{ view: "tides.open", answers: 1, conflicts: { high: 1 }, unusable: {} }]);
});

const thrown = (error: Error): Promise<never> => Promise.reject(error);
