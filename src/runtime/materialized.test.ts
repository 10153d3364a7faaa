// A view that is fed by events of the log and by pushes, from end to end: real files, real sockets, a restart.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { Turnstile } from "../../test/turnstile.ts";
import { type Candidate, outranks } from "../aggregation/host.ts";
import { fed, json, materialized, prefer, pushed, put, remove, source, union, view } from "../aggregation/index.ts";
import { command, contract, event, query, systemClock } from "../contracts/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import { createApiKey } from "../gateway/index.ts";
import type { Engine } from "../storage/host.ts";
import { entity, store } from "../storage/index.ts";
import { openCandidates } from "./candidates.ts";
import { backend } from "./index.ts";

/** Others may keep the machine busy. */
const patient = { timeout: 60_000 };
let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "trilith-kept-"));
});
afterEach(() => rm(data, { recursive: true, force: true }));

const Late = z.object({ airport: z.string(), flight: z.string(), minutes: z.int() });
const Flights = contract("flights", "1.0.0", {
  report: command({ input: Late }),
  cancel: command({ input: Late.omit({ minutes: true }) }),
  Delayed: event(Late),
  Cancelled: event(Late.omit({ minutes: true })),
});
const boards = entity("board", {
  events: Flights,
  state: z.object({ count: z.int() }),
  initial: { count: 0 },
  evolve: { Delayed: ({ count }) => ({ count: count + 1 }), Cancelled: ({ count }) => ({ count: count + 1 }) },
});
const flights = store(
  Flights,
  { boards },
  {
    report: (late, { boards }) => boards(late.airport).decide((_, { Delayed }) => Delayed(late)),
    cancel: (flight, { boards }) => boards(flight.airport).decide((_, { Cancelled }) => Cancelled(flight)),
  },
);
const Delay = z.object({ flight: z.string(), minutes: z.int() });
const Registry = z.object({ name: z.string() });
const Airports = contract("airports", "1.0.0", {
  page: query({
    input: z.object({ airport: z.string() }),
    output: z.object({
      name: z.string().optional(),
      delays: z.array(Delay).optional(),
      weather: z.string().optional(),
    }),
    http: "GET /airports/{airport}",
    access: "public",
  }),
  tell: command({
    input: Registry.extend({ airport: z.string(), revision: z.int(), gone: z.boolean().optional() }),
    http: "PUT /airports/{airport}/registry",
    access: "registry:write",
  }),
});
const registry = source("registry", { get: json("https://registry.test/{airport}", Registry) });
const delays = source("delays", { get: json("https://delays.test/{airport}", z.array(Delay)) });
const weather = source("weather", { get: json("https://weather.test/{airport}", z.object({ weather: z.string() })) });
const page = materialized(
  view(Airports.page, {
    budget: "2s",
    fields: {
      name: prefer(registry),
      delays: union(delays).dedupeBy("flight").orderBy("-minutes"),
      weather: prefer(weather),
    },
  }),
  {
    version: 1,
    from: [
      pushed(registry, Airports.tell, ({ airport, name, revision, gone }) =>
        gone ? remove({ airport }, { revision }) : put({ airport }, { name }, { revision }),
      ),
      fed(delays, Flights, {
        Delayed: ({ airport, flight, minutes }) => put({ airport }, { flight, minutes }, { item: flight }),
        Cancelled: ({ airport, flight }) => remove({ airport }, { item: flight }),
      }),
    ],
  },
);
const airports = backend("airports", { storage: [flights], aggregation: [page] });

it("answers with what its sources said by themselves, asks the others, and forgets nothing over a restart", async () => {
  await using upstream = createServer((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end('{"weather":"rain"}');
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const environment = {
    ...{ PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "fatal" },
    TRILITH_SOURCE_WEATHER_URL: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
  };
  const key = await createApiKey(join(data, "keys.json"), { id: "registry", scopes: ["registry:write"] });
  let running = await airports.start({ environment });
  const tell = (body: object, token?: string): Promise<Response> =>
    fetch(`${running.url}/airports/DAL/registry`, {
      method: "PUT",
      headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    });
  const read = async (): Promise<unknown> => (await fetch(`${running.url}/airports/DAL`)).json();

  expect(await read()).toEqual({ weather: "rain" });
  expect((await tell({ name: "Love", revision: 2 })).status).toBe(401);
  expect((await tell({ name: "Love", revision: 2 }, key)).status).toBe(204);
  expect((await tell({ name: "late", revision: 1 }, key)).status).toBe(204);
  const client = running.client(Flights);
  await client.report({ airport: "DAL", flight: "a", minutes: 5 });
  await client.report({ airport: "DAL", flight: "b", minutes: 9 });
  await client.report({ airport: "DAL", flight: "a", minutes: 20 });
  await client.cancel({ airport: "DAL", flight: "b" });
  await client.report({ airport: "HOU", flight: "c", minutes: 1 });
  const whole = { name: "Love", delays: [{ flight: "a", minutes: 20 }], weather: "rain" };
  await expect.poll(read, patient).toEqual(whole);
  await running.stop();

  running = await airports.start({ environment });
  expect(await read()).toEqual(whole);
  expect((await tell({ name: "x", revision: 3, gone: true }, key)).status).toBe(204);
  expect((await tell({ name: "late again", revision: 2 }, key)).status).toBe(204);
  expect(await read()).toEqual({ delays: whole.delays, weather: "rain" });
  const refused = await tell({ name: "x", revision: 4, colour: "red" }, key);
  expect(refused.status).toBe(422);
  await running.stop();
});

/** Those that a newer whole answer does not cover, in one order. */
function counting(candidates: readonly Candidate[]): readonly Candidate[] {
  const since = candidates.find(({ item }) => item === "")?.revision ?? Number.NEGATIVE_INFINITY;
  return candidates
    .filter(({ item, revision }) => item === "" || revision >= since)
    .sort((a, b) => (a.item < b.item ? -1 : 1));
}

describe("candidates on the engine", () => {
  const change = fc.record({
    item: fc.constantFrom("", "a", "b"),
    revision: fc.nat(4),
    said: fc.option(fc.constantFrom('"x"', '"y"', '"z"'), { nil: undefined }),
  });
  const toCandidate = (
    place: string,
    { said, ...rest }: { item: string; revision: number; said: string | undefined },
  ) => ({ place, at: 1, ...rest, ...(said !== undefined && { said }) }) satisfies Candidate;
  let engine: Engine;
  beforeEach(async () => {
    engine = await openSqlite({ folder: data });
  });
  afterEach(() => engine.close());

  it("are the newest of each, however many write at once and in whatever order", async () => {
    const nodes = await Promise.all([1, 2, 3].map(() => openCandidates(engine, systemClock)));
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 20 }), async (changes) => {
        const place = `place ${run++}`;
        const all = changes.map((one) => toCandidate(place, one));
        await Promise.all(all.map((one, at) => nodes[at % nodes.length]?.keep([one])));
        const newest = new Map<string, Candidate>();
        for (const one of all) {
          const rival = newest.get(one.item);
          if (!rival || outranks(one, rival)) newest.set(one.item, one);
        }
        const loaded = (await nodes[0]?.load(place)) ?? [];
        expect(counting(loaded)).toEqual(counting([...newest.values()]));
      }),
      { numRuns: 30 },
    );
    expect(await engine.check()).toEqual([]);
  });

  const rows = async (): Promise<number> => (await engine.find("candidates", { limit: 1_000 })).length;
  it("are taken away where a newer whole answer covers them, and never one that still counts", async () => {
    const nodes = await Promise.all([1, 2].map(() => openCandidates(engine, systemClock)));
    const [one, two] = nodes;
    for (let day = 0; day < 20; day++) {
      const items = Array.from({ length: 30 }, (_, at) => ({ item: `flight ${day} ${at}`, revision: day * 100 + at }));
      await one?.keep(items.map((change) => toCandidate("board", { ...change, said: '"x"' })));
      await two?.keep(
        items.map(({ item, revision }) => toCandidate("board", { item, revision: revision + 1, said: undefined })),
      );
      const whole = toCandidate("board", { item: "", revision: day * 100 + 90, said: "[]" });
      const after = toCandidate("board", { item: "late", revision: day * 100 + 95, said: '"y"' });
      await Promise.all([one?.keep([whole]), two?.keep([after])]);
      expect(counting((await one?.load("board")) ?? [])).toEqual(counting([whole, after]));
    }
    expect(await rows()).toBeLessThanOrEqual(3);
    expect(await engine.check()).toEqual([]);
  });

  it("that come back where one was taken away are kept", async () => {
    const candidates = await openCandidates(engine, systemClock);
    const item = (revision: number, said: string) => toCandidate("board", { item: "a", revision, said });
    const whole = (revision: number) => toCandidate("board", { item: "", revision, said: "[]" });
    await candidates.keep([item(1, '"old"')]);
    await candidates.keep([whole(5)]);
    expect(await rows()).toBe(1);
    await candidates.keep([item(3, '"late"')]); // covered, and no harm
    expect(counting(await candidates.load("board"))).toEqual([whole(5)]);
    await candidates.keep([item(6, '"new"')]);
    expect(counting(await candidates.load("board"))).toEqual([whole(5), item(6, '"new"')]);
  });

  it("that come anew where one was taken away are not taken away by who had seen the old one", async () => {
    const turnstile = new Turnstile();
    const opening = openCandidates(turnstile.before(0, engine), systemClock);
    await turnstile.open([]);
    const [slow, other] = [await opening, await openCandidates(engine, systemClock)];
    // However far the slow one has come when the other one takes the old item away and keeps a new one.
    for (let calls = 0; calls < 12; calls++) {
      const said = (item: string, revision: number) => toCandidate(`board ${calls}`, { item, revision, said: '"x"' });
      await other.keep([said("a", 1)]);
      const kept = slow.keep([said("", 5)]);
      await turnstile.pass({ who: 0, calls });
      await other.keep([said("", 6)]);
      await other.keep([said("a", 9)]);
      await turnstile.open([]);
      await kept;
      expect(counting(await other.load(`board ${calls}`))).toEqual([said("", 6), said("a", 9)]);
    }
  });

  it("that somebody buried before he ended are taken away later, or make room for what comes", async () => {
    const candidates = await openCandidates(engine, systemClock);
    const item = (name: string, revision: number) => toCandidate("board", { item: name, revision, said: '"x"' });
    await candidates.keep([item("a", 1), item("b", 2)]);
    const [left] = await engine.claim(
      "candidates",
      { where: { revision: { equals: 1 } }, limit: 1 },
      { place: "", said: null, turn: 9 },
    );
    expect(left).toBeDefined();
    await candidates.keep([item("a", 7)]);
    expect(counting(await candidates.load("board"))).toEqual([item("a", 7), item("b", 2)]);
    await engine.claim(
      "candidates",
      { where: { revision: { equals: 7 } }, limit: 1 },
      { place: "", said: null, turn: 9 },
    );
    await candidates.keep([toCandidate("board", { item: "", revision: 8, said: "[]" })]);
    expect(await rows()).toBe(1);
  });

  it("of a whole list keep what its items are called, and a tombstone is read like the rest", async () => {
    const candidates = await openCandidates(engine, systemClock);
    const whole = { ...toCandidate("board", { item: "", revision: 1, said: "[1,2]" }), items: ["a", "b"] };
    const gone = toCandidate("board", { item: "a", revision: 2, said: undefined });
    await candidates.keep([whole, gone]);
    const loaded = [...(await candidates.load("board"))].sort((a, b) => a.revision - b.revision);
    expect(loaded).toEqual([whole, gone]);
  });

  it("of a long list are read page by page", async () => {
    const candidates = await openCandidates(engine, systemClock);
    const all = Array.from({ length: 1_200 }, (_, at) =>
      toCandidate("long", { item: `item ${at}`, revision: 1, said: `${at}` }),
    );
    await candidates.keep(all);
    expect(await candidates.load("long")).toHaveLength(1_200);
    expect(await candidates.load("other")).toEqual([]);
  });
});
