import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Booked, type Trip, TripsClient } from "../examples/trips/run/client.ts";
import { readTrace, type Span } from "../examples/trips/run/spans.ts";
import type { Fault } from "../examples/trips/upstreams/settings.ts";
import { toRunId } from "../src/orchestration/journal/identity.ts";
import { startTripsBackend, type TripsBackend } from "./trips-backend.ts";

let trips: TripsBackend;
let client: TripsClient;
beforeAll(async () => {
  trips = await startTripsBackend();
  client = new TripsClient(trips.url, await trips.keyFor("trips:book", "trips:approve", "bookings:read"));
}, 120_000);
afterAll(() => trips?.[Symbol.asyncDispose]());

/** 237.62 dollars at the fare service. */
const cheap = "ABQ-DAL-20010227-1430";
/** More than what is ticketed without an approval. */
const dear = { flight: "HNL-STL-20010110-1907", cents: 75_402 };
const lastKnownFare = 123.45;

const tripOn = (flight: string): Trip => ({
  flight,
  booking: randomUUID(),
  traveller: "Ada",
  card: "card-1815",
  lastKnownFare,
});

describe("a trip", () => {
  it("that races another one for the last seat is ticketed, the other is told so, and nobody is charged for nothing", async () => {
    const flight = "ABQ-DFW-20010217-0858";
    for (let seat = 0; seat < 3; seat++) expect(await client.book(tripOn(flight))).toMatchObject({ kind: "ticketed" });
    const racers = [tripOn(flight), tripOn(flight)];
    const { asked, told } = await charges(() => Promise.all(racers.map((trip) => client.book(trip))));
    expect(told.map(outcome).sort()).toEqual(["409 SoldOut", "ticketed"]);
    const [kept] = asked.filter(({ chargedCents }) => chargedCents > 0);
    expect(asked).toEqual([{ chargedCents: kept?.chargedCents, refundedCents: 0, tombstone: false }]);
    for (const [at, booked] of told.entries())
      expect(await statusOf(racers[at] as Trip)).toBe(booked.kind === "ticketed" ? "ticketed" : 404);
  });

  it("has a life that follows it, from its seat to its flight", async () => {
    const trip = tripOn("ABQ-DAL-20010227-1430");
    const life = async () =>
      (await (await client.get(`/runs/${toRunId("start:booking-life", "trips.follow", trip.booking)}`)).json()) as Life;
    const { flight, booking } = trip;
    const key = await trips.keyFor("trips:book");
    const checkIn = () =>
      fetch(`${trips.url}/check-ins`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
        body: JSON.stringify({ flight, booking }),
      });
    expect((await checkIn()).status).toBe(409);
    expect(await client.book(trip)).toMatchObject({ kind: "ticketed" });
    await expect.poll(async () => (await life()).progress, { timeout: 60_000 }).toEqual({ state: "ticketed" });
    expect((await checkIn()).status).toBe(204);
    expect(await statusOf(trip)).toBe("checkedIn");
    await expect.poll(async () => (await life()).progress, { timeout: 60_000 }).toEqual({ state: "checkedIn" });
    trips.clock.skip(86_400_000);
    await expect.poll(async () => (await life()).output, { timeout: 60_000 }).toEqual({ end: "flown" });
  });

  it("too dear for one person's word waits for an approval, which not everybody can give", async () => {
    const trip = tripOn(dear.flight);
    const { asked, told } = await charges(async () => {
      const { run, status } = await client.book(trip, 0);
      expect(status).toBe(202);
      await expect.poll(() => client.state(run)).toBe("waiting");
      expect(await statusOf(trip)).toBe("held");
      const clerk = new TripsClient(trips.url, await trips.keyFor("trips:book"));
      expect(await clerk.approve(run, "the clerk")).toBe(403);
      expect(await client.state(run)).toBe("waiting");
      expect(await client.approve(run, "the manager")).toBe(202);
      return client.book(trip, 5); // the same key: the same trip
    });
    expect(told.kind).toBe("ticketed");
    expect(asked).toEqual([{ chargedCents: dear.cents, refundedCents: 0, tombstone: false }]);
    expect(await statusOf(trip)).toBe("ticketed");
  });

  it("that nobody approves in time is undone: what was charged is paid back, and the seat is free", async () => {
    const trip = tripOn(dear.flight);
    const { asked, told } = await charges(async () => {
      const { run } = await client.book(trip, 0);
      await expect.poll(() => client.state(run)).toBe("waiting");
      trips.clock.skip(19_000);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(await client.state(run)).toBe("waiting");
      trips.clock.skip(1_000);
      await expect.poll(() => client.state(run), { timeout: 60_000 }).toBe("failed");
      return client.book(trip, 0);
    });
    expect(outcome(told)).toBe("403 NotApproved");
    expect(asked).toEqual([{ chargedCents: dear.cents, refundedCents: dear.cents, tombstone: false }]);
    expect(await statusOf(trip)).toBe("released");
  });

  it("is charged the last known fare while the fare service is down, and its trace says so", async () => {
    await trips.upstreams.control("fares", { mode: "down" });
    const { asked, told } = await charges(() => client.book(tripOn(cheap), 10));
    await trips.upstreams.control("fares", { mode: "up" });
    expect(told.kind).toBe("ticketed");
    expect(asked).toEqual([{ chargedCents: 12_345, refundedCents: 0, tombstone: false }]);
    const fallback = (await readTrace(trips.url, told.trace)).find(stepOf("fallback"));
    expect(fallback?.name).toContain("fares.quote");
  });

  it("on a flight that there is not is refused, its seat is free again, and nobody is charged", async () => {
    const trip = tripOn("ABQ-DAL-20010101-0000");
    const { asked, told } = await charges(() => client.book(trip));
    expect(outcome(told)).toBe("404 UnknownFlight");
    expect(asked).toEqual([]);
    expect(await statusOf(trip)).toBe("released");
  });

  it("that is sent twice with one key is one trip; the key for another trip is refused", async () => {
    const trip = tripOn(cheap);
    const { asked, told } = await charges(async () => {
      const both = await Promise.all([client.book(trip), client.book(trip)]);
      return [...both, await client.book(trip)];
    });
    expect(new Set(told.map((booked) => booked.kind === "ticketed" && booked.ticket)).size).toBe(1);
    expect(new Set(told.map(({ run }) => run)).size).toBe(1);
    expect(asked).toHaveLength(1);
    const other = await charges(() => client.book({ ...trip, card: "card-1906" }));
    expect([outcome(other.told), other.asked]).toEqual(["422 KeyReused", []]);
  });

  it("whose payment was asked for and never answered leaves a tombstone, so that a late charge is refused", async () => {
    const trip = tripOn(cheap);
    const { asked, told, payments } = await charges(() => bookWithout("down", trip));
    expect(told.kind).toBe("refused");
    expect(asked).toEqual([{ chargedCents: 0, refundedCents: 0, tombstone: true }]);
    expect(await statusOf(trip)).toBe("released");
    const late = await fetch(`${trips.upstreams.urls.payments}/charge`, {
      method: "POST",
      body: JSON.stringify({ payment: payments[0], card: trip.card, amount: 237.62 }),
    });
    expect(late.status).toBe(409);
    expect(await late.json()).toMatchObject({ type: "/problems/payment-voided" });
  });

  it("whose payment was made and never acknowledged is paid back", async () => {
    const trip = tripOn(cheap);
    const { asked, told } = await charges(() => bookWithout("reset-after-work", trip));
    expect(told.kind).toBe("refused");
    expect(asked).toEqual([{ chargedCents: 23_762, refundedCents: 23_762, tombstone: false }]);
    expect(await statusOf(trip)).toBe("released");
  });
});

describe("the airport page", () => {
  beforeEach(async () => {
    for (const name of ["openflights", "ourairports", "faa", "flights"] as const)
      await trips.upstreams.control(name, { mode: "up" });
  });

  const modes = { down: "down", slow: "slow", garbage: "invalid" } as const;
  type Mode = keyof typeof modes;
  const eachMode = Object.entries(modes) as [Mode, string][];

  for (const upstream of ["ourairports", "faa"] as const)
    for (const [mode, state] of eachMode)
      it(`takes from others what ${upstream} would have said when it is ${mode}, and says so`, async () => {
        await trips.upstreams.control(upstream, { mode });
        const { data, meta } = await pageOf("ABQ");
        expect(meta.sources[upstream]?.state).toBe(state);
        expect(data).toMatchObject({ name: "Albuquerque International Sunport Airport", city: "Albuquerque" });
        expect(data.delays?.length).toBe(20);
        expect(meta.fields.name?.source).toBe(upstream === "ourairports" ? "openflights" : "ourairports");
        expect(meta.fields.name?.rejected).toContainEqual(expect.objectContaining({ source: upstream }));
        expect([meta.fields.position?.source, meta.fields.city?.source]).toEqual(["openflights", "openflights"]);
      });

  const unseen = { down: "DAL", slow: "PHX", garbage: "LAX" } as const;
  for (const [mode, state] of eachMode)
    it(`comes without delays when the departure board is ${mode} and none is remembered`, async () => {
      await trips.upstreams.control("flights", { mode });
      const { data, meta } = await pageOf(unseen[mode]);
      expect(data.delays).toBeUndefined();
      expect([meta.fields.delays?.state, meta.sources.delays?.state]).toEqual([state, state]);
      expect(meta.fields.name?.state).toBe("fresh");
    });

  it("shows the board of before while there is no other, says how old it is, and not for longer than ten minutes", async () => {
    const { data: before } = await pageOf("DFW");
    await trips.upstreams.control("flights", { mode: "down" });
    trips.clock.skip(9 * 60_000);
    const { data, meta } = await pageOf("DFW");
    expect(data.delays).toEqual(before.delays);
    expect(meta.fields.delays?.state).toBe("stale");
    expect(meta.fields.delays?.ageMs).toBeGreaterThanOrEqual(9 * 60_000);
    trips.clock.skip(2 * 60_000);
    expect((await pageOf("DFW")).data.delays).toBeUndefined();
  });

  for (const [mode] of eachMode)
    it(`is refused as unavailable when the required registry is ${mode}`, async () => {
      await trips.upstreams.control("openflights", { mode });
      const response = await client.get("/airports/ABQ?meta=true");
      expect([response.status, await response.json()]).toMatchObject([503, { code: "Unavailable" }]);
    });

  it("knows an airport that one registry misses, and which one", async () => {
    const { data, meta } = await pageOf("XNA");
    expect(data).toMatchObject({ name: "Northwest Arkansas Regional Airport", city: "Bentonville" });
    expect(meta.sources.ourairports?.state).toBe("missing");
    expect(meta.fields.name).toMatchObject({ source: "openflights" });
    expect(meta.fields.name?.rejected).toContainEqual({ source: "ourairports", why: "missing" });
  });

  it("takes the airport and not the heliport of the same code, whose row is broken", async () => {
    // The registry gives its rows in no order: whichever comes first, the page is the same.
    for (let asked = 0; asked < 6; asked++) {
      const { data, meta } = await pageOf("SAV");
      expect(data.name).toBe("Savannah Hilton Head International Airport");
      expect(meta.fields.name?.source).toBe("ourairports");
      expect(data.position).toEqual({ latitude: 32.12760162, longitude: -81.20210266 });
      expect(meta.sources.ourairports?.state).toBe("fresh");
    }
  });

  it("does without the American list outside America", async () => {
    const { data, meta } = await pageOf("LHR");
    expect(data).toMatchObject({ name: "London Heathrow Airport", city: "London", country: "United Kingdom" });
    expect(meta.sources.faa?.state).toBe("missing");
  });

  it("is not found for a code that nobody knows", async () => {
    const response = await client.get("/airports/QQQ");
    expect([response.status, await response.json()]).toMatchObject([404, { code: "NotFound" }]);
  });
});

interface Charge {
  readonly chargedCents: number;
  readonly refundedCents: number;
  readonly tombstone: boolean;
}
interface Entry extends Charge {
  readonly payment: string;
}

/** What the payment service has in its own books after some work that it had not before: the judge of it all. */
async function charges<T>(work: () => Promise<T>): Promise<{ told: T; asked: Charge[]; payments: string[] }> {
  const before = new Set((await ledger()).map(({ payment }) => payment));
  const told = await work();
  const news = (await ledger()).filter(({ payment }) => !before.has(payment));
  const asked = news.map(({ chargedCents, refundedCents, tombstone }) => ({ chargedCents, refundedCents, tombstone }));
  return { told, asked, payments: news.map(({ payment }) => payment) };
}
async function ledger(): Promise<readonly Entry[]> {
  const response = await fetch(`${trips.upstreams.urls.payments}/ledger`);
  return ((await response.json()) as { readonly payments: readonly Entry[] }).payments;
}

/** Every attempt at the payment meets the fault; the pauses between them are skipped. */
async function bookWithout(fault: Fault, trip: Trip): Promise<Booked> {
  await trips.upstreams.control("payments", { next: Array(6).fill(fault) });
  const impatient = setInterval(() => trips.clock.skip(1_000), 50);
  try {
    return await client.book(trip, 60);
  } finally {
    clearInterval(impatient);
  }
}

const outcome = (booked: Booked): string =>
  booked.kind === "refused" ? `${booked.status} ${booked.code}` : booked.kind;

interface Life {
  readonly progress?: { readonly state: string };
  readonly output?: { readonly end: string };
}

async function statusOf({ booking }: Trip): Promise<string | number> {
  const response = await client.get(`/bookings/${booking}`);
  return response.ok ? ((await response.json()) as { status: string }).status : response.status;
}

const stepOf =
  (kind: string) =>
  (span: Span): boolean =>
    span.kind === "step" && span.attributes["trilith.step.kind"] === kind;

interface Page {
  readonly data: {
    readonly name: string;
    readonly city?: string;
    readonly position?: unknown;
    readonly delays?: readonly unknown[];
  };
  readonly meta: {
    readonly fields: {
      readonly [field: string]: {
        readonly state: string;
        readonly source?: string;
        readonly ageMs?: number;
        readonly rejected: unknown[];
      };
    };
    readonly sources: { readonly [source: string]: { readonly state: string } };
  };
}
async function pageOf(iata: string): Promise<Page> {
  const response = await client.get(`/airports/${iata}?meta=true`);
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
}
