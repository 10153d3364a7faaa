import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { flightId, loadFlights } from "../examples/trips/data/flights.ts";
import { TripsClient } from "../examples/trips/run/client.ts";
import { makeKeys, toEnvironment } from "../examples/trips/run/environment.ts";
import { supervise } from "../examples/trips/run/supervisor.ts";
import { launchUpstreams } from "../examples/trips/upstreams/launch.ts";
import { openDatabase, type TestDatabase } from "./shared-postgres.ts";

let postgres: TestDatabase;
let folder: string;
beforeAll(async () => {
  postgres = await openDatabase();
  folder = await mkdtemp(join(tmpdir(), "trilith-trips-"));
}, 120_000);
afterAll(async () => {
  await postgres.remove();
  await rm(folder, { recursive: true, force: true });
});

test("the example on PostgreSQL books trips, and goes on with them after it was killed in the middle", async () => {
  await using ends = new AsyncDisposableStack();
  const behaviour = { all: { mode: "up", errors: 0, latency: "20..60" } } as const;
  const upstreams = ends.use(
    await launchUpstreams({ data: folder, quiet: true, seed: 1, only: ["fares", "payments"], behaviour }),
  );
  const nowhere = "http://127.0.0.1:9";
  const urls = { ...upstreams.urls, openflights: nowhere, ourairports: nowhere, faa: nowhere, flights: nowhere };
  const keys = await makeKeys(folder);
  let up = Promise.withResolvers<void>();
  const environment = {
    ...toEnvironment(urls, folder),
    PORT: "0",
    TRILITH_LOG: "fatal",
    TRILITH_POSTGRES: postgres.url,
  };
  const backend = await supervise({ environment, onEvent: ({ kind }) => kind === "up" && up.resolve() });
  ends.defer(() => backend.stop());
  const client = new TripsClient(backend.url, keys.traffic);
  const flights = loadFlights().map(flightId);
  const toTrip = (n: number) => ({
    ...{ flight: flights[n] ?? "", booking: randomUUID(), traveller: "Ada", card: "card-1", lastKnownFare: 123.45 },
  });

  const first = await client.book(toTrip(0), 1);
  expect(["ticketed", "under way"]).toContain(first.kind);

  const trips = Array.from({ length: 12 }, (_, n) => toTrip(n + 1));
  const begun = await Promise.all(trips.map((trip) => client.book(trip, 0)));
  expect(begun.map(({ kind }) => kind)).toContain("under way");
  up = Promise.withResolvers<void>();
  process.kill(backend.pid, "SIGKILL");
  await up.promise;
  for (const trip of trips) {
    let booked = await client.book(trip, 1); // the same key: the run that was begun, and no second one
    if (booked.kind === "under way") await client.approve(booked.run, "the test"); // a dear one waits for that
    for (let tries = 0; booked.kind === "under way" && tries < 50; tries++) booked = await client.book(trip, 2);
    expect(booked).toMatchObject({ kind: "ticketed", ticket: expect.stringMatching(/^T-/) });
    expect(await (await client.get(`/bookings/${trip.booking}`)).json()).toMatchObject({ status: "ticketed" });
  }
  const { payments } = (await (await fetch(`${urls.payments}/ledger`)).json()) as { payments: readonly unknown[] };
  expect(payments.length).toBe(trips.length + (first.kind === "ticketed" ? 1 : 0));
  const [row] = await postgres.query("select count(*) as events from trilith.event");
  expect(Number(row.events)).toBeGreaterThan(trips.length * 5);
}, 90_000);
