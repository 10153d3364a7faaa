// The example's feeds: reports of the real flights from a process of its own, out of order, through windows into a store.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { z } from "zod";
import backend from "../examples/trips/backend.ts";
import type { Hour } from "../examples/trips/contracts.ts";
import { type DelayReport, toReports } from "../examples/trips/data/reports.ts";
import { toEnvironment } from "../examples/trips/run/environment.ts";
import { launchUpstreams, type Upstreams } from "../examples/trips/upstreams/launch.ts";

const hourMs = 3_600_000;
/** Others may keep the machine busy. */
const patient = { timeout: 60_000, interval: 100 };
let data: string;
let upstreams: Upstreams;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "trilith-trips-feed-"));
  // As unreliable as it is in the example: a page that fails is asked for again.
  upstreams = await launchUpstreams({ data, quiet: true, behaviour: { flights: { latency: "0..5", errors: 0.1 } } });
  const environment = toEnvironment(upstreams.urls, data);
  vi.stubEnv("TRIPS_REPORTS_URL", environment.TRIPS_REPORTS_URL);
  vi.stubEnv("TRIPS_REPORTS_EVERY_MS", "1");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await upstreams.stop();
  await rm(data, { recursive: true, force: true });
});

const start = () =>
  backend.start({ environment: { ...toEnvironment(upstreams.urls, data), TRILITH_LOG: "fatal", PORT: "0" } });

/** The flights of an airport by hour, all at once. */
function inBatch(airport: string, before: number): ReadonlyMap<string, Pick<DelayReport, "minutes">[]> {
  const flights = toReports().delays.filter((report) => report.airport === airport && report.at < before);
  return Map.groupBy(flights, ({ at }) => new Date(Math.floor(at / hourMs) * hourMs).toISOString());
}

it("serves the hours that its feeds add up to, equal to those of a batch, also after a restart in the middle", async () => {
  const airport = "PHX";
  const last = Math.max(...toReports().delays.map(({ at }) => at));
  // When an hour of the last two days is there, what is three days older has heard of all its flights.
  const settled = last - 2 * 24 * hourMs;
  const sure = settled - 3 * 24 * hourMs;
  const hoursOf = async (url: string): Promise<readonly z.output<typeof Hour>[]> =>
    (await fetch(`${url}/airports/${airport}/hours`)).json();

  const first = await start();
  await expect.poll(async () => (await hoursOf(first.url)).length, patient).toBeGreaterThan(20);
  await first.stop();

  const second = await start();
  const newest = async () => Date.parse((await hoursOf(second.url))[0]?.hour ?? "1970-01-01T00:00Z");
  await expect.poll(newest, patient).toBeGreaterThan(settled);
  const expected = inBatch(airport, sure);
  const hours = (await hoursOf(second.url)).filter(({ hour }) => Date.parse(hour) < sure - hourMs);
  expect(hours.length).toBeGreaterThan(50);
  for (const { hour, departures, reported, late, averageMinutes, worstMinutes } of hours) {
    const minutes = (expected.get(hour) ?? []).map((flight) => flight.minutes);
    expect({ hour, departures, reported, late, averageMinutes, worstMinutes }).toEqual({
      hour,
      departures: minutes.length,
      reported: minutes.length,
      late: minutes.filter((one) => one > 15).length,
      averageMinutes: minutes.reduce((sum, one) => sum + one, 0) / minutes.length,
      worstMinutes: Math.max(...minutes),
    });
  }
  await second.stop();
}, 120_000);
