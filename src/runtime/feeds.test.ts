// A feed that a backend runs: from batches, through windows, into a command of a store; with a restart in the middle.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { feed, type Input, tumbling, type Windowed, windowed } from "../aggregation/index.ts";
import { command, contract, event, query } from "../contracts/index.ts";
import { workflow } from "../orchestration/index.ts";
import { entity, store } from "../storage/index.ts";
import { backend } from "./index.ts";

/** Others may keep the machine busy. */
const patient = { timeout: 60_000 };
let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "trilith-feeds-"));
});
afterEach(() => rm(data, { recursive: true, force: true }));

const Hour = z.object({ airport: z.string(), hour: z.int(), count: z.int() });
const Hours = contract("hours", "1.0.0", {
  record: command({ input: Hour }),
  list: query({ input: Hour.pick({ airport: true }), output: z.array(z.string()) }),
  Recorded: event(Hour),
});
const airports = entity("airport", {
  events: Hours,
  state: z.object({ seen: z.array(z.string()) }),
  initial: { seen: [] },
  evolve: { Recorded: ({ seen }, { hour, count }) => ({ seen: [...seen, `${hour}: ${count}`] }) },
});
const hours = store(
  Hours,
  { airports },
  {
    record: (hour, { airports }) => airports(hour.airport).decide((_, { Recorded }) => Recorded(hour)),
    list: async ({ airport }, { airports }) => (await airports(airport).state())?.seen ?? [],
  },
);

interface Departure {
  readonly airport: string;
  readonly at: number;
}
const hour = 3_600_000;
const total = 400;
const departures: readonly Departure[] = Array.from({ length: total }, (_, index) => ({
  airport: index % 2 === 0 ? "DAL" : "HOU",
  at: index * (hour / 10) + ((index * 7) % 5) * 60_000,
}));
/** Stops for good after so many records, as an upstream that hangs. */
const toFeed = (until: number) => {
  const input: Input<Departure> = {
    name: "departures",
    at: ({ at }) => at,
    outOfOrder: "5m",
    async *read(after) {
      for (let from = Number(after ?? 0); from < until; from += 10)
        yield { records: departures.slice(from, from + 10), position: from + 10 };
      if (until < total) await new Promise(() => {});
    },
  };
  return feed("hourly-departures", {
    inputs: [input],
    stage: () =>
      windowed({
        windows: tumbling("1h"),
        key: ({ airport }: Departure) => airport,
        aggregate: { initial: () => 0, add: (count) => count + 1, result: (count: number) => count },
      }),
    into: Hours.record,
    input: ({ key, start, value }) => ({ airport: key, hour: start / hour, count: value }),
    key: ({ key, start, revision }) => `${key}/${start}/${revision}`,
    keepEvery: 4,
  });
};

it("hands over every window once, also after a restart, and stops while an input hangs", async () => {
  const environment = { PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "fatal" };
  const counted = new Map<string, number>();
  for (const { airport, at } of departures) {
    const name = `${airport} ${Math.floor(at / hour)}`;
    counted.set(name, (counted.get(name) ?? 0) + 1);
  }
  const expected = (airport: string): readonly string[] =>
    [...counted].filter(([name]) => name.startsWith(airport)).map(([name, count]) => `${name.split(" ")[1]}: ${count}`);

  const first = await backend("hours", { storage: [hours], feeds: [toFeed(250)] }).start({ environment });
  await expect.poll(() => first.client(Hours).list({ airport: "DAL" }), patient).toHaveLength(24);
  await first.stop();

  const second = await backend("hours", { storage: [hours], feeds: [toFeed(total)] }).start({ environment });
  const list = (airport: string) => second.client(Hours).list({ airport });
  await expect.poll(() => list("DAL"), patient).toHaveLength(expected("DAL").length);
  await expect.poll(() => list("HOU"), patient).toHaveLength(expected("HOU").length);
  const byHour = (lines: readonly string[]): readonly string[] => [...lines].sort();
  expect(byHour(await list("DAL"))).toEqual(byHour(expected("DAL")));
  expect(byHour(await list("HOU"))).toEqual(byHour(expected("HOU")));
  await second.stop();
});

it("tries again what the command refused for a while, and skips nothing", async () => {
  let refusals = 3;
  const stubborn = store(
    Hours,
    { airports },
    {
      record: async (hour, { airports }) => {
        if (refusals-- > 0) throw new Error("Not now.");
        await airports(hour.airport).decide((_, { Recorded }) => Recorded(hour));
      },
      list: async ({ airport }, { airports }) => (await airports(airport).state())?.seen ?? [],
    },
  );
  const running = await backend("hours", { storage: [stubborn], feeds: [toFeed(total)] }).start({
    environment: { PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "fatal" },
  });
  await expect.poll(() => running.client(Hours).list({ airport: "DAL" }), patient).toHaveLength(40);
  await running.stop();
});

it("shows an operator at /metrics and /console/sources how a feed does, and what it is stuck with", async () => {
  let isOpen = false;
  const shut = store(
    Hours,
    { airports },
    {
      record: async (hour, { airports }) => {
        if (!isOpen) throw new Error("Not now.");
        await airports(hour.airport).decide((_, { Recorded }) => Recorded(hour));
      },
      list: async ({ airport }, { airports }) => (await airports(airport).state())?.seen ?? [],
    },
  );
  const running = await backend("hours", { storage: [shut], feeds: [toFeed(250)] }).start({
    environment: { PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "fatal" },
  });
  const metrics = async (): Promise<readonly string[]> =>
    (await (await fetch(`${running.url}/metrics`)).text()).split("\n");
  await expect.poll(metrics, patient).toContain('trilith_feed_state{feed="hourly-departures",state="stuck"} 1');
  expect((await metrics()).some((line) => line.startsWith("trilith_feed_stuck_seconds{feed="))).toBe(true);
  const console = async () => (await (await fetch(`${running.url}/console/sources`)).json()) as { feeds: unknown[] };
  expect((await console()).feeds).toMatchObject([
    { feed: "hourly-departures", state: "stuck", stuck: { code: "Internal" } },
  ]);
  isOpen = true;
  await expect.poll(metrics, patient).toContain('trilith_feed_handed_over_total{feed="hourly-departures"} 48');
  const lines = await metrics();
  for (const line of [
    'trilith_feed_state{feed="hourly-departures",state="running"} 1',
    'trilith_feed_records_total{feed="hourly-departures",input="departures"} 250',
    'trilith_feed_late_total{feed="hourly-departures"} 0',
    'trilith_feed_owed{feed="hourly-departures"} 0',
  ])
    expect(lines).toContain(line);
  expect(lines.some((line) => /^trilith_feed_(lag|watermark)_seconds\{/.test(line))).toBe(true);
  expect(lines.some((line) => line.startsWith("trilith_feed_stuck_seconds{"))).toBe(false);
  await running.stop();
});

it("begins runs of a workflow, and does not wait for their end", async () => {
  const Reviews = contract("reviews", "1.0.0", { begin: command({ input: Hour }) });
  const review = workflow(Reviews.begin, { version: 1, uses: [] }, async (_, { run }) => {
    await run.sleep("30 days");
  });
  const { inputs, stage, key } = toFeed(250);
  const reviews = feed("reviews", {
    ...{ inputs, stage, key, into: Reviews.begin },
    input: ({ key, start, value }: Windowed<number>) => ({ airport: key, hour: start / hour, count: value }),
  });
  const running = await backend("reviews", { orchestration: [review], feeds: [reviews] }).start({
    environment: { PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "fatal" },
  });
  const metrics = async (): Promise<string> => (await fetch(`${running.url}/metrics`)).text();
  await expect.poll(metrics, patient).toContain('trilith_feed_handed_over_total{feed="reviews"} 48\n');
  const { runs } = await running.runs.of(Reviews.begin).list({}, { limit: 100 });
  expect(runs).toHaveLength(48);
  await running.stop();
});

it("refuses two feeds of one name, and a command that nobody implements", async () => {
  const environment = { PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "fatal" };
  await expect(
    backend("hours", { storage: [hours], feeds: [toFeed(250), toFeed(250)] }).start({ environment }),
  ).rejects.toThrow('Two feeds are called "hourly-departures". Give one another name.');
  await expect(backend("hours", { feeds: [toFeed(250)] }).start({ environment })).rejects.toThrow(
    'The feed "hourly-departures" hands over to hours.record, which nobody here implements.',
  );
});

it("refuses two inputs of one name", () => {
  const [input] = toFeed(1).inputs;
  const { input: toInput, ...parts } = toFeed(1);
  const declare = () =>
    feed("x", { ...parts, into: Hours.record, input: (one) => toInput(one) as any, inputs: [input, input] }); // whatever it is
  expect(declare).toThrow('The feed "x" has two inputs called "departures"');
});
