import { randomUUID } from "node:crypto";
import { type FlightRecord, flightId, loadFlights } from "../data/flights.ts";
import type { Booked, Trip, TripsClient } from "./client.ts";
import { paint } from "./paint.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const oneOf = <T>(some: readonly T[]): T => some[Math.floor(Math.random() * some.length)] as T;

/** In miles: mostly too dear to be ticketed without an approval, and never. */
const farAway = 2_400;
const nearby = 1_000;

/**
 * Books trips on the real flight records at a gentle rate, until it is told to stop. Every fourth trip wants the same
 * flight, so that it sells out; every fifth goes far away. Of the trips that wait for an approval, the first and then every
 * third does not get it.
 */
export function startTraffic(client: TripsClient, tell: (line: string) => void): { stop(): void } {
  const records = loadFlights();
  const flights = records.map(flightId);
  const where = (is: (distance: number) => boolean): readonly string[] =>
    records.filter((record: FlightRecord) => is(record.distance)).map(flightId);
  const far = where((distance) => distance >= farAway);
  const near = where((distance) => distance <= nearby);
  let going = true;
  let popular = oneOf(near);
  let waited = 0;
  const isApproved = (): boolean => waited++ % 3 !== 0;
  const trips = async (): Promise<void> => {
    for (let count = 1; going; count++) {
      if (count % 28 === 0) popular = oneOf(near);
      const flight = count % 4 === 0 ? popular : count % 5 === 0 ? oneOf(far) : oneOf(flights);
      const trip = toTrip(flight, count);
      void bookOne(client, trip, isApproved, (line) => going && tell(line)).catch(
        (error: Error) => going && tell(lineOf(flight, "red", "no answer", error.message)),
      );
      await pause(400 + Math.random() * 500);
    }
  };
  const pages = async (): Promise<void> => {
    while (going) {
      await client.get(`/airports/${oneOf(flights).slice(0, 3)}?meta=true`).catch(() => {}); // down for a moment: the console shows it
      await pause(1_500 + Math.random() * 2_000);
    }
  };
  void trips();
  void pages();
  return {
    stop() {
      going = false;
    },
  };
}

const toTrip = (flight: string, count: number): Trip => ({
  flight,
  booking: randomUUID(),
  traveller: `Traveller ${count}`,
  card: `card-${1_000 + count}`,
  lastKnownFare: 199.99,
});

async function bookOne(
  client: TripsClient,
  trip: Trip,
  isApproved: () => boolean,
  tell: (line: string) => void,
): Promise<void> {
  const { flight } = trip;
  const booked = await client.book(trip);
  if (booked.kind !== "under way") return tell(lineOfBooked(flight, booked));
  let state = await client.state(booked.run);
  const needsApproval = state === "waiting";
  tell(lineOf(flight, "blue", "waiting", needsApproval ? "for an approval" : "for other people's services"));
  const approved = !needsApproval || isApproved();
  if (needsApproval && approved) {
    await pause(3_000 + Math.random() * 4_000);
    const status = await client.approve(booked.run, "the traffic's manager");
    if (status < 300) tell(lineOf(flight, "blue", "approved", "by the traffic's manager"));
  }
  for (const untilMs of approved ? [300, 2_000, 10_000] : [18_500, 2_000, 10_000]) {
    await pause(untilMs);
    state = await client.state(booked.run);
    if (state === "done" || state === "failed") break;
  }
  if (state === "done") tell(lineOf(flight, "green", "ticketed", `run ${booked.run}`));
  if (state === "failed") tell(lineOf(flight, "magenta", "undone", `${undone} (run ${booked.run})`));
}

const undone = "the seat is free again, what was paid is paid back";

function lineOfBooked(flight: string, booked: Booked): string {
  if (booked.kind === "ticketed")
    return lineOf(flight, "green", "ticketed", `${booked.ticket} in ${Math.round(booked.ms)} ms`);
  if (booked.kind === "refused" && booked.code === "SoldOut")
    return lineOf(flight, "yellow", "sold out", "nobody was charged");
  return lineOf(flight, "magenta", "undone", booked.kind === "refused" ? `${booked.code}: ${undone}` : undone);
}

const lineOf = (flight: string, colour: Parameters<typeof paint>[0], word: string, more: string): string =>
  `  ${flight}  ${paint(colour, word.padEnd(9))}  ${paint("gray", more)}`;
