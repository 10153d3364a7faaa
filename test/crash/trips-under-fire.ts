import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { flightId, loadFlights } from "../../examples/trips/data/flights.ts";
import { type Booked, type Trip, TripsClient } from "../../examples/trips/run/client.ts";
import { makeKeys, toEnvironment } from "../../examples/trips/run/environment.ts";
import { supervise } from "../../examples/trips/run/supervisor.ts";
import { launchUpstreams } from "../../examples/trips/upstreams/launch.ts";
import { Draws, toRunId } from "../../src/orchestration/journal/identity.ts";

export interface Fire {
  /** The backend to shoot at; by default the example's. */
  readonly file?: string;
  readonly folder: string;
  readonly rounds: number;
  /** How many trips have been answered in a round, at least, before the process is killed; by default none. */
  readonly answered?: number;
  /** Trips that are under way at any moment. */
  readonly clients: number;
  readonly seed: number;
}
export interface Aftermath {
  readonly trips: number;
  readonly ticketed: number;
  readonly undone: number;
  readonly kills: number;
  /** Trips that were unanswered when the process was killed, in all rounds together. */
  readonly struck: number;
  /** What the payment service's books, or the bookings, have against what callers were told. */
  readonly violations: readonly string[];
}
interface Told {
  readonly trip: Asked;
  readonly booked: Booked;
}
interface Payment {
  readonly payment: string;
  readonly chargedCents: number;
  readonly refundedCents: number;
  readonly tombstone: boolean;
}

interface Asked extends Trip {
  /** Whether somebody approves it where it is dear. */
  readonly approved: boolean;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const lastKnownFare = 123.45;

/** Books trips from many clients at once while the backend is killed again and again, and then holds the books against each other. */
export async function tripsUnderFire(fire: Fire): Promise<Aftermath> {
  const { file, folder, rounds, answered = 0, clients, seed } = fire;
  await mkdir(folder, { recursive: true });
  const chance = new Draws(String(seed), "fire");
  await using ends = new AsyncDisposableStack();
  // Answers get lost after the work was done, and services are away for a moment: one in twenty.
  const behaviour = { all: { mode: "up", errors: 0.05, latency: "1..12" } } as const;
  const upstreams = ends.use(
    await launchUpstreams({ data: folder, quiet: true, seed, only: ["fares", "payments"], behaviour }),
  );
  const { fares, payments } = upstreams.urls;
  const nowhere = "http://127.0.0.1:9";
  const urls = { fares, payments, openflights: nowhere, ourairports: nowhere, faa: nowhere, flights: nowhere };
  const keys = await makeKeys(folder);
  let up = Promise.withResolvers<void>();
  up.resolve();
  const backend = await supervise({
    ...(file !== undefined && { file: fileURLToPath(new URL(file, import.meta.url)) }),
    environment: { ...toEnvironment(urls, folder), PORT: "0", TRILITH_LOG: "fatal" },
    onEvent: ({ kind }) => kind === "up" && up.resolve(),
  });
  ends.defer(() => backend.stop());
  const client = new TripsClient(backend.url, keys.traffic);

  const flights = loadFlights().map(flightId);
  const told: Told[] = [];
  let firing = true;
  let underWay = 0;
  let approving = rounds < 2;
  const caller = async (): Promise<void> => {
    while (firing) {
      const flight = flights[Math.floor(chance.random() * 400)] as string; // few enough that some sell out
      const booking = randomUUID();
      const approved = approving || booking < "8";
      const trip = { flight, booking, traveller: "Ada", card: "card-1", lastKnownFare, approved };
      underWay++;
      const booked = await untilEnded(client, trip);
      underWay--;
      told.push({ trip, booked });
    }
  };
  const callers = Array.from({ length: clients }, caller);
  let struck = 0;
  // It takes 20 seconds to give up a dear trip that nobody approves. Only those of the beginning are not: they are given up
  // under fire, and nobody waits for it when that is over. The others are killed wherever they may be by then.
  if (rounds > 1) while (told.length < clients / 2) await pause(20);
  approving = true;
  if (rounds > 1) while (told.length < clients) await pause(20);
  for (let round = 0; round < rounds; round++) {
    const before = told.length;
    await pause(80 + chance.random() * 500);
    while (told.length < before + answered) await pause(20);
    up = Promise.withResolvers<void>();
    struck += underWay;
    process.kill(backend.pid, "SIGKILL");
    await up.promise;
  }
  if (rounds === 0) await pause(1_000);
  firing = false;
  await Promise.all(callers);
  const violations = await judge(client, payments, told);
  const ticketed = told.filter(({ booked }) => booked.kind === "ticketed").length;
  return { trips: told.length, ticketed, undone: told.length - ticketed, kills: rounds, struck, violations };
}

/** Asks with the same key until the trip has ended one way or the other; some dear trips are approved, the others are not. */
async function untilEnded(client: TripsClient, { approved, ...trip }: Asked): Promise<Booked> {
  const run = runOf(trip);
  for (let tries = 0; tries < 300; tries++) {
    const booked = await client.book(trip, 2);
    if (booked.kind === "ticketed" || booked.status < 500) {
      if (booked.kind !== "under way" || (await client.state(run)) === "paused") return booked;
      if (approved) await client.approve(run, "the crash test");
    } else {
      const state = await client.state(run);
      if (state === "failed") return booked;
      if (state === "paused") return { ...booked, kind: "under way" };
    }
    await pause(100);
  }
  throw new Error(`Trip ${trip.booking} (run ${run}) does not come to an end: it is ${await client.state(run)}.`);
}

/** The run that the caller's key stands for. */
const runOf = ({ booking }: Trip): string => toRunId("key:traffic", "trips.book", booking);

/** The payment service's own books are the judge. */
async function judge(client: TripsClient, payments: string, told: readonly Told[]): Promise<readonly string[]> {
  const { payments: books } = (await (await fetch(`${payments}/ledger`)).json()) as { payments: readonly Payment[] };
  const ledger = new Map(books.map((payment) => [payment.payment, payment]));
  const violations: string[] = [];
  let soldCents = 0;
  const seats = new Map<string, number>();
  for (const { trip, booked } of told) {
    const run = runOf(trip);
    const what = `trip ${trip.booking} (run ${run}, ${booked.kind})`;
    const payment = new Draws(run, "").uuid(); // the workflow's first draw
    const entry = ledger.get(payment);
    ledger.delete(payment);
    const kept = (entry?.chargedCents ?? 0) - (entry?.refundedCents ?? 0);
    const response = await client.get(`/bookings/${trip.booking}`);
    const booking = response.ok ? ((await response.json()) as { status: string; ticket?: string }) : undefined;
    if (booked.kind === "ticketed") {
      if (kept <= 0) violations.push(`${what} was ticketed and never paid`);
      if (booking?.status !== "ticketed" || booking.ticket !== booked.ticket)
        violations.push(`${what} was acknowledged and is ${booking?.status ?? "lost"}`);
      soldCents += entry?.chargedCents ?? 0;
      seats.set(trip.flight, (seats.get(trip.flight) ?? 0) + 1);
    } else if (booked.kind === "under way") violations.push(`${what} is stuck`);
    else {
      if (kept !== 0) violations.push(`${what} was undone and ${kept} cents were kept`);
      if (booking && booking.status !== "released")
        violations.push(`${what} was undone and its seat is ${booking.status}`);
    }
  }
  for (const { payment, chargedCents, refundedCents } of ledger.values()) {
    if (chargedCents !== refundedCents)
      violations.push(`payment ${payment} of ${chargedCents} cents belongs to no trip`);
  }
  const keptCents = books.reduce((sum, { chargedCents, refundedCents }) => sum + chargedCents - refundedCents, 0);
  if (keptCents !== soldCents)
    violations.push(`the payment service keeps ${keptCents} cents, the tickets say ${soldCents}`);
  for (const [flight, sold] of seats) if (sold > 4) violations.push(`flight ${flight} has four seats and sold ${sold}`);
  return violations;
}
