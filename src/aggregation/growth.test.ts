import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type Call,
  contract,
  failure,
  type Part,
  query,
  type Reply,
  toJsonSchema,
  toSelection,
} from "../contracts/index.ts";
import { provideViews } from "./host.ts";
import { json, latest, nested, prefer, source, union, view } from "./index.ts";
import { ManualClock, nobody, type Scripted, ScriptedUpstream, toCall } from "./test-kit.test-d.ts";

const Delay = z.object({ flight: z.string(), minutes: z.int() });
const Airports = contract("airports", "1.0.0", {
  page: query({
    input: z.object({ iata: z.string() }),
    output: z.object({
      name: z.string(),
      height: z.number().optional(),
      delays: z.array(Delay).optional(),
      remark: z.string(),
    }),
    failures: { NotFound: failure(404, "No such airport.") },
  }),
});
const Registry = z.object({ name: z.string(), height: z.number(), seen: z.iso.date(), remark: z.string().optional() });
const main = source("main", { get: json("https://main.test/{iata}", Registry), asOf: "seen", attempts: 1 });
const other = source("other", { get: json("https://other.test/{iata}", Registry), asOf: "seen", attempts: 1 });
const board = source("board", { get: json("https://board.test/{iata}", z.array(Delay)), attempts: 1 });
const page = view(Airports.page, {
  budget: "250ms",
  require: [main],
  fields: {
    name: prefer(other, main),
    height: latest(main, other),
    delays: union(board).orderBy("-minutes"),
    remark: prefer(other).or("none"),
  },
});
const bodies: { readonly [source: string]: unknown } = {
  main: { name: "Love Field", height: 1, seen: "2026-01-01" },
  other: { name: "Dallas Love", height: 2, seen: "2026-02-02", remark: "closed" },
  board: [
    { flight: "a", minutes: 1 },
    { flight: "b", minutes: 9 },
  ],
};

function open(scripts: { readonly [source: string]: Scripted }) {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock, ({ source }) => ({ body: bodies[source], ...scripts[source] }));
  const { providers } = provideViews([page], { upstream, dispatch: nobody, clock, random: () => 0.5, origins: {} });
  const ask = (more: Partial<Call>): Promise<Reply> =>
    providers[0]?.handle({ iata: "DAL" }, toCall(more), { iata: "DAL" }) as Promise<Reply>; // there is one view
  return { clock, upstream, ask };
}

describe("an answer that grows", () => {
  test("shows what there is as soon as what is required is there, and never a default that may still go", async () => {
    const { clock, ask } = open({ other: { afterMs: 20 }, main: { afterMs: 10 }, board: { afterMs: 5 } });
    const parts: Part[] = [];
    const reply = ask({ onPart: (part) => parts.push(part) });
    await clock.advance(7);
    expect(parts).toEqual([]);
    await clock.advance(5);
    expect(parts).toEqual([
      {
        wire: {
          name: "Love Field",
          height: 1,
          delays: [
            { flight: "b", minutes: 9 },
            { flight: "a", minutes: 1 },
          ],
        },
        pending: ["other"],
      },
    ]);
    await clock.advance(20);
    expect((await reply) as { output: unknown }).toMatchObject({ output: { name: "Dallas Love", remark: "closed" } });
    expect(parts).toHaveLength(1);
  });

  test("tells nothing of an answer that becomes a failure", async () => {
    const { clock, ask } = open({ main: { afterMs: 10, status: 404 } });
    const parts: Part[] = [];
    const reply = ask({ onPart: (part) => parts.push(part) });
    const failed = expect(reply).rejects.toMatchObject({ code: "NotFound" });
    await clock.advance(20);
    await failed;
    expect(parts).toEqual([]);
  });

  test("ends as it would have without growing, in every order and with whatever fails", async () => {
    const script = fc.record({ afterMs: fc.nat(300), status: fc.constantFrom(200, 200, 200, 404, 500) });
    const scripts = fc.record({ main: script, other: script, board: script });
    await fc.assert(
      fc.asyncProperty(scripts, async (given) => {
        const outcomes = [];
        const parts: Part[] = [];
        for (const more of [{}, { onPart: (part: Part) => parts.push(part) }]) {
          const { clock, ask } = open(given);
          const reply = ask(more).then(
            (done) => ("output" in done ? done.output : undefined),
            ({ code }) => code,
          );
          await clock.advance(400);
          outcomes.push(JSON.stringify(await reply));
        }
        expect(outcomes[0]).toBe(outcomes[1]);
        for (const { pending } of parts) expect(pending.length).toBeGreaterThan(0);
        expect(parts.length).toBeLessThan(3);
        if (!outcomes[0]?.startsWith("{")) expect(parts).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe("an answer of some fields", () => {
  const wanted = (...paths: string[]) => toSelection(toJsonSchema(Airports.page.output), paths);
  test("asks only the sources that these fields need, and requires no others", async () => {
    const { clock, upstream, ask } = open({ main: { status: 500 } });
    const reply = ask({ fields: wanted("delays.flight") });
    await clock.advance(10);
    const answer = (await reply) as { output: unknown; only: unknown; meta: { sources: object; fields: object } };
    expect(answer.output).toEqual({
      delays: [
        { flight: "b", minutes: 9 },
        { flight: "a", minutes: 1 },
      ],
    });
    expect(answer.only).toEqual({ delays: { flight: {} } });
    expect(Object.keys(answer.meta.sources)).toEqual(["board"]);
    expect(Object.keys(answer.meta.fields)).toEqual(["delays"]);
    expect(upstream.requests.map((request) => request.source)).toEqual(["board"]);
  });

  test("fails where a required source that they need does", async () => {
    const { clock, ask } = open({ main: { status: 500 } });
    const failed = expect(ask({ fields: wanted("height") })).rejects.toMatchObject({ code: "Unavailable" });
    await clock.advance(10);
    await failed;
  });

  test("is the same as the same fields of the whole answer", async () => {
    const names = ["name", "height", "delays", "remark"] as const;
    const { clock, ask } = open({});
    const reply = ask({});
    await clock.advance(10);
    const { output: whole } = (await reply) as { output: { readonly [name: string]: unknown } };
    await fc.assert(
      fc.asyncProperty(fc.subarray([...names], { minLength: 1 }), async (chosen) => {
        const { clock, ask } = open({});
        const reply = ask({ fields: wanted(...chosen) });
        await clock.advance(10);
        const { output } = (await reply) as { output: unknown };
        expect(output).toEqual(Object.fromEntries(chosen.map((name) => [name, whole[name]])));
      }),
      { numRuns: 30 },
    );
  });
});

test("a list is shown once what is nested in it is there, and the fields beside it before", async () => {
  const Boards = contract("boards", "1.0.0", {
    page: query({
      input: z.object({ iata: z.string() }),
      output: z.object({
        name: z.string().optional(),
        flights: z
          .array(z.object({ to: z.string(), destination: z.object({ name: z.string().optional() }).optional() }))
          .optional(),
      }),
    }),
  });
  const names = source("names", { get: json("https://names.test/{iata}", z.object({ name: z.string() })) });
  const flights = source("flights", {
    get: json("https://flights.test/{iata}", z.array(z.object({ to: z.string() }))),
  });
  const towns = source("towns", { get: json("https://towns.test/{to}", z.object({ name: z.string() })) });
  const boardPage = view(Boards.page, {
    budget: "1s",
    fields: {
      name: prefer(names),
      flights: union(flights).with({ destination: nested({ name: prefer(towns) }) }),
    },
  });
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock, ({ source, url }) => {
    if (source === "names") return { afterMs: 5, body: { name: "Love Field" } };
    if (source === "flights") return { afterMs: 10, body: [{ to: "HOU" }] };
    return { afterMs: 20, body: { name: url.pathname.slice(1) } };
  });
  const { providers } = provideViews([boardPage], {
    upstream,
    dispatch: nobody,
    clock,
    random: () => 0.5,
    origins: {},
  });
  const parts: Part[] = [];
  const input = { iata: "DAL" };
  const reply = providers[0]?.handle(input, toCall({ onPart: (part) => parts.push(part) }), input);
  await clock.advance(100);
  expect(parts).toEqual([
    { wire: { name: "Love Field" }, pending: ["flights", "towns"] },
    { wire: { name: "Love Field" }, pending: ["towns"] },
  ]);
  expect(await reply).toMatchObject({ output: { flights: [{ to: "HOU", destination: { name: "HOU" } }] } });
});
